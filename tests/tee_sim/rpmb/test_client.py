"""The secure world's side against a transport that lies."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.secure.rpmb_client import RpmbClient
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import SeededRng
from tee_sim.testing.in_memory import MemoryMedium

KEY = b"k" * 32
BLOCK = b"b" * 256


class Lying:
    """Passes frames on; `bend` changes the answers."""

    def __init__(self) -> None:
        self.medium = MemoryMedium()
        self.device = RpmbDevice(self.medium)
        self.bend: Callable[[bytes], bytes] = lambda reply: reply
        self.replies: list[bytes] = []

    def transfer(self, request: bytes, reply_frames: int) -> bytes:
        self.replies.append(self.device.transfer(request, reply_frames))
        return self.bend(self.replies[-1])


def pair() -> tuple[Lying, RpmbClient]:
    host = Lying()
    client = RpmbClient(host, KEY, SeededRng(b"rpmb"))
    client.program_key()
    client.write(0, [BLOCK])
    return host, client


def test_writes_and_reads() -> None:
    _, client = pair()
    client.write(3, [b"1" * 256, b"2" * 256])
    assert client.read(2, 3) == [bytes(256), b"1" * 256, b"2" * 256]
    assert client.read_counter() == 2


def refused(call: Callable[[], object]) -> TeeResult:
    with pytest.raises(TeeError) as caught:
        call()
    return caught.value.result


def test_old_answers_are_not_fresh() -> None:
    host, client = pair()
    client.read(0, 1)
    old_read = host.replies[-1]
    client.read_counter()
    old_counter = host.replies[-1]
    host.bend = lambda _: old_read
    assert refused(lambda: client.read(0, 1)) == TeeResult.SECURITY
    host.bend = lambda _: old_counter
    assert refused(client.read_counter) == TeeResult.SECURITY


def test_a_write_that_did_not_happen_cannot_be_claimed() -> None:
    host, client = pair()
    old_reply = host.replies[-1]
    host.bend = lambda _: old_reply
    assert refused(lambda: client.write(0, [BLOCK])) == TeeResult.SECURITY
    host.bend = lambda reply: reply
    client.write(0, [BLOCK])
    assert host.medium.counter == 3


@given(st.integers(0, 511), st.integers(0, 7))
def test_no_flipped_bit_of_an_answer_is_believed(offset: int, bit: int) -> None:
    host, client = pair()
    host.bend = lambda reply: reply[:offset] + bytes((reply[offset] ^ 1 << bit,)) + reply[offset + 1 :]
    if offset < 196:
        assert client.read(0, 1) == [BLOCK]
    else:
        assert refused(lambda: client.read(0, 1)) in {
            TeeResult.SECURITY, TeeResult.COMMUNICATION, TeeResult.STORAGE_NOT_AVAILABLE, TeeResult.ITEM_NOT_FOUND,
            TeeResult.STORAGE_NO_SPACE,
        }  # fmt: skip


@pytest.mark.parametrize("size", [0, 1, 511, 513, 1024])
def test_wrong_lengths_are_a_communication_error(size: int) -> None:
    host, client = pair()
    host.bend = lambda _: bytes(size)
    assert refused(lambda: client.read(0, 1)) == TeeResult.COMMUNICATION


def test_another_key_is_noticed() -> None:
    host, _ = pair()
    other = RpmbClient(host, b"x" * 32, SeededRng(b"other"))
    assert refused(lambda: other.read(0, 1)) == TeeResult.SECURITY
    assert refused(other.program_key) == TeeResult.STORAGE_NOT_AVAILABLE


def test_used_up_counter_and_full_device_are_told_apart() -> None:
    host, client = pair()
    assert refused(lambda: client.write(512, [BLOCK])) == TeeResult.STORAGE_NO_SPACE
    host.medium.counter = 0xFFFFFFFE
    client.read_counter()
    client.write(0, [b"x" * 256])
    with pytest.raises(TeeError, match="rpmb write counter is used up"):
        client.write(0, [BLOCK])
    assert client.read(0, 1) == [b"x" * 256]


def test_without_a_key() -> None:
    client = RpmbClient(Lying(), KEY, SeededRng(b""))
    with pytest.raises(TeeError, match="rpmb key is not programmed"):
        client.read(0, 1)
