"""The Keystore trusted application: keys released by tokens.

Promised: a secret key never leaves, and is used only as its authorizations say.

Not promised: protection of a key that was made with NO_AUTH_REQUIRED from whoever can call.
"""
