"""Plain calls into third-party code, run in the secure world before its lock.

Libraries load files, read processor features and build tables on first use; after the lock they could not. Nothing
here is trusted code and nothing here is secret.
"""

from typing import Any

import nacl.hash
import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from nacl.encoding import RawEncoder
from nacl.signing import SigningKey

rows = np.linspace(0.0, 1.0, 64 * 64, dtype=np.float32).reshape(64, 64)
matrix: Any
for matrix in (rows, rows.astype(np.float64)):
    matrix @ matrix.T
    np.linalg.norm(matrix, axis=1)
    np.linalg.svd(matrix[:8, :8])
    np.linalg.lstsq(matrix[:8, :4], matrix[:8, 0], rcond=None)
    np.argpartition(matrix, 3, axis=1)
    np.lexsort((matrix[0], matrix[1]))
    np.exp(matrix).sum()
    np.einsum("ij,kj->ik", matrix, matrix)
    np.convolve(matrix[0], matrix[1])
np.unique(np.arange(4) % 2)
np.bitwise_count(np.arange(16, dtype=np.uint64))
np.frombuffer(bytes(64), np.uint8).view("<u8")
np.packbits(np.unpackbits(np.arange(8, dtype=np.uint8)))
SigningKey(bytes(32)).sign(b"warm")
key = ec.derive_private_key(1, ec.SECP256R1())
key.public_key().public_numbers()
decode_dss_signature(key.sign(b"warm", ec.ECDSA(SHA256())))
nacl.hash.blake2b(b"warm", key=bytes(32), salt=bytes(16), person=bytes(16), encoder=RawEncoder)
