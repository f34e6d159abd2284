"""The secure world's side of the supplicant: disk and RPMB through one pipe, every answer hostile.

Nothing here proves an answer right; it only makes sure that an answer is of the right type and size. Any result the
supplicant reports is mapped to one of the few a disk may have, so it cannot inject an arbitrary return code.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from tee_sim.shared.blobs import MAX_NAME_BYTES, Around, Changes, Committed
from tee_sim.shared.errors import UNWRITABLE, Origin, TeeError, TeeResult
from tee_sim.shared.rpmb_frames import FRAME_BYTES, RpmbTransport
from tee_sim.shared.storage_requests import (
    MAX_PAYLOAD_BYTES,
    MAX_READ_NAMES,
    MAX_SCAN_NAMES,
    Operation,
    parse_blobs,
    parse_committed,
    parse_empty,
    parse_names,
    parse_rpmb_reply,
)

_DISK_RESULTS = UNWRITABLE - {TeeResult.STORAGE_COUNTER_SPENT} | {TeeResult.BUSY, TeeResult.CORRUPT_OBJECT}
_PAIR_OVERHEAD_BYTES = 16
"""CBOR heads."""
MAX_READ_BACK_NAMES = 40
_COMMIT_ROOM_BYTES = MAX_PAYLOAD_BYTES - MAX_READ_BACK_NAMES * (MAX_NAME_BYTES + 3) - 4 * FRAME_BYTES - 64
"""For puts and deletes: the names that are read back, and the writes of the RPMB, stand in the same message."""


class SupplicantPort(Protocol):
    """One question to the normal world, one answer."""

    def call(self, operation: int, request: list[object]) -> object:
        """Raises TeeError with whatever result the supplicant chose."""
        ...


def _ask(port: SupplicantPort, operation: Operation, request: list[object]) -> object:
    try:
        return port.call(operation, request)
    except TeeError as error:
        result = error.result if error.result in _DISK_RESULTS else TeeResult.STORAGE_NOT_AVAILABLE
        raise TeeError(result, f"supplicant: {operation.name.lower()} failed", origin=Origin.TEE) from error


class RemoteBlobStore:
    """`BlobStore` over the supplicant.

    Raises TeeError from every method: STORAGE_NO_SPACE, STORAGE_NOT_AVAILABLE, STORAGE_READ_ONLY, BUSY, CORRUPT_OBJECT
    as reported; BAD_FORMAT for an answer that does not parse; OUT_OF_MEMORY for one blob larger than a frame.
    """

    def __init__(self, port: SupplicantPort) -> None:
        self._port = port

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        found: list[bytes | None] = []
        while len(found) < len(names):
            asked: list[object] = [*names[len(found) : len(found) + MAX_READ_NAMES]]
            found += parse_blobs(_ask(self._port, Operation.READ, asked), most=len(asked))
        return found

    def scan(self, after: bytes, limit: int) -> list[bytes]:
        limit = min(limit, MAX_SCAN_NAMES)
        names = parse_names(_ask(self._port, Operation.SCAN, [after, limit]), most=limit)
        if any(a >= b for a, b in zip([after, *names], names, strict=False)):
            raise TeeError(TeeResult.BAD_FORMAT, "storage message: names are out of order")
        return names

    def commit(self, changes: Changes) -> None:
        self.commit_around(None, changes, (), ())

    def commit_around(
        self, _rpmb: RpmbTransport | None, changes: Changes, names: Sequence[bytes], around: Around
    ) -> Committed:
        """As `CommitsAround.commit_around`: the supplicant has the RPMB too, and no other is asked."""
        *staged, last = _frames_of(changes)
        for part in staged:
            parse_empty(_ask(self._port, Operation.STAGE, [*part]))
        asked = list(names[:MAX_READ_BACK_NAMES])
        request: list[object] = [last, list(changes.deletes), changes.reserved, asked, [*around]]
        answer = _ask(self._port, Operation.COMMIT, request)
        answers, found = parse_committed(answer, most=len(asked), around=bool(around))
        went_on = len(answers) == len(around)
        return Committed(answers, [*found, *self.read(names[len(found) :])] if went_on else found)


def _frames_of(changes: Changes) -> Iterator[list[list[bytes]]]:
    """Cut the puts so that each part fits in a message, the last one together with the deletes."""
    part: list[list[bytes]] = []
    reserved = sum(len(name) + _PAIR_OVERHEAD_BYTES for name in changes.deletes)
    if reserved > _COMMIT_ROOM_BYTES:
        raise TeeError(TeeResult.OUT_OF_MEMORY, "too many deletes in one transaction")
    size = reserved
    for name, blob in changes.puts.items():
        cost = len(name) + len(blob) + _PAIR_OVERHEAD_BYTES
        if cost > _COMMIT_ROOM_BYTES:
            raise TeeError(TeeResult.OUT_OF_MEMORY, "blob is larger than a message")
        if size + cost > _COMMIT_ROOM_BYTES:
            yield part
            part, size = [], reserved
        part.append([name, blob])
        size += cost
    yield part


class RemoteRpmb:
    """`RpmbTransport` over the supplicant. Raises as `RemoteBlobStore`."""

    def __init__(self, port: SupplicantPort) -> None:
        self._port = port

    def transfer(self, request: bytes, reply_frames: int) -> bytes:
        reply = parse_rpmb_reply(_ask(self._port, Operation.RPMB, [request, reply_frames]))
        if len(reply) != reply_frames * FRAME_BYTES:
            raise TeeError(TeeResult.COMMUNICATION, "rpmb answer has the wrong length")
        return reply
