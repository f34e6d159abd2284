"""What the core makes for an application, because the application's own choice would reach the outside unseen.

Statements under keys of a boot, salted digests, and the ids that either may name: made, drawn or copied by the core,
so that an application can only choose which of them it uses. What it can choose by that is counted, in bits, in
`Call.chosen_bits`:

| what                         | it chooses                                  | counted                            |
|------------------------------|---------------------------------------------|------------------------------------|
| a digest, put with an object | which of those that were made in this call  | log2(digests made in this call)    |
| an id, put with an object    | which of those that it could know           | log2(ids known in this call), each |
| a statement: its object      | which of its own, among those with ids      | log2(objects that it has)          |
| a statement: its echo        | which number or id of the request, or zeros | log2(of these there are)           |
| a statement: all other bytes | nothing                                     | 0                                  |

Does not promise: that what was chosen is right. An application says who it was; the core only says that
nothing else is said by it.
"""
