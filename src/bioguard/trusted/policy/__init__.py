"""The promises inside the trusted application: consent before every operation, rights, retention, the log."""
