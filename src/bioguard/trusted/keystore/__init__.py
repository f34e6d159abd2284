"""The Keystore trusted application: keys released by tokens."""
