"""Deliberately vulnerable trusted applications, one bug each. For the tests of the bench only."""


def token_key(keys) -> bytes:
    """The key of tokens, from an application that lives in the core's own process: on a device none can have it."""
    return keys.boot.keys["auth-token"]
