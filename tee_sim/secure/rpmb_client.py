"""The secure world's side: every answer needs its MAC, its nonce or its counter, or it is not an answer.

Does not promise: that the device answers at all, or that its refusal is its own: whoever carries the frames can
withhold them and forge a refusal. Nor that the key stays secret while it is programmed: the protocol sends it in clear.
"""

import hmac
from collections.abc import Sequence

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import Rng
from tee_sim.shared.rpmb_frames import (
    BLOCK_BYTES,
    COUNTER_EXPIRED,
    NONCE_BYTES,
    Frame,
    Request,
    RpmbResult,
    RpmbTransport,
    message_mac,
    parse_frames,
    with_mac,
)

_RESULT_MASK = 0x3F
"""Only these bits are a result code (as OP-TEE masks them)."""

_RESULT_REQUEST = Frame(type=Request.READ_RESULT).to_bytes()

_FAILURES = {
    RpmbResult.NO_KEY: TeeError(TeeResult.ITEM_NOT_FOUND, "rpmb key is not programmed"),
    RpmbResult.COUNTER_FAILURE: TeeError(TeeResult.SECURITY, "rpmb counter moved without us"),
    RpmbResult.AUTHENTICATION_FAILURE: TeeError(TeeResult.SECURITY, "rpmb has another key"),
    RpmbResult.ADDRESS_FAILURE: TeeError(TeeResult.STORAGE_NO_SPACE, "rpmb is too small"),
}


def _check_result(result: int) -> None:
    code = result & _RESULT_MASK
    if code == RpmbResult.OK:
        return
    known = _FAILURES.get(RpmbResult(code)) if code in RpmbResult.__members__.values() else None
    if known is not None:
        raise TeeError(known.result, known.message)
    raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, f"rpmb refused with result {result:#04x}")


class RpmbClient:
    """Reads and writes blocks of a device through a transport that may lie.

    Raises, from every method, TeeError: SECURITY for an answer that is not authentic, not ours or not fresh;
    ITEM_NOT_FOUND without a key; COMMUNICATION for a malformed answer; STORAGE_NO_SPACE past the end;
    STORAGE_NOT_AVAILABLE for what the device refuses. An unauthenticated refusal can be forged: it costs service only.
    """

    def __init__(self, transport: RpmbTransport, key: bytes, rng: Rng) -> None:
        self._transport = transport
        self._key = key
        self._rng = rng
        self._counter: int | None = None
        self._asked: list[tuple[int, int]] = []
        """Counter and address of the writes that were not confirmed yet."""

    def program_key(self) -> None:
        """Program the key, once in a device's life. The key crosses the transport in clear: a factory step."""
        request = Frame(type=Request.PROGRAM_KEY, mac=self._key, block_count=1).to_bytes()
        (reply,) = parse_frames(self._transport.transfer(request + _RESULT_REQUEST, 1), max_frames=1)
        if reply.type != Request.PROGRAM_KEY << 8:
            raise TeeError(TeeResult.COMMUNICATION, "rpmb answered another question")
        _check_result(reply.result)
        self._counter = None

    def read_counter(self) -> int:
        """Return the write counter, fresh."""
        nonce = self._rng.bytes(NONCE_BYTES)
        request = Frame(type=Request.READ_COUNTER, nonce=nonce, block_count=1).to_bytes()
        (reply,) = self._authentic(request, 1, nonce)
        self._counter = reply.counter
        return reply.counter

    def counter(self) -> int:
        """Return the write counter as it was after the last write, or fresh."""
        return self._counter if self._counter is not None else self.read_counter()

    def read(self, address: int, count: int) -> list[bytes]:
        """Return `count` blocks of 256 bytes, fresh."""
        nonce = self._rng.bytes(NONCE_BYTES)
        request = Frame(type=Request.READ, nonce=nonce, address=address, block_count=count).to_bytes()
        frames = self._authentic(request, count, nonce)
        if any(f.address != address or f.block_count != count for f in frames):
            raise TeeError(TeeResult.SECURITY, "rpmb answered for other blocks")
        return [f.payload for f in frames]

    @property
    def transport(self) -> RpmbTransport:
        """What carries the requests."""
        return self._transport

    def write(self, address: int, blocks: Sequence[bytes]) -> None:
        """Write blocks of 256 bytes; the device takes all or none.

        After any exception the state of the device is unknown until the next read.
        """
        (request,) = self.writes(address, blocks)
        self.confirm(self._transport.transfer(request, 1))

    def writes(self, address: int, *each: Sequence[bytes]) -> tuple[bytes, ...]:
        """Requests of writes that are to be carried out in this order: `confirm` takes their answers."""
        # 1. The counter as the chip last proved it. It is forgotten until these writes are proved: after an exception
        #    nothing is known, and the next write asks with a fresh nonce.
        counter = self.counter()
        self._counter = None
        self._asked = [(counter + number, address) for number in range(len(each))]
        return tuple(self._request(counter + number, address, blocks) for number, blocks in enumerate(each))

    def _request(self, counter: int, address: int, blocks: Sequence[bytes]) -> bytes:
        if any(len(block) != BLOCK_BYTES for block in blocks):
            raise TeeError(TeeResult.BAD_PARAMETERS, f"rpmb blocks have {BLOCK_BYTES} bytes")
        message = b"".join(
            Frame(
                type=Request.WRITE, payload=block, counter=counter, address=address, block_count=len(blocks)
            ).to_bytes()
            for block in blocks
        )
        # 2. A MAC over all blocks and the counter (JEDEC eMMC 5.1, 6.6.22): a write that is withheld and played later
        #    fails on the counter, one that is changed on the MAC.
        return with_mac(self._key, message) + _RESULT_REQUEST

    def confirm(self, answer: bytes) -> None:
        """See that the next of the `writes` was carried out. After the last one the counter is known again."""
        counter, address = self._asked.pop(0)
        (reply,) = self._parse(answer, 1, Request.WRITE)
        # 3. The answer is authentic by now. It must be of these blocks, and counted once: an old one has another count.
        if reply.address != address:
            raise TeeError(TeeResult.SECURITY, "rpmb answered for other blocks")
        if reply.result == COUNTER_EXPIRED:
            # Authentic and without a code, but nothing was written unless the counter has just moved to its maximum.
            if reply.counter != counter + 1:
                raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, "rpmb write counter is used up")
        elif reply.counter != counter + 1:
            raise TeeError(TeeResult.SECURITY, "rpmb write was not counted")
        self._counter = reply.counter if not self._asked else None

    def _authentic(self, request: bytes, count: int, nonce: bytes) -> list[Frame]:
        kind = Frame.from_bytes(request).type
        frames = self._parse(self._transport.transfer(request, count), count, kind)
        if any(not hmac.compare_digest(f.nonce, nonce) for f in frames):
            raise TeeError(TeeResult.SECURITY, "rpmb answer is not fresh")
        return frames

    def _parse(self, raw: bytes, count: int, kind: int) -> list[Frame]:
        frames = parse_frames(raw, max_frames=count)
        if len(frames) != count or any(f.type != kind << 8 for f in frames):
            raise TeeError(TeeResult.COMMUNICATION, "rpmb answered another question")
        for frame in frames:
            _check_result(frame.result)
        if not hmac.compare_digest(message_mac(self._key, raw), frames[-1].mac):
            raise TeeError(TeeResult.SECURITY, "rpmb answer is not authentic")
        return frames
