"""tee_sim simulates a trusted execution environment: two worlds, a storage service and an RPMB chip on one machine.

Promised: the secure world is a process that locks itself before it holds a secret, is judged from outside before it is
given one, and answers with closed types; what it stores is sealed, fresh and whole, or refused.

Not promised: a boundary against the host's root or kernel, who can read any process; against side channels; or between
two applications, which share an interpreter. It knows no product.

`secure` and `normal` import `shared` and never each other; `testing` joins them in one process.
"""

__version__ = "0.2.0"
