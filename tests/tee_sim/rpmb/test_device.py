"""The device against a host written here from the frame table, so that our client does not vouch for it."""

import hashlib
import hmac
import struct
from pathlib import Path

import pytest

from tee_sim.normal.rpmb_chip.chip import DeviceConfig, RpmbDevice
from tee_sim.normal.rpmb_chip.file_medium import FileMedium, OsFile
from tee_sim.testing.in_memory import MemoryMedium

KEY = bytes(range(32))
MAX = 0xFFFFFFFF


def frame(kind: int, *, mac: bytes = bytes(32), data: bytes = bytes(256), nonce: bytes = bytes(16), counter: int = 0,
          address: int = 0, count: int = 0, result: int = 0) -> bytes:  # fmt: skip
    return bytes(196) + mac + data + nonce + struct.pack(">IHHHH", counter, address, count, result, kind)


def maced(*frames: bytes, key: bytes = KEY) -> bytes:
    tag = hmac.new(key, b"".join(f[228:512] for f in frames), hashlib.sha256).digest()
    last = frames[-1]
    return b"".join(frames[:-1]) + last[:196] + tag + last[228:]


RESULT = frame(5)


def fields(raw: bytes) -> tuple[int, int, int]:
    """Counter, result and type of the last frame."""
    counter, _, _, result, kind = struct.unpack(">IHHHH", raw[-12:])
    return counter, result, kind


def write(device: RpmbDevice, *, blocks: int = 1, counter: int = 0, address: int = 0, key: bytes = KEY,
          data: bytes = b"\xaa" * 256, count: int | None = None) -> bytes:  # fmt: skip
    frames = [
        frame(3, data=data, counter=counter, address=address, count=blocks if count is None else count)
        for _ in range(blocks)
    ]
    return device.transfer(maced(*frames, key=key) + RESULT, 1)


def programmed(medium: MemoryMedium | None = None, config: DeviceConfig | None = None) -> RpmbDevice:
    device = RpmbDevice(medium or MemoryMedium(), config)
    assert fields(device.transfer(frame(1, mac=KEY, count=1) + RESULT, 1)) == (0, 0, 0x0100)
    return device


def counter_of(device: RpmbDevice) -> int:
    raw = device.transfer(frame(2, nonce=b"n" * 16, count=1), 1)
    assert raw[484:500] == b"n" * 16
    assert raw == maced(raw)
    return fields(raw)[0]


def test_key_is_programmed_once_and_never_shown() -> None:
    device = programmed()
    assert fields(device.transfer(frame(1, mac=b"x" * 32, count=1) + RESULT, 1)) == (0, 5, 0x0100)
    assert fields(write(device))[1] == 0
    replies = [device.transfer(frame(kind, nonce=b"n" * 16, count=1), 1) for kind in (2, 4)]
    assert all(KEY not in reply for reply in replies)


@pytest.mark.parametrize("kind", [2, 3, 4])
def test_nothing_works_without_a_key(kind: int) -> None:
    device = RpmbDevice(MemoryMedium())
    reply = write(device) if kind == 3 else device.transfer(frame(kind, count=1), 1)
    assert fields(reply)[1:] == (7, kind << 8)


def test_counter_goes_up_by_one_per_request_not_per_block() -> None:
    device = programmed()
    assert fields(write(device, blocks=5)) == (1, 0, 0x0300)
    assert fields(write(device, blocks=1, counter=1)) == (2, 0, 0x0300)
    assert counter_of(device) == 2


def test_replayed_write_is_refused() -> None:
    device = programmed()
    message = maced(frame(3, data=b"1" * 256, count=1)) + RESULT
    assert fields(device.transfer(message, 1))[1] == 0
    write(device, counter=1, data=b"2" * 256)
    assert fields(device.transfer(message, 1)) == (2, 3, 0x0300)
    read = device.transfer(frame(4, count=1), 1)
    assert read[228:484] == b"2" * 256


CHECKS = [
    # everything wrong from this check on: the first one decides
    ("block count before expired", {"count": 2, "address": 600, "key": b"k" * 32, "counter": 9}, 1),
    ("too many blocks", {"blocks": 33, "address": 600, "key": b"k" * 32, "counter": 9}, 1),
    ("zero blocks", {"count": 0}, 1),
    ("address before mac", {"address": 512, "key": b"k" * 32, "counter": 9}, 4),
    ("address of the last block", {"address": 511, "blocks": 2, "key": b"k" * 32}, 4),
    ("mac before counter", {"key": b"k" * 32, "counter": 9}, 2),
    ("counter too high", {"counter": 1}, 3),
    ("fine", {}, 0),
    ("fine at the very end", {"address": 511}, 0),
]


