"""The device: what it checks, in which order, and what it answers.

The counter goes up by one per request, not per block, and only if the medium took the data. Unlike some emulators this
one compares the counter, and keeps it over a restart.

A transfer is what a host driver does in one ioctl: write frames, then read frames. A write or a key is followed by a
result-read frame in the same transfer or in the next one.
"""

import hmac
from collections.abc import Callable, Sequence
from typing import Protocol

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rpmb_frames import (
    BLOCK_BYTES,
    COUNTER_EXPIRED,
    FRAME_BYTES,
    MAX_COUNTER,
    Frame,
    Request,
    RpmbResult,
    message_mac,
    parse_frames,
    with_mac,
)

SIZE_UNIT_BYTES = 128 << 10
MAX_SIZE_BYTES = 16 << 20
MAX_TRANSFER_FRAMES = 64


class Medium(Protocol):
    """State of the device that survives power loss. `commit` is atomic: all of it or nothing."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def counter(self) -> int: ...
    @property
    def block_count(self) -> int: ...

    def read_block(self, index: int) -> bytes:
        """256 bytes. Raises OSError on a media error."""
        ...

    def commit(self, *, key: bytes | None, counter: int, address: int = 0, blocks: Sequence[bytes] = ()) -> None:
        """Make the new state durable. Raises OSError, with the old state kept."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """Behavior on which real devices differ.

    accept_zero_count   block count 0 in key, counter and read requests is taken as "as many as the host reads";
                        OP-TEE and others send it
    expired_is_write_failure   an expired counter answers 0x85 (eMMC) instead of 0x80 (virtio)
    max_write_blocks    blocks of one authenticated write
    """

    accept_zero_count: bool = True
    expired_is_write_failure: bool = False
    max_write_blocks: int = 32


class RpmbDevice:
    """A replay-protected memory block behind frames. Implements `RpmbTransport`."""

    def __init__(self, medium: Medium, config: DeviceConfig | None = None) -> None:
        self._medium = medium
        self._config = config or DeviceConfig()
        self._pending = self._nothing_asked(1)
        self._answer: Callable[[int], bytes] = self._nothing_asked

    def transfer(self, request: bytes, reply_frames: int) -> bytes:
        """One host transfer.

        Raises:
            TeeError: COMMUNICATION if the request is no whole number of frames or the reply count is out of range.
        """
        frames = parse_frames(request, max_frames=MAX_TRANSFER_FRAMES)
        if not 0 <= reply_frames <= MAX_TRANSFER_FRAMES:
            raise TeeError(TeeResult.COMMUNICATION, "rpmb reply count is out of range")
        self._answer = self._nothing_asked
        first = frames[0].type
        asks_result = len(frames) > 1 and frames[-1].type == Request.READ_RESULT
        body = frames[:-1] if asks_result else frames
        if any(frame.type != first for frame in body):
            self._pending = self._plain(first, RpmbResult.GENERAL_FAILURE)
        else:
            self._dispatch(first, body, request[: len(body) * FRAME_BYTES])
        if asks_result:
            self._answer = self._result
        return self._answer(reply_frames) if reply_frames else b""

    def _dispatch(self, kind: int, frames: list[Frame], message: bytes) -> None:
        if kind == Request.PROGRAM_KEY:
            self._pending = self._plain(kind, self._program_key(frames))
        elif kind == Request.WRITE:
            self._pending = self._write(frames, message)
        elif kind == Request.READ_RESULT:
            self._answer = self._result
        elif kind == Request.READ_COUNTER:
            self._answer = lambda count: self._read_counter(frames, count)
        elif kind == Request.READ:
            self._answer = lambda count: self._read(frames, count)
        else:
            self._answer = lambda count: self._plain(kind, RpmbResult.GENERAL_FAILURE) * count

    def _flag(self, result: int) -> int:
        return result | (COUNTER_EXPIRED if self._medium.counter == MAX_COUNTER else 0)

    def _plain(self, kind: int, result: int) -> bytes:
        """An answer without a MAC: there is no key, or the request was nonsense."""
        return Frame(type=(kind << 8) & 0xFFFF, result=self._flag(result)).to_bytes()

    def _nothing_asked(self, count: int) -> bytes:
        return Frame(result=self._flag(RpmbResult.GENERAL_FAILURE)).to_bytes() * count

    def _result(self, count: int) -> bytes:
        pending, self._pending = self._pending, self._nothing_asked(1)
        return pending if count == 1 else self._nothing_asked(count)

    def _count_is_one(self, frames: list[Frame]) -> bool:
        return len(frames) == 1 and (
            frames[0].block_count == 1 or (frames[0].block_count == 0 and self._config.accept_zero_count)
        )

    def _program_key(self, frames: list[Frame]) -> int:
        if not self._count_is_one(frames):
            return RpmbResult.GENERAL_FAILURE
        if self._medium.key is not None:
            return RpmbResult.WRITE_FAILURE
        try:
            self._medium.commit(key=frames[0].mac, counter=0)
        except OSError:
            return RpmbResult.WRITE_FAILURE
        return RpmbResult.OK

    def _read_counter(self, frames: list[Frame], count: int) -> bytes:
        key = self._medium.key
        if key is None:
            return self._plain(Request.READ_COUNTER, RpmbResult.NO_KEY) * count
        if not self._count_is_one(frames) or count != 1:
            return self._plain(Request.READ_COUNTER, RpmbResult.GENERAL_FAILURE) * count
        reply = Frame(
            type=Request.READ_COUNTER << 8, nonce=frames[0].nonce,
            counter=self._medium.counter, result=self._flag(RpmbResult.OK),
        )  # fmt: skip
        return with_mac(key, reply.to_bytes())

    def _write(self, frames: list[Frame], message: bytes) -> bytes:
        medium, first = self._medium, frames[0]
        if medium.key is None:
            return self._plain(Request.WRITE, RpmbResult.NO_KEY)
        result = self._write_checks(medium.key, frames, message)
        if result == RpmbResult.OK:
            try:
                medium.commit(
                    key=medium.key,
                    counter=medium.counter + 1,
                    address=first.address,
                    blocks=[f.payload for f in frames],
                )
            except OSError:
                result = RpmbResult.WRITE_FAILURE
        reply = Frame(type=Request.WRITE << 8, counter=medium.counter, address=first.address, result=self._flag(result))
        return with_mac(medium.key, reply.to_bytes())

    def _write_checks(self, key: bytes, frames: list[Frame], message: bytes) -> int:
        """The result of an authenticated write before the medium is touched: OK, or the first check that fails.

        The order is that of JEDEC eMMC 5.1 section 6.6.22 and of the RPMB device requirements of virtio-spec, behind
        the check for a key, which there is first. A host reads the cause off the result, so another order
        would be another device: an old write of ours is a counter failure, not an authentication failure.

        Does not promise: that a refusal is authentic to the host before it checked the MAC of the answer.
        """
        first, counter = frames[0], self._medium.counter
        # 1. The count (virtio-spec): what follows reads the last frame as the one with the MAC.
        if first.block_count != len(frames) or len(frames) > self._config.max_write_blocks:
            return RpmbResult.GENERAL_FAILURE
        # 2. The counter is spent: no write at all can succeed, whatever its address and MAC.
        if counter == MAX_COUNTER:
            if self._config.expired_is_write_failure:
                return RpmbResult.WRITE_FAILURE
            return RpmbResult.OK | COUNTER_EXPIRED
        # 3. The address, before the MAC as eMMC has it: it is in clear, and the size of the device is no secret.
        if first.address + len(frames) > self._medium.block_count:
            return RpmbResult.ADDRESS_FAILURE
        # 4. The MAC, before the counter: what is forged is an authentication failure, whatever counter it carries.
        if not hmac.compare_digest(message_mac(key, message), frames[-1].mac):
            return RpmbResult.AUTHENTICATION_FAILURE
        # 5. The counter: this is what refuses a replay, whose MAC is right.
        if any(f.counter != counter for f in frames):
            return RpmbResult.COUNTER_FAILURE
        return RpmbResult.OK

    def _read(self, frames: list[Frame], count: int) -> bytes:
        key, first = self._medium.key, frames[0]
        if key is None:
            return self._plain(Request.READ, RpmbResult.NO_KEY) * count
        zero_is_fine = first.block_count == 0 and self._config.accept_zero_count
        if len(frames) != 1 or not (first.block_count == count or zero_is_fine):
            return self._plain(Request.READ, RpmbResult.GENERAL_FAILURE) * count
        result, blocks = int(RpmbResult.OK), [bytes(BLOCK_BYTES)] * count
        if first.address + count > self._medium.block_count:
            result = RpmbResult.ADDRESS_FAILURE
        else:
            try:
                blocks = [self._medium.read_block(first.address + i) for i in range(count)]
            except OSError:
                result = RpmbResult.READ_FAILURE
        reply = [
            Frame(
                type=Request.READ << 8, nonce=first.nonce, payload=block, address=first.address,
                block_count=count, result=self._flag(result),
            ).to_bytes()
            for block in blocks
        ]  # fmt: skip
        return with_mac(key, b"".join(reply))
