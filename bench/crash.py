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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

from bench.crash_device import FACES, OPERATIONS, opened
from bench.crash_trace import FILES, KINDS, Disk, images, record
from bioguard.device.launch import manifests
from bioguard.device.names import NAMES_FILE
from bioguard.records.features import FaceEmbedding
from tee_sim.rng import SeededRng
from tee_sim.rpmb.device import RpmbDevice
from tee_sim.rpmb.file_medium import FileMedium, OsFile
from tee_sim.storage import ObjectStore
from tee_sim.supplicant import SqliteBlobs
from tee_sim.testing import TEST_DEVICE_ID, TEST_HUK

__all__ = ["Row", "contents", "play", "scratch"]

MATCH_EVERY = 10
SEVERAL = frozenset({"user remove"})
"""Operations of more than one transaction: the facade erases the records, then the PIN. A cut between the two is
repaired by asking again. Every single transaction of them is still as before or as after."""

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


def contents(directory: Path) -> tuple[State, int]:
    """Verify the store; return every object by application and id, and the RPMB counter before it was opened.

    Raises:
        TeeError: it does not open, or an object or page of it does not.
    """
    medium = FileMedium(OsFile(directory / "rpmb.img"))
    counter = medium.counter
    blobs = SqliteBlobs(directory / "storage.db")
    try:
        store = ObjectStore.open(blobs, RpmbDevice(medium), TEST_HUK, TEST_DEVICE_ID, SeededRng(b"crash"))
        store.verify()
        state = {
            manifest.ta_uuid.bytes + stored.header.object_id: stored.body
            for manifest in manifests()
            for stored in store.namespace(manifest.ta_uuid).load()
        }
    finally:
        blobs.close()
        medium.close()
    return state, counter


def _bystander_matches(directory: Path, seed: bytes, days: int) -> bool:
    with opened(directory, seed=seed, days=days) as device:
        return device.authenticate("carol", cast("FaceEmbedding", FACES["carol"][5])).match


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
        first, last = found[0], found[-1]
        put(cut, first[3])
        before, counter = contents(cut)
        put(cut, last[3])
        after, _ = contents(cut)
        chosen = _spread(found, -(-points // len(by_operation)))
        rows += _operation(cut, chosen, before, after, counter)
    return rows


def _operation(
    cut: Path, chosen: Iterable[tuple[str, int, str, Disk, int]], before: State, after: State, counter: int
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
            _judge(row, number, state, before, after)
            if played % MATCH_EVERY == 0 and operation != "purge":
                if not _bystander_matches(cut, bytes([2]) * 32, 0):
                    row.errors.append(f"cut {number}: the bystander does not match")
        except Exception as error:
            row.errors.append(f"cut {number}: {type(error).__name__}: {error}")
    return sorted(rows.values(), key=lambda row: KINDS.index(row.kind))


def _judge(row: Row, number: int, state: State, before: State, after: State) -> None:
    if state == before:
        row.before += 1
    elif state == after:
        row.after += 1
    elif row.operation in SEVERAL and all(state.get(k) in (before.get(k), after.get(k)) for k in before | after):
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
    parser.add_argument("--points", type=int, default=4000)
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
