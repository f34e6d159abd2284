"""`python -m tests.campaigns.crash_safe [--points N] [--seed S]`: power cuts under a storage application in C.

Every command of docs/examples/safe that writes is recorded once (`tests.campaigns.crash_trace`) and cut after each call
on the files of the store: what no sync has covered is kept, lost or torn. What each cut leaves is opened again, and all
of it is read through the application: every object must be there as before the command or as after it, and the next
one must be taken. The application runs in a process of its own without a lock; the core and the supplicant are the
product's. Exit 3 on any violation; 4 where strace is not there.
"""

import argparse
import os
import random
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tee_sim.normal.client import Context, Session
from tee_sim.normal.dev_kit import kit_folder
from tee_sim.normal.machine.applications import Application
from tee_sim.normal.supplicant import Supplicant
from tee_sim.secure.hosting import LocalHosting
from tee_sim.secure.hosts.process import load_entry
from tee_sim.secure.native.unlocked import UnlockedCode, UnlockedHosting
from tee_sim.shared.errors import TeeError
from tee_sim.shared.native_run import NativeRun
from tee_sim.shared.params import Param, Params
from tee_sim.shared.rng import SeededRng
from tee_sim.testing.in_process import InProcessTee
from tests.campaigns.crash_marks import marked
from tests.campaigns.crash_oracle import put, scratch
from tests.campaigns.crash_trace import KINDS, Disk, images, record
from tests.native.builds import EXAMPLES, Builds

CREATE, READ, REPLACE, WRITE, RESIZE, RENAME, DELETE, LIST = range(8)
ROOM_BYTES = 262_144
NONE = Param.none()
State = dict[bytes, bytes]
Act = Callable[[Session], object]
Cut = tuple[str, int, Disk]
"""Its kind, its number in the operation, and the disk that it leaves."""


def _text(label: str, size_bytes: int) -> bytes:
    return SeededRng(label.encode()).bytes(size_bytes)


def _two(command: int, name: bytes, data: bytes, session: Session) -> None:
    session.invoke(command, (Param.memref(name), Param.memref(data), NONE, NONE))


def _write(name: bytes, data: bytes, offset: int, session: Session) -> None:
    session.invoke(WRITE, (Param.memref(name), Param.memref(data), Param.value(offset, 0), NONE))


def _resize(name: bytes, size: int, session: Session) -> None:
    session.invoke(RESIZE, (Param.memref(name), Param.value(size, 0), NONE, NONE))


def _delete(name: bytes, session: Session) -> None:
    session.invoke(DELETE, (Param.memref(name), NONE, NONE, NONE))


SMALL, LARGE, OTHER = b"small", b"large", b"other"
OPERATIONS: dict[str, Act] = {
    "create small": partial(_two, CREATE, SMALL, _text("small", 40)),
    "create large": partial(_two, CREATE, LARGE, _text("large", 60_000)),
    "create empty": partial(_two, CREATE, OTHER, b""),
    "write inside": partial(_write, LARGE, _text("inside", 5_000), 20_000),
    "write at the end": partial(_write, SMALL, _text("end", 100), 40),
    "write past the end": partial(_write, OTHER, _text("past", 64), 3_000),
    "cut off": partial(_resize, LARGE, 33_333),
    "lengthen": partial(_resize, SMALL, 9_000),
    "replace small": partial(_two, REPLACE, SMALL, _text("small again", 41)),
    "replace large": partial(_two, REPLACE, LARGE, _text("large again", 70_000)),
    "rename": partial(_two, RENAME, LARGE, b"renamed"),
    "rename the other": partial(_two, RENAME, OTHER, LARGE),
    "delete": partial(_delete, b"renamed"),
    "delete small": partial(_delete, SMALL),
}
"""In the order in which they are played on one machine."""


