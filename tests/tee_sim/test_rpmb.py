"""The replay-protected device: order of checks, counters, replay, and what known emulators get wrong."""

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tee_sim.normal.rpmb_chip.chip import DeviceConfig, RpmbDevice
from tee_sim.normal.supplicant import RpmbFile
from tee_sim.secure.rpmb_client import RpmbClient
from tee_sim.shared.errors import TeeError
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.rpmb_frames import MAX_COUNTER, Frame, Request, RpmbResult, message_mac, with_mac
from tee_sim.testing.in_memory import MemoryMedium

KEY = bytes(range(32))
DATA = bytes(range(256))


def programmed() -> tuple[RpmbDevice, MemoryMedium]:
    medium = MemoryMedium()
    device = RpmbDevice(medium)
    RpmbClient(device, KEY, SeededRng(b"r")).program_key()
    return device, medium


def write_request(counter: int, address: int = 0, blocks: int = 1, count: int | None = None) -> bytes:
    frames = [
        Frame(
            type=Request.WRITE,
            counter=counter,
            address=address,
            block_count=blocks if count is None else count,
            payload=DATA,
        )
        for _ in range(blocks)
    ]
    return with_mac(KEY, b"".join(frame.to_bytes() for frame in frames))


def outcome(device: RpmbDevice, request: bytes) -> Frame:
    device.transfer(request, 0)
    return Frame.from_bytes(device.transfer(Frame(type=Request.READ_RESULT, block_count=1).to_bytes(), 1))


def test_frame_layout_is_jedecs() -> None:
    raw = Frame(mac=b"M" * 32, payload=DATA, nonce=b"N" * 16, counter=1, address=2, block_count=3, result=4, type=5)
    octets = raw.to_bytes()
    assert octets[196:228] == b"M" * 32
    assert octets[228:484] == DATA
    assert octets[484:500] == b"N" * 16
    assert octets[500:] == bytes.fromhex("000000010002000300040005")


def test_write_checks_in_the_order_of_the_standard() -> None:
    blank = RpmbDevice(MemoryMedium())
    assert outcome(blank, write_request(0)).result == RpmbResult.NO_KEY
    device, medium = programmed()
    bad_mac = bytearray(write_request(0, address=9))
    bad_mac[200] ^= 1
    end = medium.block_count
    cases = [
        (write_request(9, address=end, count=2), RpmbResult.GENERAL_FAILURE),
        (write_request(9, address=end), RpmbResult.ADDRESS_FAILURE),
        (bytes(bad_mac), RpmbResult.AUTHENTICATION_FAILURE),
        (write_request(9), RpmbResult.COUNTER_FAILURE),
        (write_request(0), RpmbResult.OK),
    ]
    for request, expected in cases:
        assert outcome(device, request).result == expected
    assert medium.counter == 1
    medium.counter = MAX_COUNTER
    assert outcome(device, write_request(MAX_COUNTER)).result == 0x80
    emmc = RpmbDevice(medium, DeviceConfig(expired_is_write_failure=True))
    assert outcome(emmc, write_request(MAX_COUNTER)).result == 0x85


def test_the_counter_is_compared_and_goes_up_once_a_request() -> None:
    device, medium = programmed()
    request = write_request(0, blocks=4)
    assert outcome(device, request).result == RpmbResult.OK
    assert medium.counter == 1
    assert outcome(device, request).result == RpmbResult.COUNTER_FAILURE
    assert medium.counter == 1


def test_the_key_is_programmed_once_and_never_read() -> None:
    device, _ = programmed()
    again = Frame(type=Request.PROGRAM_KEY, mac=b"x" * 32, block_count=1).to_bytes()
    assert outcome(device, again).result == RpmbResult.WRITE_FAILURE
    reads = b"".join(
        device.transfer(Frame(type=kind, block_count=1).to_bytes(), 1)
        for kind in (Request.READ, Request.READ_COUNTER, 6, 7)
    )
    assert KEY not in reads


def test_reads_carry_the_nonce_and_a_mac() -> None:
    device, _ = programmed()
    outcome(device, write_request(0))
    raw = device.transfer(Frame(type=Request.READ, nonce=b"n" * 16, block_count=2).to_bytes(), 2)
    frames = [Frame.from_bytes(raw[:512]), Frame.from_bytes(raw[512:])]
    assert [f.nonce for f in frames] == [b"n" * 16] * 2
    assert frames[0].payload == DATA
    assert frames[1].mac == message_mac(KEY, raw)


def test_state_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "rpmb.img"
    device = RpmbFile(path)
    client = RpmbClient(device, KEY, SeededRng(b"r"))
    client.program_key()
    client.write(3, [DATA])
    device.close()
    again = RpmbFile(path)
    client = RpmbClient(again, KEY, SeededRng(b"s"))
    assert (client.read_counter(), client.read(3, 1)) == (1, [DATA])
    assert outcome(again, write_request(0)).result == RpmbResult.COUNTER_FAILURE
    again.close()


def lie(change: Callable[[bytes], bytes]) -> RpmbClient:
    device, _ = programmed()

    class Liar:
        def transfer(self, request: bytes, reply_frames: int) -> bytes:
            answer = device.transfer(request, reply_frames)
            return change(answer) if reply_frames else answer

    return RpmbClient(Liar(), KEY, SeededRng(b"r"))


@pytest.mark.parametrize("at", [196, 228, 484, 503, 505, 509, 511])
def test_the_client_believes_no_changed_answer(at: int) -> None:
    client = lie(lambda answer: answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1 :])
    with pytest.raises(TeeError):
        client.read_counter()
    with pytest.raises(TeeError):
        client.read(0, 1)


def test_a_withheld_write_is_noticed() -> None:
    client = lie(lambda answer: with_mac(b"w" * 32, answer))
    with pytest.raises(TeeError):
        client.write(0, [DATA])


def test_stand_alone_device_speaks_frames_on_stdin_and_stdout(tmp_path: Path) -> None:
    program = Frame(type=Request.PROGRAM_KEY, mac=KEY, block_count=1).to_bytes()
    result = Frame(type=Request.READ_RESULT, block_count=1).to_bytes()
    counter = Frame(type=Request.READ_COUNTER, nonce=b"n" * 16, block_count=1).to_bytes()
    line = [sys.executable, "-m", "tee_sim.normal.rpmb_chip", str(tmp_path / "rpmb.img")]

    def ask(*exchanges: tuple[bytes, int]) -> bytes:
        talk = b"".join(struct.pack(">HH", len(frames) // 512, replies) + frames for frames, replies in exchanges)
        return subprocess.run(line, input=talk, capture_output=True, check=True, timeout=30).stdout

    first = ask((program, 0), (result, 1), (write_request(0), 0), (result, 1))
    assert [Frame.from_bytes(first[i : i + 512]).result for i in (0, 512)] == [RpmbResult.OK, RpmbResult.OK]
    later = Frame.from_bytes(ask((counter, 1)))
    assert (later.counter, later.nonce, later.result) == (1, b"n" * 16, RpmbResult.OK)
    bad = subprocess.run(line, input=struct.pack(">HH", 1, 1) + b"x", capture_output=True, check=False, timeout=30)
    assert bad.returncode == 2
