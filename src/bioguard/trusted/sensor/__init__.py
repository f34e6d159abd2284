"""The rules of the Android biometric contract as pure code: values in, values out; clock and randomness are arguments.

Read docs/android-contract.md next to it: it lists every rule, the test that shows it, and where we depart.
"""
