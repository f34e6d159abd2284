"""`python -m bench.experiments.storage_pages [--objects N] [--json]`: how large directory pages should be.

For each pair of capacities a directory of N entries is filled in random order in memory, then: what one changed
entry writes and costs (the path is sealed again), and what reading every entry costs with nothing cached. The
capacities take turns, `ROUNDS` times over, and the median counts. Processor time of this process, no disk. Leaves are
tried with as many entries as fill a size class of pages.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from tee_sim.secure.sealing import KEY_BYTES
from tee_sim.secure.storage.directory import INNER_ENTRIES, LEAF_ENTRIES, Tree
from tee_sim.secure.storage.directory_pages import DirectoryEntry
from tee_sim.shared.blobs import Changes
from tee_sim.shared.object_header import NONCE_BYTES, TAG_BYTES, Header
from tee_sim.shared.rng import OsRng, SeededRng
from tee_sim.testing.in_memory import MemoryBlobs

CAPACITIES = tuple((leaf, inner) for inner in (32, 64, 128) for leaf in (16, 22, 33, 44, 67, 90))
DEVICE_ID, TA = bytes(16), UUID(int=1)
ROUNDS = 5
CHANGES = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One pair of capacities. Times in microseconds."""

    leaf: int
    inner: int
    pages: int
    written_bytes: float
    change_us: float
    scan_us_per_entry: float


def _entry(object_id: bytes) -> bytes:
    header = Header(
        ta=TA, object_id=object_id, version=1 << 20, kind="record", owner=bytes(16), commitment=bytes(32)
    ).to_bytes()
    return DirectoryEntry(1, 1200, bytes(NONCE_BYTES + KEY_BYTES + TAG_BYTES), header).to_bytes()


class _Directory:
    def __init__(self, leaf: int, inner: int, ids: Sequence[bytes]) -> None:
        self._blobs, self._caps = MemoryBlobs(), (leaf, inner)
        self.tree = self._tree()
        update = self.tree.make_empty()
        self._commit(update)
        for start in range(0, len(ids), 500):
            part: dict[bytes, bytes | None] = {TA.bytes + i: _entry(i) for i in ids[start : start + 500]}
            self._commit(self.tree.update(part, self.tree.info))

    def _tree(self) -> Tree:
        return Tree(self._blobs, DEVICE_ID, OsRng(), leaf=self._caps[0], inner=self._caps[1])

    def _commit(self, update: object) -> None:
        self._blobs.commit(Changes(update.puts))  # type: ignore[attr-defined]
        self.tree.adopt(update)  # type: ignore[arg-type]

    def change(self, ids: Sequence[bytes]) -> tuple[float, float]:
        """Seconds and bytes of one changed entry."""
        written, start = 0, time.process_time()
        for object_id in ids:
            update = self.tree.update({TA.bytes + object_id: _entry(object_id)}, self.tree.info)
            self._commit(update)
            written += sum(map(len, update.puts.values()))
        return (time.process_time() - start) / len(ids), written / len(ids)

    def scan(self) -> float:
        """Seconds to read every entry with nothing cached."""
        cold = self._tree()
        cold.open(self.tree.root)
        start = time.process_time()
        count = sum(1 for _ in cold.scan(b""))
        return (time.process_time() - start) / count

    def pages(self) -> int:
        return sum(1 for _ in self.tree.page_numbers())


def measure(objects: int) -> list[Row]:
    """All capacities in turn."""
    ids = [SeededRng(i.to_bytes(4, "big")).bytes(16) for i in range(objects)]
    directories = {caps: _Directory(*caps, ids) for caps in CAPACITIES}
    changes: dict[tuple[int, int], list[tuple[float, float]]] = {caps: [] for caps in CAPACITIES}
    scans: dict[tuple[int, int], list[float]] = {caps: [] for caps in CAPACITIES}
    for turn in range(ROUNDS):
        some = ids[turn * CHANGES : (turn + 1) * CHANGES]
        for caps, directory in directories.items():
            changes[caps].append(directory.change(some))
            scans[caps].append(directory.scan())
    return [
        Row(
            *caps,
            directory.pages(),
            statistics.mean(written for _, written in changes[caps]),
            statistics.median(seconds for seconds, _ in changes[caps]) * 1e6,
            statistics.median(scans[caps]) * 1e6,
        )
        for caps, directory in directories.items()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.experiments.storage_pages", description=__doc__)
    parser.add_argument("--objects", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    rows = measure(options.objects)
    if options.json:
        sys.stdout.write(json.dumps([asdict(row) for row in rows]) + "\n")
        return 0
    sys.stdout.write(f"{'leaf':>6}{'inner':>7}{'pages':>8}{'written':>11}{'change':>10}{'scan':>11}\n")
    for row in rows:
        mark = "  in use" if (row.leaf, row.inner) == (LEAF_ENTRIES, INNER_ENTRIES) else ""
        sys.stdout.write(
            f"{row.leaf:6}{row.inner:7}{row.pages:8}{row.written_bytes / 1000:8.1f} kB{row.change_us:7.0f} us"
            f"{row.scan_us_per_entry:8.2f} us{mark}\n"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
