"""The closed set of storage operations between the two worlds. Used by both sides; docs/formats/storage.md section 5.

Request and reply are arrays in the frame of their message, which both sides decode strictly (tee_sim.shared.wire);
here their shape and bounds are checked. A failure travels outside them, as the GlobalPlatform result of the reply.

    1 READ    [name, ...]                      -> [blob or null, ...]  at least one, as many as fit in a frame
    2 SCAN    [after, limit]                   -> [name, ...]
    3 STAGE   [put, ...]                       -> []                   collects a transaction larger than a frame
    4 COMMIT  [[put, ...], [name, ...], reserved, [name, ...], [frames, frames]] -> [[frame, ...], [blob or null, ...]]
              puts (after the staged ones) and deletes, atomic; whether it may use the space kept for erasures; names of
              which it answers, as READ does, what the disk holds afterwards; writes of the RPMB before and after, or
              none (`tee_sim.shared.blobs.commit_around`)
    5 RPMB    [frames, reply frame count]      -> [frames]

A put is [name, blob].
"""

from enum import IntEnum, unique
from typing import NamedTuple, cast

from tee_sim.shared.blobs import MAX_NAME_BYTES, Around, Committed, is_name
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_FRAME_BYTES
from tee_sim.shared.rpmb_frames import FRAME_BYTES

MAX_PAYLOAD_BYTES = MAX_FRAME_BYTES - 64
"""Request or reply of one storage message; the rest is its tag, operation and CBOR heads."""

MAX_READ_NAMES = 1024
MAX_SCAN_NAMES = 4096
MAX_STAGED_BYTES = 256 << 20
"""One transaction: 100 000 objects of 2 KiB and their directory fit."""


@unique
class Operation(IntEnum):
    """All the secure world can ask for."""

    READ = 1
    SCAN = 2
    STAGE = 3
    COMMIT = 4
    RPMB = 5


def _refuse(what: str) -> TeeError:
    return TeeError(TeeResult.BAD_FORMAT, f"storage message: {what}")


def _array(plain: object) -> list[object]:
    if not isinstance(plain, list):
        raise _refuse("not an array")
    return plain


def _names(plain: object, most: int) -> list[bytes]:
    if not isinstance(plain, list) or len(plain) > most:
        raise _refuse("not a list of names, or too many")
    if not all(type(name) is bytes and is_name(name) for name in plain):
        raise _refuse("bad name")
    return cast("list[bytes]", plain)


def _puts(plain: object) -> dict[bytes, bytes]:
    if not isinstance(plain, list):
        raise _refuse("not a list of puts")
    for pair in plain:
        if not (isinstance(pair, list) and len(pair) == 2 and type(pair[1]) is bytes):
            raise _refuse("bad put")
    _names([pair[0] for pair in plain], len(plain))
    puts: dict[bytes, bytes] = dict(plain)
    if len(puts) != len(plain):
        raise _refuse("a name occurs twice")
    return puts


def parse_names(plain: object, *, most: int = MAX_READ_NAMES) -> list[bytes]:
    """READ request, SCAN reply."""
    return _names(plain, most)


def parse_scan(plain: object) -> tuple[bytes, int]:
    """SCAN request: after (may be empty), limit."""
    match _array(plain):
        case [bytes(after), int(limit)] if len(after) <= MAX_NAME_BYTES and limit in range(1, MAX_SCAN_NAMES + 1):
            return after, int(limit)
    raise _refuse("bad scan")


def parse_puts(plain: object) -> dict[bytes, bytes]:
    """STAGE request."""
    return _puts(plain)


class Commit(NamedTuple):
    """A COMMIT request. No name is in both `puts` and `deletes`."""

    puts: dict[bytes, bytes]
    deletes: list[bytes]
    reserved: bool
    read_back: list[bytes]
    around: Around


def parse_commit(plain: object) -> Commit:
    """COMMIT request."""
    fields = _array(plain)
    if len(fields) != 5 or type(fields[2]) is not bool:
        raise _refuse("bad commit")
    around = _array(fields[4])
    if len(around) not in (0, 2) or not all(type(frames) is bytes for frames in around):
        raise _refuse("bad rpmb writes")
    puts, deletes = _puts(fields[0]), _names(fields[1], 1 << 20)
    if len(set(deletes)) != len(deletes) or not puts.keys().isdisjoint(deletes):
        raise _refuse("a name occurs twice")
    return Commit(puts, deletes, fields[2], _names(fields[3], MAX_READ_NAMES), tuple(cast("list[bytes]", around)))


def parse_blobs(plain: object, *, most: int) -> list[bytes | None]:
    """READ reply: between one and `most` blobs, none if none was asked for."""
    blobs = _array(plain)
    if not min(1, most) <= len(blobs) <= most or not all(blob is None or type(blob) is bytes for blob in blobs):
        raise _refuse("bad blobs")
    return cast("list[bytes | None]", blobs)


def parse_committed(plain: object, *, most: int, around: bool) -> Committed:
    """COMMIT reply: the RPMB's answers, of which the second says that there was no reason to stop, and the blobs."""
    match _array(plain):
        case [list(answers), list(blobs)] if len(answers) in ((1, 2) if around else (0,)) and all(
            type(answer) is bytes and len(answer) == FRAME_BYTES for answer in answers
        ):
            stopped = around and len(answers) == 1 and not blobs
            return Committed(cast("list[bytes]", answers), [] if stopped else parse_blobs(blobs, most=most))
    raise _refuse("bad answer to a commit")


def parse_rpmb(plain: object) -> tuple[bytes, int]:
    """RPMB request: frames and how many to read."""
    match _array(plain):
        case [bytes(frames), int(count)] if type(count) is int:
            return frames, count
    raise _refuse("bad rpmb transfer")


def parse_rpmb_reply(plain: object) -> bytes:
    """RPMB reply: frames."""
    match _array(plain):
        case [bytes(frames)]:
            return frames
    raise _refuse("bad rpmb reply")


def parse_empty(plain: object) -> None:
    """STAGE reply."""
    if _array(plain):
        raise _refuse("expected an empty reply")
