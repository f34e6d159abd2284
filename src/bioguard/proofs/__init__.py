"""Proof formats shared by both worlds: pure functions over bytes, no file, no clock, no global state.

Merkle tree (RFC 6962), signed notes, checkpoints and proofs (C2SP), COSE_Sign1 and the PSA token (RFC 9052, 9783).
Every decoder accepts exactly what the encoder writes.
"""
