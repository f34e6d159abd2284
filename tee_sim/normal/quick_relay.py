"""The part of a relay that passes invocations on, in C: struct and states are those of tee_sim/dev_kit/relay/relay.h.

It reads and writes the descriptors that it is given, and gives back whatever it does not know (`Quick.serve`).
"""

import ctypes
from enum import IntEnum, unique
from pathlib import Path
from typing import Final

from tee_sim.shared.limits import MAX_FRAME_BYTES

_LIBRARY: Final = "libtee_sim_relay.so"
SMALL_NUMBERS: Final = 24
"""Sessions with a number below this can be passed on: it takes one byte."""
_HEAD_ROOM: Final = 64
_MOST_BEFORE: Final = 16


@unique
class QuickState(IntEnum):
    """Why it has come back."""

    LOOK = 1
    REQUEST = 2
    ANSWER = 3
    END = 4


class _Relay(ctypes.Structure):
    _fields_ = (
        ("program_read", ctypes.c_int32),
        ("program_write", ctypes.c_int32),
        ("core_read", ctypes.c_int32),
        ("core_write", ctypes.c_int32),
        ("look_ms", ctypes.c_uint32),
        ("timeout_ms", ctypes.c_uint32),
        ("process", ctypes.c_uint32),
        ("before_size", ctypes.c_uint32),
        ("before", ctypes.c_uint8 * _MOST_BEFORE),
        ("inner", ctypes.c_uint8 * SMALL_NUMBERS),
        ("number", ctypes.c_uint64),
        ("deadline_ns", ctypes.c_int64),
        ("working", ctypes.c_uint32),
        ("in_size", ctypes.c_uint32),
        ("out_size", ctypes.c_uint32),
        ("in_", ctypes.c_uint8 * (_HEAD_ROOM + 4 + MAX_FRAME_BYTES + _HEAD_ROOM)),
        ("out", ctypes.c_uint8 * (_HEAD_ROOM + 4 + MAX_FRAME_BYTES)),
    )


class Quick:
    """Passes on what a program and a secure world say to each other, as long as that is nothing but invocations.

    Args:
        kit: the folder of the dev kit.
        program_read, program_write: descriptors of the program's pipes.
        look_ms: how long it waits for the program before it comes back.
    """

    def __init__(self, kit: Path, program_read: int, program_write: int, look_ms: int) -> None:
        library = ctypes.CDLL(str(kit / "lib" / _LIBRARY))
        self._serve = library.relay_serve
        self._serve.restype = ctypes.c_uint32
        self._serve.argtypes = (ctypes.POINTER(_Relay),)
        self._relay = _Relay(program_read=program_read, program_write=program_write, look_ms=look_ms)

    def begin(self, core: tuple[int, int], inner: bytes, before: bytes, timeout_ms: int, process: int) -> None:
        """Say what may be passed on.

        Args:
            core: descriptors of the secure world's pipes, reading first.
            inner: its number of each session below SMALL_NUMBERS; 0 for none.
            before: what stands before the number in the frame before a request.
            timeout_ms: the deadline that this means.
            process: whose requests they are.
        """
        relay = self._relay
        relay.core_read, relay.core_write = core
        relay.timeout_ms, relay.process, relay.before_size = timeout_ms, process, len(before)
        relay.before[: len(before)] = before
        relay.inner[:] = inner

    def serve(self) -> QuickState:
        """Pass on, until something else comes."""
        return QuickState(self._serve(ctypes.byref(self._relay)))

    @property
    def number(self) -> int:
        """Of the request that is in the works, if one is."""
        return int(self._relay.number)

    @property
    def working(self) -> bool:
        """Whether a request was passed on and not answered."""
        return bool(self._relay.working)

    @property
    def deadline_s(self) -> float:
        """For its answer, on the monotonic clock."""
        return float(self._relay.deadline_ns) / 1e9

    def taken_request(self) -> bytes:
        """What was read of the program and not passed on."""
        return bytes(memoryview(self._relay.in_)[: self._relay.in_size])

    def taken_answer(self) -> bytes:
        """What was read of the secure world; the request is the caller's from here on."""
        self._relay.working = 0
        return bytes(memoryview(self._relay.out)[_HEAD_ROOM : _HEAD_ROOM + self._relay.out_size])