@dataclass(slots=True)
class Row:
    """Cuts of one operation, and how they ended."""

    operation: str
    points: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    before: int = 0
    after: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the application is, and what runs it."""

    kit: Path
    file: Path

    @contextmanager
    def opened(self, directory: Path, *, create: bool = False, seed: bytes = bytes(32)) -> Iterator[Session]:
        """A session with the application over the store in a directory."""
        manifest = Application.read(self.file).manifest
        code = UnlockedCode(NativeRun(kit=os.fsencode(self.kit)))
        code.add(manifest, os.fsencode(self.file.parent))
        hosting = UnlockedHosting(LocalHosting(load_entry), code, [manifest], None)
        with ExitStack() as stack:
            stack.callback(hosting.end_all)
            disk = stack.enter_context(closing(Supplicant(directory, create=create)))
            made_with, system_rng = (seed if create else None), SeededRng(b"system" + seed)
            tee = InProcessTee([manifest], disk, create=create, seed=made_with, system_rng=system_rng, hosting=hosting)
            with Context(tee).open_session(manifest.ta_uuid) as session:
                yield session


def listed(answer: Params) -> dict[bytes, int]:
    """Names and sizes of a list."""
    data, found = answer[0].buffer, {}
    while data:
        size, length = struct.unpack_from("<IB", data)
        found[data[5 : 5 + length]] = size
        data = data[5 + length :]
    return found


def contents(session: Session) -> State:
    """Everything, as the application gives it. Raises TeeError, AssertionError for a list that is not what is read."""
    sizes = listed(session.invoke(LIST, (Param.output(ROOM_BYTES), NONE, NONE, NONE)))
    state = {
        name: session.invoke(READ, (Param.memref(name), Param.output(ROOM_BYTES), NONE, NONE))[1].buffer
        for name in sizes
    }
    assert {name: len(data) for name, data in state.items()} == sizes
    return state


def _next(session: Session) -> None:
    """One more object: written, read, and gone again."""
    _two(CREATE, b"next", b"one", session)
    read = session.invoke(READ, (Param.memref(b"next"), Param.output(8), NONE, NONE))[1].buffer
    assert read == b"one"
    _delete(b"next", session)


class _Judge:
    """What the cuts of one operation may leave."""

    def __init__(self, place: Place, directory: Path, row: Row, ends: Sequence[Disk]) -> None:
        self._place, self._directory, self._row = place, directory, row
        self.states: list[State] = []
        for disk in ends:
            put(directory, disk)
            with place.opened(directory) as session:
                self.states.append(contents(session))

    def judge(self, kind: str, number: int, disk: Disk) -> None:
        """Open what is left. What is wrong is an error of the row."""
        put(self._directory, disk)
        self._row.points[kind] += 1
        try:
            with self._place.opened(self._directory, seed=bytes([1]) * 32) as session:
                state = contents(session)
                _next(session)
        except (TeeError, AssertionError) as error:
            self._row.errors.append(f"{kind} {number}: {error}")
            return
        if state == self.states[0]:
            self._row.before += 1
        elif state == self.states[1]:
            self._row.after += 1
        else:
            names = sorted(map(repr, state.keys() ^ self.states[0].keys() ^ self.states[1].keys()))
            self._row.errors.append(f"{kind} {number}: neither before nor after ({', '.join(names)})")


def play(root: Path, place: Place, *, points: int, seed: int, only: Sequence[str] = tuple(OPERATIONS)) -> list[Row]:
    """Play about `points` cuts, spread evenly over these operations. Raises RuntimeError: the recording failed."""
    recorded, cut = root / "recorded", root / "cut"
    recorded.mkdir()
    cut.mkdir()
    program = ("-m", "tests.campaigns.crash_safe", "--record", str(place.kit), str(place.file))
    events = record(recorded, root / "trace", program, children=False)
    rng = random.Random(seed)
    found: dict[str, list[Cut]] = {name: [] for name in OPERATIONS}
    for name, number, kind, disk, _ in images(events, rng, max(1, points // 300)):
        found[name].append((kind, number, disk))
    rows = []
    for name in only:
        rows.append(Row(name))
        kept = [disk for kind, _, disk in found[name] if kind == "kept"]
        judge = _Judge(place, cut, rows[-1], (kept[0], kept[-1]))
        for kind, number, disk in _spread(found[name], -(-points // len(only))):
            judge.judge(kind, number, disk)
    return rows


def _spread(cuts: Sequence[Cut], most: int) -> Sequence[Cut]:
    """The first, the last, and those between at equal distances."""
    if len(cuts) <= most:
        return cuts
    return [cuts[at * (len(cuts) - 1) // (most - 1)] for at in range(most)]


def _record(place: Place, directory: Path) -> None:
    with place.opened(directory, create=True) as session:
        for name, act in OPERATIONS.items():
            with marked(name):
                act(session)


def place_of(builds: Builds) -> Place:
    """The safe, built."""
    return Place(builds.kit, builds.ta(EXAMPLES / "safe" / "ta"))


def table(rows: Sequence[Row]) -> str:
    """A line for each operation."""
    lines = [
        f"{'operation':20}|" + "".join(f"{kind:>7}" for kind in KINDS) + f"|{'before':>8}{'after':>7}{'errors':>8}"
    ]
    for row in [*rows, _sum(rows)]:
        counted = "".join(f"{row.points[kind]:7}" for kind in KINDS)
        lines.append(f"{row.operation:20}|{counted}|{row.before:8}{row.after:7}{len(row.errors):8}")
    return "\n".join(lines)


def _sum(rows: Sequence[Row]) -> Row:
    points = {kind: sum(row.points[kind] for row in rows) for kind in KINDS}
    errors = [error for row in rows for error in row.errors]
    return Row("all", points, sum(row.before for row in rows), sum(row.after for row in rows), errors)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.crash_safe", description=__doc__)
    parser.add_argument("--points", type=int, default=1500, help="power cuts, at most about so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", nargs=3, type=Path, metavar=("KIT", "TA", "DIRECTORY"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.record:
        _record(Place(*options.record[:2]), options.record[2])
        return 0
    if shutil.which("strace") is None:
        sys.stderr.write("strace is not installed: the writes cannot be recorded\n")
        return 4
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        root = Path(folder)
        rows = play(root, place_of(Builds(kit_folder(), root / "built")), points=options.points, seed=options.seed)
    sys.stdout.write(table(rows) + "\n")
    for row in rows:
        for error in row.errors[:3]:
            sys.stderr.write(f"{row.operation}: {error}\n")
    return 3 if any(row.errors for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
