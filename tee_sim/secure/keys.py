"""The key ladder: HUK -> SSK -> TSK per trusted application, and our own labelled subkeys.

Upper half: OP-TEE's derivations, byte for byte, each one HMAC-SHA-256 (optee_os core/tee/tee_fs_key_manager.c,
core/kernel/huk_subkey.c). Integers are little-endian and a UUID is hashed in its native struct layout
(`uuid.bytes_le`), as there. Lower half: `KeyLadder`, what this simulator derives; labels in docs/formats/keys.md.

A UUID is the only binding of a key to a trusted application: whoever may load code under a UUID reads its objects.
The manifest decides who may.

Does not promise: that a derived key is wiped. Only the root keys lie in secret memory; what is derived is `bytes`.
"""

import hashlib
import hmac
import weakref
from contextlib import ExitStack
from enum import IntEnum
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tee_sim.secure import secret_memory
from tee_sim.shared.errors import TeeError, TeeResult

HUK_SIZES_BYTES = (16, 32)
"""OP-TEE's default hardware unique key has 16 bytes; 32 is the other common fuse width."""

DEVICE_ID_BYTES = 16

RPMB_TEST_KEY = bytes.fromhex("d3eb3ec36e334c9f988ce2c0b85954610d2bcf8664844df2ab56e6c61bb701e4")
"""OP-TEE's public CFG_RPMB_TESTKEY. Anyone can forge frames under it: anti-rollback level 100, not 1000."""

_SSK_STRING = b"ONLY_FOR_tee_fs_ssk\0"


class SubkeyUsage(IntEnum):
    """Usage ids of OP-TEE's huk_subkey."""

    RPMB = 0
    SSK = 1
    DIE_ID = 2
    UNIQUE_TA = 3
    TA_ENC = 4
    SE050 = 5


Key = bytes | memoryview


def _hmac(key: Key, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def huk_subkey(huk: Key, usage: SubkeyUsage, context: bytes = b"") -> bytes:
    """HMAC(HUK, LE32(usage) || context), 32 bytes."""
    return _hmac(huk, usage.to_bytes(4, "little") + context)


def ssk(huk: Key, chip_id: bytes, *, compat: bool = True) -> bytes:
    """Secure storage key. `compat` is OP-TEE's default, CFG_CORE_HUK_SUBKEY_COMPAT=y."""
    return _hmac(huk, chip_id + _SSK_STRING) if compat else huk_subkey(huk, SubkeyUsage.SSK)


def tsk(storage_key: Key, ta: UUID | None) -> bytes:
    """Key of one trusted application, or of the store itself: a one-byte message that no UUID can equal."""
    return _hmac(storage_key, ta.bytes_le if ta is not None else b"\0")


def rpmb_key(huk: Key, cid: bytes, *, compat: bool = True) -> bytes:
    """Key of the replay-protected block device with this card id; revision (9) and checksum (15) bytes do not count."""
    stable = bytearray(cid)
    stable[9] = stable[15] = 0
    return _hmac(huk, bytes(stable)) if compat else huk_subkey(huk, SubkeyUsage.RPMB, bytes(stable))


def _held(held: ExitStack, key: bytes) -> memoryview:
    view = held.enter_context(secret_memory.buffer(len(key)))
    view[:] = key
    return view


class KeyLadder:
    """Every key of one device, derived on demand from its HUK and device id.

    The root keys lie in `tee_sim.secure.secret_memory` and are wiped with the ladder; what is derived is `bytes`.

    Args:
        huk: hardware unique key, 16 or 32 bytes.
        device_id: 16 bytes, public; binds every key to this device.

    Raises:
        TeeError: BAD_PARAMETERS if a size is wrong.
    """

    def __init__(self, huk: bytes, device_id: bytes) -> None:
        if len(huk) not in HUK_SIZES_BYTES:
            raise TeeError(TeeResult.BAD_PARAMETERS, "hardware unique key must have 16 or 32 bytes")
        if len(device_id) != DEVICE_ID_BYTES:
            raise TeeError(TeeResult.BAD_PARAMETERS, f"device id must have {DEVICE_ID_BYTES} bytes")
        self.device_id = device_id
        chip_id = hashlib.sha256(b"tee_sim chip id v1" + device_id).digest()
        held = ExitStack()
        weakref.finalize(self, held.close)
        self._huk = _held(held, huk)
        self._ssk = _held(held, ssk(huk, chip_id))
        self._root = _held(held, _hmac(huk, b"tee_sim root v1" + chip_id))

    def rpmb_key(self) -> bytes:
        """32 bytes; the device id stands in for the card id."""
        return rpmb_key(self._huk, self.device_id, compat=False)

    def wrap_key(self, ta: UUID, salt: bytes) -> bytes:
        """Key that wraps the per-object keys of one trusted application in one key generation, 32 bytes.

        The salt is random and kept only in the anchor: overwriting it there destroys the generation, HUK or not.
        """
        return HKDF(SHA256(), 32, salt=salt, info=b"tee_sim object wrap v1").derive(tsk(self._ssk, ta))

    def derive(self, label: str, context: bytes = b"") -> bytes:
        """32 bytes for one purpose: HKDF-SHA-256 of the device root, info = label || NUL || context."""
        if not label.isascii() or "\0" in label:
            raise TeeError(TeeResult.BAD_PARAMETERS, "key label must be ASCII without NUL")
        return HKDF(SHA256(), 32, salt=b"tee_sim v1", info=label.encode() + b"\0" + context).derive(self._root)

    def ta_unique_key(self, ta: UUID, extra: bytes = b"") -> bytes:
        """OP-TEE's TA-unique key: subkey(UNIQUE_TA, uuid || extra)."""
        return huk_subkey(self._huk, SubkeyUsage.UNIQUE_TA, ta.bytes_le + extra)
