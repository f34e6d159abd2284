"""`python -m bench.crash [--points N] [--seed S] [--json]`: cut the power at every write of every operation.

Every operation is recorded once (`bench.crash_trace`) and cut after each call on `storage.db`, its journal and
`rpmb.img`. After each cut the store is opened again: its objects are those of before or of after, byte for byte, the
RPMB counter covers every completed write, the store verifies, and on every `MATCH_EVERY`th disk the whole secure
world boots and the bystander still matches. Exit 3 on any violation; 4 where strace is not there.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.crash_device import FACES, OPERATIONS, opened
from bench.crash_trace import FILES, KINDS, Disk, images, record
from bioguard.device.launch import manifests
from bioguard.device.names import NAMES_FILE
from tee_sim.rng import SeededRng
from tee_sim.rpmb.device import RpmbDevice
from tee_sim.rpmb.file_medium import FileMedium, OsFile
from tee_sim.storage import ObjectStore
from tee_sim.supplicant import SqliteBlobs
from tee_sim.testing import TEST_DEVICE_ID, TEST_HUK

__all__ = ["Row", "contents", "play", "scratch"]

MATCH_EVERY = 10
STEPS = {"lockout count": 2, "pin set": 3, "purge": 6}
"""Operations of more than one transaction, and how many. An attempt is counted before anything is compared and its log
entry follows; a PIN change counts the attempt, clears the count, writes the new PIN; a purge erases record by record.
A cut between two of them is `between`; there must be exactly so many states in the whole recording, no more."""

State = dict[bytes, bytes]


@dataclass(slots=True)
class Row:
    """Cuts of one operation and kind, and how they ended."""

    operation: str
    kind: str
    points: int = 0
    before: int = 0
    after: int = 0
    between: int = 0
    errors: list[str] = field(default_factory=list)


def scratch() -> str | None:
    """A directory in memory, if there is one: the cuts are played, so syncs need not reach a real disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def put(directory: Path, disk: Disk) -> None:
    """Make the files of the store these and no others."""
    for name in FILES:
        (directory / name).write_bytes(disk[name])


def contents(directory: Path, *, huk: bytes = TEST_HUK, device_id: bytes = TEST_DEVICE_ID) -> tuple[State, int]:
    """Verify the store; return every object by application and id, and the RPMB counter before it was opened.

    Raises:
        TeeError: it does not open, or an object or page of it does not.
    """
    with ExitStack() as stack:
        file = OsFile(directory / "rpmb.img")
        stack.callback(file.close)
        medium = FileMedium(file)
        counter = medium.counter
        blobs = stack.enter_context(closing(SqliteBlobs(directory / "storage.db")))
        store = ObjectStore.open(blobs, RpmbDevice(medium), huk, device_id, SeededRng(b"crash"))
        store.verify()
        state = {
            manifest.ta_uuid.bytes + stored.header.object_id: stored.body
            for manifest in manifests()
            for stored in store.namespace(manifest.ta_uuid).load()
        }
    return state, counter


def _bystander_matches(directory: Path) -> bool:
    with opened(directory, seed=bytes([2]) * 32) as device:
        return device.authenticate("carol", FACES["carol"][5]).match


def _spread(points: list[tuple[str, int, str, Disk, int]], most: int) -> list[tuple[str, int, str, Disk, int]]:
    if len(points) <= most:
        return points
    return [points[i * len(points) // most] for i in range(most)]


def play(root: Path, *, points: int, seed: int) -> list[Row]:
    """Play about `points` cuts, spread evenly over the operations, under `root`.

    Raises:
        RuntimeError: the recording failed.
    """
    rng = random.Random(seed)
    recorded, cut = root / "recorded", root / "cut"
    recorded.mkdir()
    cut.mkdir()
    events = record(recorded, root / "trace")
    shutil.copy(recorded / NAMES_FILE, cut / NAMES_FILE)
    torn = max(1, points // 400)
    by_operation: dict[str, list[tuple[str, int, str, Disk, int]]] = {name: [] for name in OPERATIONS}
    for point in images(events, rng, torn):
        by_operation[point[0]].append(point)
    rows: list[Row] = []
    for operation, found in by_operation.items():
        expected = STEPS.get(operation, 0 if operation == "rekey of storage" else 1)
        put(cut, found[0][3])
        _, counter = contents(cut)
        steps = _steps(cut, [disk for _, _, kind, disk, _ in found if kind == "kept"])
        chosen = _spread(found, -(-points // len(by_operation)))
        rows += _operation(cut, chosen, steps, counter)
        if len(steps) != expected + 1:
            rows[-1].errors.append(f"{len(steps)} states, expected {expected + 1}")
    return rows


def _steps(cut: Path, disks: Iterable[Disk]) -> list[State]:
    """The states an operation that is not cut goes through."""
    steps: list[State] = []
    for disk in disks:
        put(cut, disk)
        state, _ = contents(cut)
        if not steps or state != steps[-1]:
            steps.append(state)
    return steps


def _operation(
    cut: Path, chosen: Iterable[tuple[str, int, str, Disk, int]], steps: list[State], counter: int
) -> list[Row]:
    rows: dict[str, Row] = {}
    for played, (operation, number, kind, disk, syncs) in enumerate(chosen):
        row = rows.setdefault(kind, Row(operation, kind))
        row.points += 1
        put(cut, disk)
        try:
            state, now = contents(cut)
            if now < counter + syncs:
                row.errors.append(f"cut {number}: counter {now} after {counter} and {syncs} completed writes")
            _judge(row, number, state, steps)
            look = played % MATCH_EVERY == 0 and operation != "purge"
            if look and not _bystander_matches(cut):
                row.errors.append(f"cut {number}: the bystander does not match")
        except Exception as error:
            row.errors.append(f"cut {number}: {type(error).__name__}: {error}")
    return sorted(rows.values(), key=lambda row: KINDS.index(row.kind))


def _judge(row: Row, number: int, state: State, steps: list[State]) -> None:
    if state == steps[0]:
        row.before += 1
    elif state == steps[-1]:
        row.after += 1
    elif state in steps:
        row.between += 1
    else:
        row.errors.append(f"cut {number}: neither before nor after")


def _table(rows: Sequence[Row]) -> str:
    lines = [f"{'operation':18}{'cut':6}{'points':>8}{'before':>8}{'after':>8}{'between':>9}{'errors':>8}"]
    for row in rows:
        lines.append(
            f"{row.operation:18}{row.kind:6}{row.points:8}{row.before:8}{row.after:8}{row.between:9}{len(row.errors):8}"
        )
    total = [sum(getattr(row, name) for row in rows) for name in ("points", "before", "after", "between")]
    errors = sum(len(row.errors) for row in rows)
    lines.append(f"{'all':24}{total[0]:8}{total[1]:8}{total[2]:8}{total[3]:9}{errors:8}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.crash", description=__doc__)
    parser.add_argument("--points", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if shutil.which("strace") is None:
        sys.stderr.write("strace is not installed: the writes cannot be recorded\n")
        return 4
    with tempfile.TemporaryDirectory(dir=scratch()) as root:
        rows = play(Path(root), points=options.points, seed=options.seed)
    sys.stdout.write((json.dumps([asdict(row) for row in rows]) if options.json else _table(rows)) + "\n")
    for row in rows:
        for error in row.errors[:3]:
            sys.stderr.write(f"{row.operation}, {row.kind}: {error}\n")
    return 3 if any(row.errors for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
