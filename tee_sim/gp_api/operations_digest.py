"""Message digests: TEE Internal Core API 1.3.1, section 6.3.

An extendable output ends where the caller's room does; any other hash is whole or SHORT_BUFFER. TEE_DigestExtract
hands out what is left of either, piece by piece. `ahead` as in `operations_cipher`.
"""

from typing import Final, Self, cast

from cryptography.hazmat.primitives import hashes

from tee_sim.gp_api.digests import hash_of
from tee_sim.gp_api.operation import Operation, State
from tee_sim.gp_api.operations import Operations
from tee_sim.gp_api.words import ShortBufferError, breach_unless
from tee_sim.shared.gp_functions import Function

MAX_ROOM_BYTES: Final = 512 << 10
"""Of one answer; the runtime asks for a quarter of a MiB at most."""


class Hashing:
    """One hash being computed.

    Args:
        name: of a function whose output has one length.
    """

    def __init__(self, name: str) -> None:
        self._context = hashes.Hash(hash_of(name))
        self._left: bytes | None = None

    def update(self, chunk: bytes) -> None:
        """More of the message."""
        self._context.update(chunk)

    def extract(self, size_bytes: int) -> bytes:
        """The next bytes of the hash: no more than are left."""
        if self._left is None:
            self._left = self._context.finalize()
        part, self._left = self._left[:size_bytes], self._left[size_bytes:]
        return part

    def left(self) -> int:
        """How many bytes there are to extract."""
        return self._context.algorithm.digest_size if self._left is None else len(self._left)

    def copy(self) -> Self:
        """The same, from here on its own."""
        made = object.__new__(type(self))
        made._context = self._context.copy() if self._left is None else self._context
        made._left = self._left
        return made


class Squeezing:
    """One extendable output being computed."""

    def __init__(self, name: str) -> None:
        self._context = hashes.XOFHash(cast("hashes.ExtendableOutputFunction", hash_of(name)))

    def update(self, chunk: bytes) -> None:
        """More of the message."""
        self._context.update(chunk)

    def extract(self, size_bytes: int) -> bytes:
        """The next bytes of the output."""
        return self._context.squeeze(size_bytes) if size_bytes else b""

    def left(self) -> int:
        """An output that ends nowhere needs no room."""
        return 0

    def copy(self) -> Self:
        """The same, from here on its own."""
        made = object.__new__(type(self))
        made._context = self._context.copy()
        return made


class DigestCalls:
    """The three functions; `operations` keeps what they work on."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def update(self, handle: int, chunk: bytes | None) -> list[object]:
        """6.3.1."""
        operation = self._operations.enter(Function.DIGEST_UPDATE, handle)
        work = _begun(operation)
        work.update(chunk or b"")
        operation.start(State.ACTIVE, work)
        return []

    def do_final(self, handle: int, chunk: bytes | None, ahead_bytes: int, room_bytes: int | None) -> list[object]:
        """6.3.2: the hash, or the rest of it; the operation is initial again. Raises ShortBufferError."""
        operation = self._operations.enter(Function.DIGEST_DO_FINAL, handle)
        work = _begun(operation)
        more = chunk or ahead_bytes
        breach_unless(not more or operation.state is not State.EXTRACTING, "more of a message that is extracted")
        left, room = work.left(), _bounded(room_bytes)
        if left > room:
            raise ShortBufferError(left)
        if chunk:
            work.update(chunk)
        if ahead_bytes:
            operation.start(State.ACTIVE, work)
            return [b""]
        output = work.extract(room)
        operation.end()
        return [output]

    def extract(self, handle: int, room_bytes: int | None) -> list[object]:
        """6.3.3: as much as there is room for."""
        operation = self._operations.enter(Function.DIGEST_EXTRACT, handle)
        work = _begun(operation)
        operation.start(State.EXTRACTING, work)
        return [work.extract(_bounded(room_bytes))]


def _bounded(room_bytes: int | None) -> int:
    """The room of one question. A larger one is of several: an output that ends nowhere would fill any memory."""
    breach_unless((room_bytes or 0) <= MAX_ROOM_BYTES, "a room that is larger than an answer")
    return room_bytes or 0


def _begun(operation: Operation) -> Hashing | Squeezing:
    """What it computes, or the beginning."""
    if operation.work is not None:
        return cast("Hashing | Squeezing", operation.work)
    algorithm = operation.algorithm
    return Hashing(algorithm.digest) if algorithm.digest_bytes else Squeezing(algorithm.digest)
