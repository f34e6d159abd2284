"""Operations counted instead of timed: what load does not move.

Two ways, both of the normal world's process, which alone has the disk and the caller's pipe:
* from inside, SQL statements by SQLite's trace callback, and frames of the pipe by the device's own `tap`;
* from outside by strace, syncs and the bytes that are written to files. Its main thread is followed, so a process that
  starts another one has these "not counted"; so has a host without strace.

None is "not counted"; it is not 0.
"""

import json
import os
import re
import runpy
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

from bioguard.device import DeviceOptions

from .groups import cold_lines
from .places import Places

Counts = dict[str, int | None]
SYNCS = ("fsync", "fdatasync", "sync_file_range", "syncfs", "sync", "msync")
WRITES = ("write", "writev", "pwrite64", "pwritev", "pwritev2")
FROM_OUTSIDE = ("syncs", "file_writes", "file_bytes")
_CALL = re.compile(r"(\w+)\((?:\d+<([^>]*)>)?.*\)\s+= (\d+)")
_MARK = "/dev/null"


class Tally:
    """What this process does from here on, counted from inside."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._open = False
        self._connect, self._start = sqlite3.connect, threading.Thread.start
        sqlite3.connect = self._connected  # type: ignore[assignment]
        threading.Thread.start = self._started  # type: ignore[assignment,method-assign]

    def _connected(self, *args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = self._connect(*args, **options)
        connection.set_trace_callback(self._statement)
        return connection

    def _started(self, thread: threading.Thread) -> None:
        self.counts["threads"] += 1
        self._start(thread)

    def _statement(self, text: str) -> None:
        word = text.lstrip().split(None, 1)[0].upper().rstrip(";")
        self.counts["sql_statements"] += 1
        if word == "BEGIN":
            self._open = True
        elif word in {"COMMIT", "END", "ROLLBACK"}:
            self._open = False
            self.counts["sql_transactions"] += word != "ROLLBACK"
        elif word in {"INSERT", "UPDATE", "DELETE", "REPLACE"} and not self._open:
            self.counts["sql_transactions"] += 1

    def frame(self, _direction: str, frame: bytes) -> None:
        """`DeviceOptions.tap`."""
        self.counts["pipe_messages"] += 1
        self.counts["pipe_bytes"] += len(frame)

    def row(self) -> dict[str, int]:
        """What was counted."""
        names = ("sql_statements", "sql_transactions", "pipe_messages", "pipe_bytes", "threads")
        return {name: self.counts[name] for name in names}


def ask(directory: Path, face: Path) -> None:
    """Print the counts of one warm 1:1 and of one enrollment. What is written to /dev/null marks them in a trace."""
    from bioguard.device import Device  # noqa: PLC0415
    from bioguard.device.consent import grant_all  # noqa: PLC0415
    from bioguard.formats import load  # noqa: PLC0415
    from bioguard.simulate.people import face_views  # noqa: PLC0415

    tally = Tally()
    rows: dict[str, dict[str, int]] = {}
    sample = load(face).features[0]
    null = os.open(_MARK, os.O_WRONLY)
    with Device.open(directory, DeviceOptions(release_grid_ms=0, tap=tally.frame)) as device:

        def enroll(name: str, person: int) -> None:
            device.enroll(name, face_views(1, person=person, count=3))

        names = [f"c{os.urandom(8).hex()}" for _ in range(2)]
        for name in names:
            device.add_user(name)
            grant_all(device, name, of_age=True)
        enroll(names[0], 900)
        for _ in range(3):
            device.authenticate("u0", sample)
        calls: dict[str, Callable[[], object]] = {
            "1:1 face": partial(device.authenticate, "u0", sample),
            "enroll": partial(enroll, names[1], 901),
        }
        for operation, call in calls.items():
            tally.counts.clear()
            os.write(null, b"begin")
            call()
            os.write(null, b"end")
            rows[operation] = tally.row()
    print(json.dumps(rows))


def command(file: Path, arguments: list[str]) -> None:
    """Run `bioguard` with these arguments in this process; the counts go to the file at its end."""
    tally = Tally()
    made = cast("Callable[..., None]", DeviceOptions.__init__)

    def tapped(self: DeviceOptions, **options: Any) -> None:
        made(self, **{"tap": tally.frame, **{k: v for k, v in options.items() if v is not None}})

    DeviceOptions.__init__ = tapped  # type: ignore[method-assign]
    sys.argv = ["bioguard", *arguments]
    try:
        runpy.run_module("bioguard.cli", run_name="__main__", alter_sys=True)
    finally:
        file.write_text(json.dumps(tally.row()), encoding="ascii")


def _traced(line: list[str], log: Path) -> str:
    """Run it, under strace where there is one; return what it printed."""
    strace = shutil.which("strace")
    calls = ",".join((*SYNCS, *WRITES))
    tracing = [strace, "-qq", "-y", "-s", "0", "-e", f"trace={calls}", "-e", "signal=none", "-o", str(log)]
    done = subprocess.run(
        [*(part for part in tracing if strace and part), *line] if strace else line,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(line[-3:])}: {done.stderr[-300:]}")
    return done.stdout


def _calls(log: Path) -> Iterator[tuple[str, str, int]]:
    """Name, file and result of each call that a trace shows."""
    for found in map(_CALL.match, log.read_text("utf-8", "replace").splitlines()):
        if found:
            yield found[1], found[2] or "", int(found[3])


def _is_file(path: str) -> bool:
    return path.startswith("/") and not path.startswith(("/dev/", "/proc/"))


def _outside(calls: list[tuple[str, str, int]]) -> Counts:
    written = [result for name, path, result in calls if name in WRITES and _is_file(path)]
    syncs = sum(name in SYNCS for name, *_ in calls)
    return {"syncs": syncs, "file_writes": len(written), "file_bytes": sum(written)}


def _joined(inside: dict[str, int], calls: list[tuple[str, str, int]]) -> Counts:
    threads = inside.pop("threads")
    nothing: Counts = dict.fromkeys(FROM_OUTSIDE)
    return {**inside, **(_outside(calls) if calls and not threads else nothing)}


def modules(arguments: list[str]) -> int:
    """How many modules the parent of one command imports, by Python's own list."""
    line = [sys.executable, "-P", "-X", "importtime", "-m", "bioguard.cli", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return sum(row.startswith("import time:") for row in done.stderr.splitlines()) - 1  # its head


def counts(places: Places) -> dict[str, Counts]:
    """Counts of one warm 1:1, one enrollment (the call alone) and one cold `bioguard authenticate`; modules of each
    command."""
    found: dict[str, Counts] = {}
    me = [sys.executable, "-P", "-m", __package__]
    with tempfile.TemporaryDirectory(prefix="bioguard-counts-") as folder:
        log, said = Path(folder, "trace"), Path(folder, "counts.json")
        log.touch()
        rows = json.loads(_traced([*me, "ask", str(places.device), str(places.face)], log))
        marked: list[list[tuple[str, str, int]]] = [[]]
        for call in _calls(log):
            if call[1].startswith(_MARK):
                marked.append([])
            else:
                marked[-1].append(call)
        for number, (operation, inside) in enumerate(rows.items()):
            found[operation] = _joined(inside, marked[2 * number + 1] if len(marked) > 1 else [])
        lines = cold_lines(places)
        name, arguments = next(iter(lines.items()))
        for _ in range(2):  # what the first one leaves for the others is there, as when they are timed
            log.write_text("")
            _traced([*me, "cli", str(said), *arguments], log)
        found[name] = _joined(json.loads(said.read_text("ascii")), list(_calls(log)))
    for name, arguments in lines.items():
        found.setdefault(name, {})["modules"] = modules(arguments)
    return found
