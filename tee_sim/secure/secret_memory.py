"""Secret memory of the process, reserved before the lock: it holds keys and clear data while they are used.

`memfd_secret` pages are not in the kernel's own map: not even root reading /proc/<pid>/mem sees them, they are never
swapped and never in a core file. Where the kernel does not offer it, locked memory that is left out of core files and
of forked children. The report says which.

    with secret_memory.buffer(32) as key:        # writable memoryview, zeroed
        key[:] = ...
    # wiped and given back

Not promised: what Python or a library copied out of the buffer (a `bytes` made from it, OpenSSL's key schedule) is
not wiped; docs/limitations.md lists it.
"""

import contextlib
import errno
import mmap
import os
from collections.abc import Iterator
from typing import Final

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.sandbox import kernel

_ALIGNMENT: Final = 64
"""A cache line, and the widest vector register: numpy views start aligned."""
_DEFAULT_BYTES: Final = 1 << 20
_FALLBACK_ERRORS = (errno.ENOSYS, errno.EPERM, errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.EOPNOTSUPP)


class SecretMemory:
    """First-fit allocator over one secret mapping. Not for threads: the secure world has one.

    Attributes:
        kind: "memfd_secret", "mlock" (locked, out of core files) or "private" (neither was allowed).
        size_bytes: of the whole mapping.
    """

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = -(-max(size_bytes, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
        self._view, self.kind = _secret_map(self.size_bytes)
        self._free: list[tuple[int, int]] = [(0, self.size_bytes)]
        self._returned: list[tuple[int, int]] = []

    @property
    def free_bytes(self) -> int:
        """Not in use, over all gaps."""
        return sum(size for _, size in (*self._free, *self._returned))

    @contextlib.contextmanager
    def buffer(self, size_bytes: int) -> Iterator[memoryview]:
        """A zeroed writable buffer, wiped at the end of the block.

        Raises:
            TeeError: OUT_OF_MEMORY when no gap is large enough.
        """
        offset, room = self._take(size_bytes)
        view = self._view[offset : offset + size_bytes]
        try:
            yield view
        finally:
            self._wipe(offset, room)
            self._returned.append((offset, room))  # merged by the next _take: a finalizer may run inside one
            with contextlib.suppress(BufferError):  # an array over it still lives: it now sees zeros
                view.release()

    def _take(self, size_bytes: int) -> tuple[int, int]:
        if size_bytes < 1:
            raise ValueError("a buffer has at least one byte")
        need = -(-size_bytes // _ALIGNMENT) * _ALIGNMENT
        while self._returned:
            self._merge(*self._returned.pop())
        for i, (offset, size) in enumerate(self._free):
            if size >= need:
                self._free[i : i + 1] = [(offset + need, size - need)] if size > need else []
                return offset, need
        raise TeeError(TeeResult.OUT_OF_MEMORY, f"secret memory is full: {need} bytes wanted, {self.free_bytes} free")

    def _wipe(self, offset: int, size: int) -> None:
        self._view[offset : offset + size] = bytes(size)

    def _merge(self, offset: int, size: int) -> None:
        gaps = sorted([*self._free, (offset, size)])
        merged = [gaps[0]]
        for start, length in gaps[1:]:
            last, last_length = merged[-1]
            if last + last_length == start:
                merged[-1] = (last, last_length + length)
            else:
                merged.append((start, length))
        self._free = merged

    def wipe(self) -> None:
        """Zero everything, in use or not."""
        self._wipe(0, self.size_bytes)


def _secret_map(size: int) -> tuple[memoryview, str]:
    try:
        fd = kernel.call("memfd_secret", os.O_CLOEXEC)
        try:
            os.ftruncate(fd, size)
            return kernel.map_memory(size, mmap.MAP_SHARED, fd), "memfd_secret"
        finally:
            os.close(fd)  # the mapping stays; mmap.mmap would keep a descriptor of its own
    except OSError as error:
        if error.errno not in _FALLBACK_ERRORS:
            raise
    area = kernel.map_memory(size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1)
    return area, "mlock" if kernel.lock_memory(area) else "private"


_reserved: SecretMemory | None = None


def reserve(size_bytes: int = _DEFAULT_BYTES) -> SecretMemory:
    """Reserve the process's secret memory, once. The lock calls it: its filter allows no other such mapping."""
    global _reserved  # noqa: PLW0603 - one mapping a process, fixed once
    if _reserved is None:
        _reserved = SecretMemory(size_bytes)
    return _reserved


def buffer(size_bytes: int) -> contextlib.AbstractContextManager[memoryview]:
    """A buffer of the process's secret memory, as `SecretMemory.buffer`.

    It is reserved on first use where no lock did it (tests, the secure world in a process of its caller).
    """
    return reserve().buffer(size_bytes)