@pytest.mark.parametrize(("name", "arguments", "result"), CHECKS, ids=[c[0] for c in CHECKS])
def test_write_checks_in_order(name: str, arguments: dict[str, object], result: int) -> None:
    medium = MemoryMedium()
    device = programmed(medium)
    reply = write(device, **arguments)  # type: ignore[arg-type]
    assert fields(reply) == (int(result == 0), result, 0x0300)
    assert reply == maced(reply)
    assert any(any(block) for block in medium.blocks) is (result == 0)


@pytest.mark.parametrize(
    ("config", "result"), [(DeviceConfig(), 0x80), (DeviceConfig(expired_is_write_failure=True), 0x85)]
)
def test_expired_counter(config: DeviceConfig, result: int) -> None:
    medium = MemoryMedium()
    device = programmed(medium, config)
    medium.counter = MAX - 1
    assert fields(write(device, counter=MAX - 1)) == (MAX, 0x80, 0x0300)
    assert fields(write(device, counter=MAX, data=b"z" * 256)) == (MAX, result, 0x0300)
    assert fields(write(device, counter=MAX, address=600)) == (MAX, result, 0x0300)
    assert fields(write(device, counter=MAX, count=0)) == (MAX, 0x81, 0x0300)
    assert medium.blocks[0] == b"\xaa" * 256
    read = device.transfer(frame(4, count=1), 1)
    assert fields(read)[1] == 0x80


def test_read_returns_nonce_and_one_mac_over_all_frames() -> None:
    device = programmed()
    write(device, address=7, data=b"\x17" * 256)
    raw = device.transfer(frame(4, nonce=b"q" * 16, address=6, count=3), 3)
    frames = [raw[i : i + 512] for i in range(0, 1536, 512)]
    assert [f[228:484] for f in frames] == [bytes(256), b"\x17" * 256, bytes(256)]
    assert {f[484:500] for f in frames} == {b"q" * 16}
    assert raw == maced(*frames)
    assert [f[196:228] for f in frames[:2]] == [bytes(32)] * 2


@pytest.mark.parametrize(("address", "count", "asked", "result"), [(511, 2, 2, 4), (0, 2, 1, 1), (0, 1, 1, 0)])
def test_read_checks(address: int, count: int, asked: int, result: int) -> None:
    raw = programmed().transfer(frame(4, address=address, count=count), asked)
    assert fields(raw)[1:] == (result, 0x0400)


@pytest.mark.parametrize(("tolerant", "result"), [(True, 0), (False, 1)])
def test_block_count_zero_is_a_driver_habit(tolerant: bool, result: int) -> None:
    device = RpmbDevice(MemoryMedium(), DeviceConfig(accept_zero_count=tolerant))
    assert fields(device.transfer(frame(1, mac=KEY, count=0) + RESULT, 1))[1] == result
    device = programmed(config=DeviceConfig(accept_zero_count=tolerant))
    assert [fields(device.transfer(frame(kind, count=0), 1))[1] for kind in (2, 4)] == [result] * 2


def test_media_errors_are_reported_and_change_nothing() -> None:
    class Failing(MemoryMedium):
        broken = False

        def read_block(self, index: int) -> bytes:
            raise OSError("worn out")

        def commit(self, **state: object) -> None:
            if self.broken:
                raise OSError("worn out")
            super().commit(**state)  # type: ignore[arg-type]

    medium = Failing()
    device = programmed(medium)
    medium.broken = True
    assert fields(write(device)) == (0, 5, 0x0300)
    assert fields(device.transfer(frame(4, count=1), 1))[1] == 6


def test_result_is_read_once_and_mixed_or_unknown_requests_fail() -> None:
    device = programmed()
    assert device.transfer(maced(frame(3, count=1)), 0) == b""
    assert fields(device.transfer(RESULT, 1)) == (1, 0, 0x0300)
    assert fields(device.transfer(RESULT, 1))[1] == 1
    assert fields(device.transfer(maced(frame(3, counter=1, count=2), frame(4, count=2)) + RESULT, 1))[1] == 1
    assert [fields(device.transfer(frame(kind), 1))[1:] for kind in (6, 7, 9)] == [(1, 0x600), (1, 0x700), (1, 0x900)]


def test_key_counter_and_blocks_survive_a_restart(tmp_path: Path) -> None:
    image = tmp_path / "rpmb.img"
    medium = FileMedium(OsFile(image))
    device = RpmbDevice(medium)
    device.transfer(frame(1, mac=KEY, count=1) + RESULT, 1)
    for i in range(5):
        assert fields(write(device, counter=i, address=i, data=bytes((i,)) * 256))[1] == 0
    medium.close()
    again = RpmbDevice(FileMedium(OsFile(image)))
    assert counter_of(again) == 5
    raw = again.transfer(frame(4, count=5), 5)
    assert [raw[i * 512 + 228] for i in range(5)] == [0, 1, 2, 3, 4]
    assert fields(write(again, counter=4))[1] == 3
