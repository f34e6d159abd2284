"""Cut the power at every write of every operation.

Every operation is recorded once (`tests.campaigns.crash_trace`) and cut after each call on `storage.db`, its journal
and `rpmb.img`; `tests.campaigns.crash_oracle` judges what each cut leaves.
"""

import random
import shutil
from pathlib import Path

from bioguard.device.names import NAMES_FILE
from tests.campaigns.crash_device import CREATION, MATRIX
from tests.campaigns.crash_oracle import Known, Oracle, Row, put
from tests.campaigns.crash_trace import Disk, images, record

UNCOUNTED_SYNCS = 2
"""A new RPMB is laid out, then gets its key: neither is a write that counts."""

Point = tuple[str, int, str, Disk, int]


def _spread(points: list[Point], most: int) -> list[Point]:
    if len(points) <= most:
        return points
    return [points[i * len(points) // most] for i in range(most)]


def play(root: Path, *, points: int, seed: int, known: Known | None = None) -> list[Row]:
    """Play about `points` cuts, spread evenly over the operations, under `root`.

    Args:
        known: the disks that were read before, by the same product.

    Raises:
        RuntimeError: the recording failed.
    """
    rng, known = random.Random(seed), known or Known()
    recorded, cut = root / "recorded", root / "cut"
    recorded.mkdir()
    cut.mkdir()
    events = record(recorded, root / "trace")
    shutil.copy(recorded / NAMES_FILE, cut / NAMES_FILE)
    torn = max(1, points // 400)
    by_operation: dict[str, list[Point]] = {name: [] for name in MATRIX}
    for point in images(events, rng, torn):
        by_operation[point[0]].append(point)
    rows: list[Row] = []
    for operation, found in by_operation.items():
        oracle = Oracle(operation, cut, (disk for _, _, kind, disk, _ in found if kind == "kept"), known)
        for _, number, kind, disk, syncs in _spread(found, -(-points // len(by_operation))):
            put(cut, disk)
            writes = max(0, syncs - UNCOUNTED_SYNCS) if operation == CREATION else syncs
            oracle.judge(cut, kind, number, least=oracle.counters[0] + writes)
        rows += oracle.rows()
    return rows
