"""The promises of docs/policy.md inside the biometric application: consent, rights, retention, the log, attestation.

Promised: no operation without a live consent, no erasure without the person or a logged operator, no silent change of
the log.

Not promised: that a date or an age is true; that the operator is one.
"""
