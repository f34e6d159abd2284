"""Secret memory: where it lives, that it is wiped, that it runs out honestly."""

import os
import sys
from pathlib import Path

import pytest

from tee_sim.secure.secret_memory import SecretMemory
from tee_sim.shared.errors import TeeError, TeeResult

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memfd_secret and mlock by Linux numbers")


@pytest.fixture
def memory():
    return SecretMemory(8192)


def test_buffers_are_zeroed_aligned_writable_and_wiped(memory):
    numpy = pytest.importorskip("numpy")
    with memory.buffer(100) as buffer:
        assert len(buffer) == 100
        assert not any(buffer)
        view = numpy.frombuffer(buffer, numpy.uint8)
        assert view.ctypes.data % 64 == 0
        view[:] = 7
        assert bytes(buffer) == b"\7" * 100
    assert not view.any(), "an array that outlives the block sees zeros"
    assert memory.free_bytes == memory.size_bytes


def test_wiped_also_when_the_block_raises(memory):
    kept = []

    def fail() -> None:
        with memory.buffer(32) as buffer:
            buffer[:] = b"k" * 32
            kept.append(memoryview(buffer))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert bytes(kept[0]) == bytes(32)


def test_space_is_reused_and_merged_in_any_order(memory):
    blocks = [memory.buffer(2048) for _ in range(4)]
    views = [b.__enter__() for b in blocks]
    assert len({id(v) for v in views}) == 4
    assert memory.free_bytes == 0
    for i in (1, 3, 0, 2):
        blocks[i].__exit__(None, None, None)
    with memory.buffer(8192) as whole:
        assert len(whole) == 8192


def test_running_out_is_an_error_with_sizes(memory):
    with (
        memory.buffer(8000),
        pytest.raises(TeeError, match="secret memory is full: 256 bytes wanted, 192 free") as caught,
        memory.buffer(200),
    ):
        pass
    assert caught.value.result is TeeResult.OUT_OF_MEMORY


def test_an_empty_buffer_is_a_mistake(memory):
    with pytest.raises(ValueError, match="at least one byte"), memory.buffer(0):
        pass


def test_wipe_zeroes_what_is_held(memory):
    with memory.buffer(32) as key:
        key[:] = b"s" * 32
        memory.wipe()
        assert bytes(key) == bytes(32)


def test_secret_memory_is_closed_even_to_proc_mem(memory):
    if memory.kind != "memfd_secret":
        pytest.skip(f"this kernel gave {memory.kind} memory; reading it from outside is possible")
    import ctypes

    with memory.buffer(32) as key:
        key[:] = b"z" * 32
        address = ctypes.addressof(ctypes.c_ubyte.from_buffer(key))
        fd = os.open("/proc/self/mem", os.O_RDONLY)
        try:
            with pytest.raises(OSError, match="Input/output error"):
                os.pread(fd, 32, address)
            control = ctypes.create_string_buffer(b"visible")
            assert os.pread(fd, 7, ctypes.addressof(control)) == b"visible"
        finally:
            os.close(fd)


def test_no_descriptor_stays_behind():
    before = sorted(p.name for p in Path("/proc/self/fd").iterdir())
    SecretMemory(4096)
    assert sorted(p.name for p in Path("/proc/self/fd").iterdir()) == before
