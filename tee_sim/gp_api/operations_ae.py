"""Authenticated encryption: TEE Internal Core API 1.3.1, section 6.6. `ahead` as in `operations_cipher`."""

from typing import cast

from tee_sim.gp_api.ae_states import NONCE_BYTES, TAG_BITS, AeState, Ccm, Gcm
from tee_sim.gp_api.algorithm import Mode
from tee_sim.gp_api.block_ciphers import secret_of
from tee_sim.gp_api.operation import Operation, State
from tee_sim.gp_api.operations import Operations
from tee_sim.gp_api.words import ShortBufferError, breach_unless
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function


class AeCalls:
    """The five functions; `operations` keeps what they work on."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def init(self, handle: int, nonce: bytes | None, tag_bits: int, aad_bytes: int, payload_bytes: int) -> list[object]:
        """6.6.1. Raises TeeError NOT_SUPPORTED for a length of the tag. GCM does not look at the other two."""
        operation = self._operations.enter(Function.AE_INIT, handle)
        scheme, given = operation.algorithm.scheme, nonce or b""
        if tag_bits not in TAG_BITS[scheme]:
            raise TeeError(TeeResult.NOT_SUPPORTED, f"no tag of {tag_bits} bits")
        breach_unless(len(given) in NONCE_BYTES[scheme], "a nonce of a length that the algorithm does not have")
        secret, encrypts, tag_bytes = secret_of(operation.keys[0]), operation.mode is Mode.ENCRYPT, tag_bits // 8
        work: AeState
        if scheme == "GCM":
            work = Gcm(secret, given, tag_bytes, encrypts=encrypts)
        else:
            work = Ccm.begin(secret, given, tag_bytes, aad_bytes, payload_bytes, encrypts=encrypts)
        operation.tag_bytes = tag_bytes
        operation.start(State.STARTED, work)
        return []

    def update_aad(self, handle: int, data: bytes | None) -> list[object]:
        """6.6.2: before any payload."""
        _work(self._operations.enter(Function.AE_UPDATE_AAD, handle)).update_aad(data or b"")
        return []

    def update(self, handle: int, data: bytes | None, ahead_bytes: int, room_bytes: int | None) -> list[object]:
        """6.6.3. Raises ShortBufferError."""
        operation = self._operations.enter(Function.AE_UPDATE, handle)
        return [_fed(operation, data or b"", ahead_bytes, room_bytes)]

    def encrypt_final(
        self, handle: int, data: bytes | None, ahead_bytes: int, room_bytes: int | None, tag_room_bytes: int | None
    ) -> list[object]:
        """6.6.4: the last bytes and the tag; initial again. Raises ShortBufferError with both sizes."""
        operation = self._operations.enter(Function.AE_ENCRYPT_FINAL, handle)
        given = data or b""
        needed = len(given) + ahead_bytes
        if needed > (room_bytes or 0) or operation.tag_bytes > (tag_room_bytes or 0):
            raise ShortBufferError(needed, operation.tag_bytes)
        output = _fed(operation, given, ahead_bytes, room_bytes)
        if ahead_bytes:
            return [output, b""]
        tag = _work(operation).tag()
        operation.end()
        return [output, tag]

    def decrypt_final(
        self, handle: int, data: bytes | None, ahead_bytes: int, room_bytes: int | None, tag: bytes | None
    ) -> list[object]:
        """6.6.5: the last bytes; initial again. Raises ShortBufferError, or TeeError MAC_INVALID without a byte."""
        operation = self._operations.enter(Function.AE_DECRYPT_FINAL, handle)
        output = _fed(operation, data or b"", ahead_bytes, room_bytes)
        if not ahead_bytes:
            work = _work(operation)
            operation.end()
            work.check(tag or b"")
        return [output]


def _work(operation: Operation) -> AeState:
    return cast("AeState", operation.work)


def _fed(operation: Operation, data: bytes, ahead_bytes: int, room_bytes: int | None) -> bytes:
    """The output for a piece of the payload."""
    if len(data) + ahead_bytes > (room_bytes or 0):
        raise ShortBufferError(len(data) + ahead_bytes)
    output = _work(operation).update(data)
    if data:
        operation.state = State.ACTIVE
    return output
