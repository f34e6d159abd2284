"""The rules of the Android biometric contract: values in, values out; clock and randomness are arguments.

Only `stored_objects` and `pins` reach out, to the store and to Gatekeeper, through Protocols.

Promised: challenges, lockout, tokens and exposure as the contract has them, or stricter. Not promised: the class a
sensor is called.

Read docs/android-contract.md next to it: it lists every rule, the test that shows it, and where we depart.
"""
