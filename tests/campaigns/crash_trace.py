"""What was written to the files, in order, and every disk that a power cut could have left.

The order comes from strace. A disk is the prefix of the writes before the cut, where a write that no sync of its file
has covered is kept, lost, or torn: each of its 512-byte sectors arrived or did not. Truncations that were not synced
arrived or did not as well; what lies between sectors that arrived reads as zeros.
"""

import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaigns.crash_marks import MARK

FILES = ("storage.db", "storage.db-journal", "rpmb.img")
KINDS = ("kept", "lost", "torn")
SECTOR_BYTES = 512
_CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink,rename,pwritev,fallocate"
_LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+|\?)")
_PATH = re.compile(r"^\d+<([^>]*)>")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')

Disk = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Event:
    """One call: `write` data at offset, `truncate` to offset, `sync`, `unlink`, or `mark` with a name."""

    kind: str
    file: str
    offset: int = 0
    data: bytes = field(default=b"", repr=False)


def record(
    directory: Path,
    log: Path,
    program: Sequence[str] = ("-m", "tests.campaigns.crash_device"),
    *,
    children: bool = True,
) -> list[Event]:
    """Play all operations in `directory` under strace and return what happened to its files.

    Args:
        program: what Python is told to run, before the directory.
        children: whether processes that it forks write to the files too.

    Raises:
        RuntimeError: the program failed, strace cut a string short, or the replay is not what is on the disk.
    """
    tracer = [
        "strace",
        *(["-f"] if children else []),
        "-xx",
        "-y",
        "-s",
        "1048576",
        "-e",
        "signal=none",
        "-e",
        f"trace={_CALLS}",
        "-o",
        str(log),
    ]
    subprocess.run([*tracer, sys.executable, *program, str(directory)], check=True)
    events = [event for line in log.read_text().splitlines() for event in _parsed(line, str(directory))]
    for name, content in _Cut().after(events).kept().items():
        path = directory / name
        if (path.read_bytes() if path.exists() else b"") != content:
            raise RuntimeError(f"replaying the trace does not give {name}")
    return events


def _parsed(line: str, directory: str) -> Iterator[Event]:
    found = _LINE.match(line)
    if found is None:
        if "unfinished" in line or "resumed" in line:
            raise RuntimeError("two threads wrote at once: the order is not known")
        return
    call, arguments, result = found.groups()
    strings = [(bytes.fromhex(text.replace("\\x", "")), bool(cut)) for text, cut in _STRING.findall(arguments)]
    if call in {"openat", "unlink"}:
        path = strings[0][0].decode()
        if path.startswith(MARK):
            yield Event("mark", path[len(MARK) + 1 :])
        elif call == "unlink" and path.startswith(directory) and Path(path).name in FILES:
            raise RuntimeError("a file of the store was unlinked: not modeled")
        return
    target = _PATH.match(arguments)
    path = _decoded(target[1]) if target else ""
    name = Path(path).name
    if not path.startswith(directory) or name not in FILES or int(result) < 0:
        return
    match call:
        case "pwrite64":
            raw, cut = strings[0]
            if cut or len(raw) < int(result):
                raise RuntimeError("strace cut a write short")
            yield Event("write", name, int(arguments.rsplit(",", 1)[1]), raw[: int(result)])
        case "fsync" | "fdatasync":
            yield Event("sync", name)
        case "ftruncate":
            yield Event("truncate", name, int(arguments.rsplit(",", 1)[1]))
        case _:
            raise RuntimeError(f"{call} on {name}: not modeled")


def _decoded(text: str) -> str:
    return bytes.fromhex(text.replace("\\x", "")).decode() if text.startswith("\\x") else text


def _write(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _resize(content: bytearray, size: int) -> None:
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


class _Cut:
    """Durable content of each file and the calls since its last sync."""

    def __init__(self) -> None:
        self.durable = {name: bytearray() for name in FILES}
        self.pending: dict[str, list[Event]] = {name: [] for name in FILES}
        self.syncs = 0

    def after(self, events: Sequence[Event]) -> "_Cut":
        for event in events:
            self.step(event)
        return self

    def step(self, event: Event) -> None:
        if event.kind == "sync":
            self.syncs += event.file == "rpmb.img"
            for waiting in self.pending[event.file]:
                _apply(self.durable[event.file], waiting)
            self.pending[event.file] = []
        elif event.kind != "mark":
            self.pending[event.file].append(event)

    def kept(self) -> Disk:
        return self._image(_apply)

    def lost(self) -> Disk:
        return {name: bytes(content) for name, content in self.durable.items()}

    def torn(self, rng: random.Random) -> Disk:
        share = rng.choice((0.1, 0.5, 0.9))

        def tear(content: bytearray, event: Event) -> None:
            if event.kind == "truncate":
                if rng.random() < share:
                    _resize(content, event.offset)
                return
            for at in range(0, len(event.data), SECTOR_BYTES):
                if rng.random() < share:
                    _write(content, event.offset + at, event.data[at : at + SECTOR_BYTES])

        return self._image(tear)

    def _image(self, apply: Callable[[bytearray, Event], None]) -> Disk:
        image: Disk = {}
        for name in FILES:
            content = bytearray(self.durable[name])
            for event in self.pending[name]:
                apply(content, event)
            image[name] = bytes(content)
        return image


def _apply(content: bytearray, event: Event) -> None:
    if event.kind == "truncate":
        _resize(content, event.offset)
    else:
        _write(content, event.offset, event.data)


def images(events: Sequence[Event], rng: random.Random, torn: int) -> Iterator[tuple[str, int, str, Disk, int]]:
    """Every disk a cut inside an operation could leave, each once per operation.

    Args:
        torn: how many seeded ways to tear at each cut.

    Yields:
        Operation, number of the cut in it, kind of the cut, the disk, and the RPMB syncs since the operation began.
        Number 0 and the last number, kind `kept`, are the states before and after.
    """
    cut, operation, number, base = _Cut(), "", 0, 0
    seen: set[tuple[str, ...]] = set()
    for event in events:
        cut.step(event)
        if event.kind == "mark":
            word, _, name = event.file.partition(" ")
            if word == "end":
                yield operation, -1, "kept", cut.kept(), cut.syncs - base
            operation, number, base = (name if word == "begin" else ""), 0, cut.syncs
            seen = set()
        if not operation:
            continue
        choices = [("kept", cut.kept()), ("lost", cut.lost()), *(("torn", cut.torn(rng)) for _ in range(torn))]
        for kind, disk in choices:
            key = tuple(map(str, map(hash, disk.values())))
            if number == 0 or key not in seen:
                seen.add(key)
                if number or kind == "kept":
                    yield operation, number, kind, disk, cut.syncs - base
        number += 1
