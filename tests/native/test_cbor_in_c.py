"""The C that reads and writes messages, held against `tee_sim.shared.codec`; its frames against `shared.wire`."""

import ctypes
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tee_sim
from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError
from tee_sim.shared.limits import MAX_DEPTH, MAX_FRAME_BYTES
from tee_sim.shared.wire import framed

RUNTIME = Path(tee_sim.__file__).parent / "dev_kit" / "runtime"
pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


class Out(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("room", ctypes.c_size_t),
        ("failed", ctypes.c_bool),
    )


class In(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_char_p),
        ("size", ctypes.c_size_t),
        ("at", ctypes.c_size_t),
        ("failed", ctypes.c_bool),
    )


@pytest.fixture(scope="module")
def lib(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    out = tmp_path_factory.mktemp("cbor") / "cbor.so"
    sources = [str(RUNTIME / name) for name in ("cbor.c", "frame.c")]
    subprocess.run(["gcc", "-std=c11", "-O1", "-shared", "-fPIC", "-o", str(out), *sources], check=True)
    lib = ctypes.CDLL(str(out))
    lib.cbor_is_canonical.restype = ctypes.c_bool
    lib.cbor_is_canonical.argtypes = (ctypes.c_char_p, ctypes.c_size_t)
    lib.cbor_get_u64.restype, lib.cbor_get_i64.restype = ctypes.c_uint64, ctypes.c_int64
    lib.cbor_put_u64.argtypes = (ctypes.POINTER(Out), ctypes.c_uint64)
    lib.cbor_put_i64.argtypes = (ctypes.POINTER(Out), ctypes.c_int64)
    lib.cbor_put_bytes.argtypes = (ctypes.POINTER(Out), ctypes.c_char_p, ctypes.c_size_t)
    lib.frame_write.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
    lib.frame_write.restype = ctypes.c_bool
    lib.frame_read.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t))
    return lib


def decodes(data: bytes) -> bool:
    try:
        codec.decode(data)
    except TeeError:
        return False
    return True


scalars = (
    st.integers(-(1 << 64), (1 << 64) - 1) | st.binary(max_size=300) | st.text(max_size=30) | st.booleans() | st.none()
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=5), max_leaves=20)


@settings(max_examples=400, deadline=None)
@given(value=values, cut=st.integers(0, 400), flip=st.integers(0, 255))
def test_c_takes_what_python_takes(lib: ctypes.CDLL, value: object, cut: int, flip: int) -> None:
    data = codec.encode(value)
    assert lib.cbor_is_canonical(data, len(data)) == decodes(data)
    broken = bytearray(data)
    broken[cut % len(data)] ^= flip
    for other in (bytes(broken), data[: cut % (len(data) + 1)], data + b"\0"):
        if not any(byte >> 5 == 5 for byte in other):  # maps: no message that C reads holds one
            assert lib.cbor_is_canonical(other, len(other)) == decodes(other), other.hex()


@pytest.mark.parametrize("hex_text", [
    "", "18", "1817", "190017", "1900ff", "1a0000ffff", "1b00000000ffffffff", "5f", "9fff", "c000", "f7", "fb",
    "5bffffffffffffffff00", "9bffffffffffffffff", "62c080", "63eda080", "64f4908080", "61ff", "8100" + "00",
    "81" * (MAX_DEPTH + 1) + "00",
])  # fmt: skip
def test_c_refuses(lib: ctypes.CDLL, hex_text: str) -> None:
    data = bytes.fromhex(hex_text)
    assert not lib.cbor_is_canonical(data, len(data))
    assert not decodes(data)


def test_c_takes_the_deepest_that_is_allowed(lib: ctypes.CDLL) -> None:
    data = b"\x81" * MAX_DEPTH + b"\x00"
    assert lib.cbor_is_canonical(data, len(data))


@pytest.mark.parametrize("bits", range(65))
def test_numbers_are_written_and_read_as_in_python(lib: ctypes.CDLL, bits: int) -> None:
    for number in {(1 << bits) - 1, (1 << bits) & ((1 << 64) - 1)}:
        room = ctypes.create_string_buffer(16)
        out = Out(ctypes.addressof(room), 0, 16, False)
        lib.cbor_put_u64(ctypes.byref(out), number)
        assert room.raw[: out.size] == codec.encode(number)
        assert lib.cbor_get_u64(ctypes.byref(In(room.raw, out.size, 0, False))) == number
        if number < 1 << 63:
            out = Out(ctypes.addressof(room), 0, 16, False)
            lib.cbor_put_i64(ctypes.byref(out), -1 - number)
            assert room.raw[: out.size] == codec.encode(-1 - number)
            assert lib.cbor_get_i64(ctypes.byref(In(room.raw, out.size, 0, False))) == -1 - number


def test_what_does_not_fit_is_not_written(lib: ctypes.CDLL) -> None:
    room = ctypes.create_string_buffer(b"\xee" * 8)
    out = Out(ctypes.addressof(room), 0, 4, False)
    lib.cbor_put_bytes(ctypes.byref(out), b"abcd", 4)
    assert out.failed
    assert out.size <= 4
    assert room.raw[4:8] == b"\xee" * 4
    lib.cbor_put_u64(ctypes.byref(out), 1)
    assert out.size <= 4
    assert out.failed


def test_another_kind_than_was_asked_for_fails_and_stays_failed(lib: ctypes.CDLL) -> None:
    read = In(b"\x41a\x05", 3, 0, False)
    assert lib.cbor_get_u64(ctypes.byref(read)) == 0
    assert read.failed
    assert lib.cbor_get_u64(ctypes.byref(read)) == 0
    assert read.at == 0


def test_frames(lib: ctypes.CDLL) -> None:
    read_fd, write_fd = os.pipe()
    size = ctypes.c_size_t()
    body = ctypes.create_string_buffer(64)
    assert lib.frame_write(write_fd, b"\0\0\0\0hello", 5)
    assert os.read(read_fd, 64) == framed(b"hello")
    for sent, state, room in (
        (framed(b"hello"), 0, 64), (framed(b""), 0, 64), (framed(b"hello"), 2, 4),
        ((MAX_FRAME_BYTES + 1).to_bytes(4, "little"), 2, 64),
    ):  # fmt: skip
        os.write(write_fd, sent)
        assert lib.frame_read(read_fd, body, room, ctypes.byref(size)) == state
        if state == 2:
            os.set_blocking(read_fd, False)
            with suppress(BlockingIOError):
                while os.read(read_fd, 64):
                    pass
            os.set_blocking(read_fd, True)
        else:
            assert body.raw[: size.value] == sent[4:]
    os.write(write_fd, framed(b"hello")[:6])
    os.close(write_fd)
    assert lib.frame_read(read_fd, body, 64, ctypes.byref(size)) == 2
    assert lib.frame_read(read_fd, body, 64, ctypes.byref(size)) == 1
    os.close(read_fd)
    assert not lib.frame_write(read_fd, b"\0\0\0\0hello", MAX_FRAME_BYTES + 1)
