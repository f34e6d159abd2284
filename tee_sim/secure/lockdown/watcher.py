"""The kernel's word on refused system calls, in the debug profile only (seccomp_unotify(2)).

There the filter does not answer EPERM itself: it asks a second process, the watcher, which notes number and arguments
on a page that both share and answers EPERM. So the locked process learns what it was refused, from C code too.

The watcher is forked last thing before the filter, holds no secret, and shares the table of descriptors, because that
is how the listening descriptor gets to it: the locked process makes it by loading its filter and has no call left to
hand it over. It ends with the process that it watches. It is not locked, which is one more reason why this profile is
never better than PARTIAL.
"""

import ctypes
import errno
import fcntl
import os
import signal
import struct
import time
from typing import Final, NoReturn

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.sandbox import kernel

_CLONE_FILES: Final = 0x400
_PR_SET_PDEATHSIG: Final = 1
_MAP_SHARED_ANONYMOUS: Final = 0x21
_NOTIF_RECV, _NOTIF_SEND = 0xC0502100, 0xC0182101
_NOTIFICATION = struct.Struct("=QII iIQ6Q")
"""struct seccomp_notif: id, pid, flags; then struct seccomp_data: number, architecture, instruction, arguments."""
_RESPONSE = struct.Struct("=Qqii")
_CALL = struct.Struct("=II6Q")
_HEAD = struct.Struct("=II")
_PLACES: Final = 32
_PAGE_BYTES: Final = 4096
_NO_LISTENER: Final = 0


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """One system call that the filter refused."""

    number: int
    arguments: tuple[int, ...]


class RefusedCalls:
    """What the watcher noted, read by the process that it watches. A ring: of many at once the last ones are kept."""

    def __init__(self, page: memoryview) -> None:
        self._page = page
        self._count = page[:4].cast("I")
        self._seen = 0

    def any_new(self) -> bool:
        """Whether `take` would return something. Cheap: asked at every call of a function."""
        return self._count[0] != self._seen

    def take(self) -> list[RefusedCall]:
        """Those since the last time, oldest first."""
        count = _HEAD.unpack_from(self._page)[0]
        first = max(self._seen, count - _PLACES)
        self._seen = count
        return [self._at(number) for number in range(first, count)]

    def _at(self, number: int) -> RefusedCall:
        call, _, *arguments = _CALL.unpack_from(self._page, _HEAD.size + number % _PLACES * _CALL.size)
        return RefusedCall(call, tuple(arguments))

    def address(self) -> int:
        """Where they are noted, for code that is not Python."""
        return ctypes.addressof(ctypes.c_ubyte.from_buffer(self._page))

    def listen(self, descriptor: int) -> None:
        """Tell the watcher where to listen."""
        _HEAD.pack_into(self._page, 0, 0, descriptor)


_own: list[RefusedCalls] = []
_listening: list[RefusedCalls] = []


def refused_calls() -> RefusedCalls | None:
    """What this process was refused; None where nobody watches."""
    return _listening[0] if _listening else None


def listen(descriptor: int) -> None:
    """The filter was loaded and asks on this descriptor from now on."""
    _own[0].listen(descriptor)
    _listening[:] = _own


def start() -> None:
    """Fork the watcher of this process. Raises OSError if the kernel does not let us."""
    page = kernel.map_memory(_PAGE_BYTES, _MAP_SHARED_ANONYMOUS, -1)
    parent = os.getpid()
    # Without os.fork: descriptors are shared. PyDLL keeps the interpreter's lock, which the child then holds as well.
    clone = ctypes.PyDLL(None, use_errno=True).syscall
    clone.restype = ctypes.c_long
    words = (_CLONE_FILES | signal.SIGCHLD, 0, 0, 0, 0)
    pid = clone(ctypes.c_long(kernel.arch_number("clone")), *map(ctypes.c_long, words))
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone")
    if pid == 0:
        _watch(page, parent)
    _own[:], _listening[:] = [RefusedCalls(page)], []


def _watch(page: memoryview, parent: int) -> NoReturn:
    try:
        kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        while _HEAD.unpack_from(page)[1] == _NO_LISTENER and os.getppid() == parent:
            time.sleep(0.0005)
        listener = _HEAD.unpack_from(page)[1]
        while os.getppid() == parent:
            _answer_one(page, listener)
    finally:
        os._exit(0)


def _answer_one(page: memoryview, listener: int) -> None:
    notification = bytearray(_NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, _NOTIF_RECV, notification)
        identity, _, _, number, _, _, *arguments = _NOTIFICATION.unpack(notification)
        count = _HEAD.unpack_from(page)[0]
        _CALL.pack_into(page, _HEAD.size + count % _PLACES * _CALL.size, number & 0xFFFF_FFFF, 0, *arguments)
        _HEAD.pack_into(page, 0, (count + 1) & 0xFFFF_FFFF, listener)
        fcntl.ioctl(listener, _NOTIF_SEND, bytearray(_RESPONSE.pack(identity, 0, -errno.EPERM, 0)))
    except InterruptedError:
        return
    except OSError as error:
        if error.errno != errno.ENOENT:  # the call was given up, or its process ended
            raise
