"""Does what the picture says: reads it, fails at it, lies about it, or breaks out of its contract."""

import ctypes
import gc
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from tee_sim.shared import codec
from tee_sim.shared.sensor_api import Reading

_LIBC = ctypes.CDLL(None)
_SAMPLED = 16
"""The tag of `tee_sim.secure.hosts.messages.Sampled`, as of its test."""


def _reply_fd() -> int:
    """The way to the core, as native code could find it."""
    pipe: Any = next(found for found in gc.get_objects() if type(found).__name__ == "BlockingPipe")
    descriptor: int = pipe._write_fd
    return descriptor


def _say(*items: object, tag: int = _SAMPLED) -> None:
    body = codec.encode([tag, *items])
    os.write(_reply_fd(), len(body).to_bytes(4, "little") + body)
    time.sleep(60)


def _twice(data: bytes) -> Reading:
    body = codec.encode([_SAMPLED, _number(data), 1, 1, b"one"])
    os.write(_reply_fd(), len(body).to_bytes(4, "little") + body)
    return Reading(1, 1, b"two")


def _raw(data: bytes) -> None:
    os.write(_reply_fd(), data)
    time.sleep(60)


def _print_in_c() -> None:
    """As a decoder does that is given a damaged picture, more than a buffer holds."""
    for _ in range(200):
        _LIBC.perror(b"damaged" * 10)
        _LIBC.puts(b"damaged" * 10)
    _LIBC.fflush(None)


def _loop() -> None:
    while True:
        pass


def _recurse() -> None:
    _recurse()


class _Lies(bytes):
    def __len__(self) -> int:
        return 0


HOSTILE: Mapping[str, Callable[[bytes], object]] = {
    "raises": lambda data: 1 // 0,
    "exits by exception": lambda data: exec("raise SystemExit(0)"),
    "recurses": lambda data: _recurse(),
    "eats memory": lambda data: [bytes(1 << 20) for _ in range(4096)],
    "nothing": lambda data: None,
    "prints in C": lambda data: _print_in_c(),
    "the picture's bytes": lambda data: Reading(1, 1, data),
    "10000 minutiae": lambda data: Reading(1, 1, bytes(10_000 * 6)),
    "NaN": lambda data: Reading(1, float("nan"), b"x"),  # type: ignore[arg-type]
    "bytes of another length": lambda data: Reading(1, 1, _Lies(5000)),
}
"""Faults of one capture: the process lives."""
DEADLY: Mapping[str, Callable[[bytes], object]] = {
    "ends": lambda data: os._exit(0),
    "opens a file": lambda data: os.open("/etc/passwd", os.O_RDONLY),
    "hangs": lambda data: _loop(),
    "says another's number": lambda data: _say(7_000_000, 1, 1, b"x"),
    "says too much": lambda data: _say(_number(data), 1, 1, bytes(65)),
    "says a code that is none": lambda data: _say(_number(data), 256, 1, b""),
    "says a fault and a sample": lambda data: _say(_number(data), 0, 0, b"x"),
    "says what a host says": lambda data: _say(0, [], [], tag=9),
    "says it in another way": lambda data: _raw(b"\x02\x00\x00\x00\x18\x01"),
    "says a frame without end": lambda data: _raw(b"\xff\xff\xff\xff"),
    "says half a frame": lambda data: _raw(b"\x10\x00"),
}
"""The process ends, or is ended."""


def _number(data: bytes) -> int:
    return int(data.partition(b"#")[2] or 0)


class Hostile:
    """Made of a table."""

    extractor = b"hostile 1"

    def __init__(self, arguments: tuple[str, ...], files: Mapping[str, bytes]) -> None:
        pass

    def read(self, data: bytes) -> Reading:
        """What the picture says."""
        name = data.partition(b"#")[0].decode()
        if name == "good":
            return Reading(1, 100, b"payload")
        answer: Any = {**HOSTILE, **DEADLY, "answers twice": _twice}[name](data)
        return answer  # type: ignore[no-any-return]
