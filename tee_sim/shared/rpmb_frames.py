"""The 512-byte frame of a replay-protected memory block (JEDEC eMMC 5.1 section 6.6.22; virtio-spec, RPMB device).

    offset size field                     offset size field
         0  196 stuff (zero)                 504    2 address, in 256-byte blocks
       196   32 key or MAC                   506    2 block count
       228  256 data                         508    2 result
       484   16 nonce                        510    2 request or response type
       500    4 write counter              all integers big-endian

The MAC is HMAC-SHA-256 over bytes 228..511 of every frame of a message, one after the other, and travels in the last
frame only.
"""

import hmac
import struct
from enum import IntEnum
from typing import NamedTuple, Protocol

from tee_sim.shared.errors import TeeError, TeeResult

FRAME_BYTES = 512
BLOCK_BYTES = 256
NONCE_BYTES = 16
MAC_BYTES = 32
MAX_COUNTER = 0xFFFFFFFF
COUNTER_EXPIRED = 0x80
"""Or-ed into every result once the write counter has reached its maximum."""

_MAC_OFFSET = 196
_MACED_FROM = 228


class Request(IntEnum):
    """Request types. The response type is the request shifted left by eight bits."""

    PROGRAM_KEY = 0x0001
    READ_COUNTER = 0x0002
    WRITE = 0x0003
    READ = 0x0004
    READ_RESULT = 0x0005
    WRITE_CONFIG = 0x0006
    READ_CONFIG = 0x0007


class RpmbResult(IntEnum):
    """Operation results, without the expired bit."""

    OK = 0x00
    GENERAL_FAILURE = 0x01
    AUTHENTICATION_FAILURE = 0x02
    COUNTER_FAILURE = 0x03
    ADDRESS_FAILURE = 0x04
    WRITE_FAILURE = 0x05
    READ_FAILURE = 0x06
    NO_KEY = 0x07


_LAYOUT = struct.Struct(">196x32s256s16sIHHHH")


class Frame(NamedTuple):
    """One frame. Types and results stay integers: a device or a host may send any."""

    mac: bytes = bytes(MAC_BYTES)
    payload: bytes = bytes(BLOCK_BYTES)
    nonce: bytes = bytes(NONCE_BYTES)
    counter: int = 0
    address: int = 0
    block_count: int = 0
    result: int = 0
    type: int = 0

    def to_bytes(self) -> bytes:
        """512 bytes."""
        return _LAYOUT.pack(*self)

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Frame":
        """Parse 512 bytes; the stuff bytes are not looked at, as in real devices."""
        return cls._make(_LAYOUT.unpack(raw))


def parse_frames(raw: bytes, *, max_frames: int) -> list[Frame]:
    """Cut a message into frames.

    Raises:
        TeeError: COMMUNICATION if it is empty, not a multiple of 512 bytes or longer than `max_frames`.
    """
    count, rest = divmod(len(raw), FRAME_BYTES)
    if rest or not 1 <= count <= max_frames:
        raise TeeError(TeeResult.COMMUNICATION, "rpmb message is not a whole number of frames")
    return [Frame.from_bytes(raw[i * FRAME_BYTES : (i + 1) * FRAME_BYTES]) for i in range(count)]


def message_mac(key: bytes, message: bytes) -> bytes:
    """MAC of a whole message of frames; whatever its MAC fields hold does not count."""
    parts = [message[start + _MACED_FROM : start + FRAME_BYTES] for start in range(0, len(message), FRAME_BYTES)]
    return hmac.digest(key, b"".join(parts), "sha256")


def with_mac(key: bytes, message: bytes) -> bytes:
    """Return the message with its MAC in the last frame."""
    at = len(message) - FRAME_BYTES + _MAC_OFFSET
    return message[:at] + message_mac(key, message) + message[at + MAC_BYTES :]


class RpmbTransport(Protocol):
    """Anything that carries frames to a chip. The host side is not trusted."""

    def transfer(self, request: bytes, reply_frames: int) -> bytes:
        """Write `request`, then read `reply_frames` frames. Raises TeeError COMMUNICATION or STORAGE_NOT_AVAILABLE."""
        ...
