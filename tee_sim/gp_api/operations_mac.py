"""Message authentication codes: TEE Internal Core API 1.3.1, section 6.5. `ahead` as in `operations_cipher`."""

from hmac import compare_digest
from typing import Self, cast

from cryptography.hazmat.primitives import cmac, hmac
from cryptography.hazmat.primitives.ciphers import modes

from tee_sim.gp_api.block_ciphers import BlockCipher, secret_of
from tee_sim.gp_api.digests import hash_of
from tee_sim.gp_api.operation import Operation, State
from tee_sim.gp_api.operations import Operations
from tee_sim.gp_api.words import ShortBufferError, breach_unless
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function


class CbcMac:
    """CBC-MAC (ISO/IEC 9797-1, algorithm 1): the last block of CBC from a block of zeros."""

    def __init__(self, cipher: BlockCipher, *, pads: bool) -> None:
        self._cipher, self._pads = cipher, pads
        self._chain, self._held = bytes(cipher.block_bytes), b""

    def update(self, chunk: bytes) -> None:
        """More of the message."""
        whole = self._held + chunk
        size = len(whole) - len(whole) % self._cipher.block_bytes
        self._held = whole[size:]
        if size:
            mode = modes.CBC(self._chain)
            self._chain = self._cipher.once(mode, whole[:size], encrypts=True)[-self._cipher.block_bytes :]

    def finalize(self) -> bytes:
        """The code. Raises BreachError for a message that should have been padded."""
        if self._pads:  # PKCS #5: by as many bytes as are missing, each saying how many; a whole block if none is
            missing = self._cipher.block_bytes - len(self._held)
            self.update(bytes([missing]) * missing)
        breach_unless(not self._held, "a message that is no number of whole blocks")
        return self._chain

    def copy(self) -> "CbcMac":
        """The same, from here on its own."""
        made = CbcMac(self._cipher, pads=self._pads)
        made._chain, made._held = self._chain, self._held
        return made


class MacState:
    """One message being authenticated."""

    def __init__(self, context: hmac.HMAC | cmac.CMAC | CbcMac) -> None:
        self._context = context

    @classmethod
    def of(cls, operation: Operation) -> Self:
        """From the beginning."""
        algorithm, secret = operation.algorithm, secret_of(operation.keys[0])
        if algorithm.scheme == "HMAC":
            return cls(hmac.HMAC(secret, hash_of(algorithm.digest)))
        cipher = BlockCipher(algorithm.name, secret)
        if algorithm.scheme == "CMAC":
            return cls(cmac.CMAC(cipher.algorithm))
        return cls(CbcMac(cipher, pads=algorithm.scheme == "CBC_MAC_PKCS5"))

    def update(self, chunk: bytes) -> None:
        """More of the message."""
        self._context.update(chunk)

    def finalize(self) -> bytes:
        """The code."""
        return self._context.finalize()

    def copy(self) -> Self:
        """The same, from here on its own."""
        return type(self)(self._context.copy())


class MacCalls:
    """The four functions; `operations` keeps what they work on."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def init(self, handle: int, iv: bytes | None) -> list[object]:
        """6.5.1. What was begun is given up. No algorithm here has an IV: it is not looked at."""
        del iv
        operation = self._operations.enter(Function.MAC_INIT, handle)
        operation.start(State.ACTIVE, MacState.of(operation))
        return []

    def update(self, handle: int, chunk: bytes | None) -> list[object]:
        """6.5.2."""
        _work(self._operations.enter(Function.MAC_UPDATE, handle)).update(chunk or b"")
        return []

    def compute(self, handle: int, message: bytes | None, ahead_bytes: int, room_bytes: int | None) -> list[object]:
        """6.5.3: the code, and the operation is initial again. Raises ShortBufferError."""
        operation = self._operations.enter(Function.MAC_COMPUTE_FINAL, handle)
        if operation.algorithm.digest_bytes > (room_bytes or 0):
            raise ShortBufferError(operation.algorithm.digest_bytes)
        _work(operation).update(message or b"")
        if ahead_bytes:
            return [b""]
        return [_ended(operation)]

    def compare(self, handle: int, message: bytes | None, ahead_bytes: int, given: bytes | None) -> list[object]:
        """6.5.4, in a time that does not tell where they differ. Raises TeeError MAC_INVALID; initial again anyway."""
        operation = self._operations.enter(Function.MAC_COMPARE_FINAL, handle)
        _work(operation).update(message or b"")
        if not ahead_bytes and not compare_digest(_ended(operation), given or b""):
            raise TeeError(TeeResult.MAC_INVALID, "another code")
        return []


def _work(operation: Operation) -> MacState:
    return cast("MacState", operation.work)


def _ended(operation: Operation) -> bytes:
    code = _work(operation).finalize()
    operation.end()
    return code
