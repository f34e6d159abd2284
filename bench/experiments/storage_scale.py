"""What one more object costs as the store grows: 100, 10 000 and 100 000 objects of 1.2 kB, one run.

    python -m bench.experiments.storage_scale [--quick] [--out storage_scale.json]

Each store is filled with large transactions through the supplicant's real files in a temporary directory, closed and
opened again. Single puts, each its own durable transaction, are then made in turn on all stores, so that the mood of
the machine meets all of them; the ratio to the smallest store is the figure to quote. Loading opens and authenticates
every object. Wall time; the load average says how much of the machine was left.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any
from uuid import UUID

from tee_sim.normal.supplicant.service import RequestNote, Supplicant
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore
from tee_sim.secure.supplicant_client import RemoteBlobStore, RemoteRpmb
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.storage_requests import Operation

SIZES, QUICK_SIZES = (100, 10_000, 100_000), (100, 1_000)
OBJECT_BYTES = 1_200
"""About a stored record: codes, features and header."""

FILL_OBJECTS = 5_000
PUTS = 30
_LADDER = KeyLadder(bytes(range(32)), bytes(range(16)))
TA = UUID(int=1)
TARGET_LOAD_S = 10.0


class _Port:
    """The supplicant without a pipe, counting what is written to it."""

    def __init__(self, supplicant: Supplicant) -> None:
        self._supplicant = supplicant

    def call(self, operation: int, request: list[object]) -> object:
        return self._supplicant.handle(operation, request)


class Device:
    """One device directory of a given number of objects."""

    def __init__(self, directory: Path, objects: int) -> None:
        directory.mkdir()
        self.directory, self.objects = directory, objects
        self.written_bytes = 0
        self._rng = SeededRng(objects.to_bytes(4, "big"))
        self._boot(create=True)
        start = time.perf_counter()
        for first in range(0, objects, FILL_OBJECTS):
            with self.store.transaction() as transaction:
                for number in range(first, min(objects, first + FILL_OBJECTS)):
                    transaction.put(self._id(number), self._rng.bytes(OBJECT_BYTES), kind="record")
        self.fill_s = time.perf_counter() - start
        self.supplicant.close()

    def _id(self, number: int) -> bytes:
        return SeededRng(number.to_bytes(4, "big")).bytes(16)

    def _note(self, note: RequestNote) -> None:
        if note.operation in {Operation.STAGE, Operation.COMMIT, Operation.RPMB}:
            self.written_bytes += note.request_bytes

    def _boot(self, *, create: bool = False) -> None:
        self.supplicant = Supplicant(self.directory, log=self._note)
        port = _Port(self.supplicant)
        whole = ObjectStore.open(
            RemoteBlobStore(port),
            RemoteRpmb(port),
            _LADDER,
            self._rng,
            create=create,
        )
        self.store = whole.namespace(TA)

    def open(self) -> float:
        """Open the store. Milliseconds."""
        start = time.perf_counter()
        self._boot()
        return (time.perf_counter() - start) * 1e3

    def load(self) -> float:
        """Open every object. Seconds."""
        start = time.perf_counter()
        count = sum(1 for stored in self.store.load() if len(stored.body) == OBJECT_BYTES)
        if count != self.objects:
            raise RuntimeError(f"{count} of {self.objects} objects were loaded")
        return time.perf_counter() - start

    def put(self, turn: int) -> tuple[float, int]:
        """One more object. Milliseconds and bytes written."""
        body, before = self._rng.bytes(OBJECT_BYTES), self.written_bytes
        start = time.perf_counter()
        self.store.put(self._id((1 << 31) + turn), body, kind="record")
        return (time.perf_counter() - start) * 1e3, self.written_bytes - before

    @property
    def disk_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.directory.iterdir() if path.name.startswith("storage.db"))


def load_peak_bytes(device: Device) -> int:
    """Most memory allocated by Python while one newly opened store is loaded object by object."""
    tracemalloc.start()
    device.open()
    device.load()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    device.supplicant.close()
    return peak


def measure(sizes: tuple[int, ...], directory: Path) -> list[dict[str, Any]]:
    """One row for each size."""
    devices = [Device(directory / str(size), size) for size in sizes]
    rows: list[dict[str, Any]] = []
    for device in devices:
        stored = device.disk_bytes
        peak = load_peak_bytes(device)
        row = {"objects": device.objects, "fill_s": device.fill_s, "store_bytes_per_object": stored / device.objects}
        row |= {"open_ms": device.open(), "load_s": device.load(), "load_peak_bytes": peak}
        rows.append(row)
    samples: list[list[tuple[float, int]]] = [[] for _ in devices]
    for turn in range(PUTS):
        for device, mine in zip(devices, samples, strict=True):
            mine.append(device.put(turn))
    smallest = [ms for ms, _ in samples[0]]
    for row, mine, device in zip(rows, samples, devices, strict=True):
        row["put_ms"] = statistics.median(ms for ms, _ in mine)
        row["put_over_smallest"] = statistics.median(ms / base for (ms, _), base in zip(mine, smallest, strict=True))
        row["put_written_bytes"] = statistics.median(written for _, written in mine)
        device.supplicant.close()
    return rows


def main(argv: list[str] | None = None) -> int:
    """Print the table; say whether the largest store loaded within the target."""
    parser = argparse.ArgumentParser(prog="python -m bench.experiments.storage_scale")
    parser.add_argument("--quick", action="store_true", help="100 and 1 000 objects")
    parser.add_argument("--out", type=Path, help="write JSON here")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(QUICK_SIZES if args.quick else SIZES, Path(folder))
    report = {"object_bytes": OBJECT_BYTES, "load_average": os.getloadavg()[0], "cores": os.cpu_count(), "rows": rows}
    columns = list(rows[0])
    print("  ".join(f"{c:>22}" for c in columns))
    for row in rows:
        print("  ".join(f"{row[c]:>22,.2f}" if isinstance(row[c], float) else f"{row[c]:>22,}" for c in columns))
    largest = rows[-1]
    print(f"load of {largest['objects']}: {largest['load_s']:.1f} s, target {TARGET_LOAD_S:.0f} s for 100000", end="; ")
    print(f"load average {report['load_average']:.1f} on {report['cores']} cores")
    if args.out:
        args.out.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
