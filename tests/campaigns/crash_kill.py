"""kill -9 of the secure world, of the supplicant, and of both, at every step of every operation, on a whole device.

One process lives up to each operation. For each run it forks a secure world, with all it knows, and a supplicant on a
copy of the files (`tests.campaigns.crash_worlds`). A step is: before a message is handled, each statement and each
write in it, after it was handled. `both` kills the secure world first. `tests.campaigns.crash_oracle` judges what is
left. Randomness is seeded, so every run of an operation writes what the undisturbed one wrote.
"""

import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tee_sim.normal.supplicant import Supplicant
from tee_sim.testing.in_process import InProcessTee
from tests.campaigns.crash_device import (
    CREATION,
    MATRIX,
    OPERATIONS,
    PURGE_DAYS,
    STARTS,
    boot,
    configure,
    die_in_commit,
    facade,
    populate,
    seeded,
)
from tests.campaigns.crash_oracle import Oracle, Row
from tests.campaigns.crash_worlds import VICTIMS, Act, Worlds


def play(root: Path, *, runs: int, seed: int) -> list[Row]:
    """Play every step and victim of every operation, or about `runs` of them, under `root`.

    Raises:
        RuntimeError: a world failed without being killed.
    """
    live = root / "live"
    live.mkdir()
    with closing(Supplicant(live)) as disk, seeded():
        return [row for rows in _operations(root, live, disk, runs, seed) for row in rows]


def _operations(root: Path, live: Path, disk: Supplicant, runs: int, seed: int) -> Iterator[list[Row]]:
    worlds = Worlds(disk)
    campaign = _Campaign(root, worlds, -(-runs // len(MATRIX)), random.Random(seed))
    base = root / "base"
    base.mkdir()
    yield campaign.play(CREATION, base, lambda directory: configure(facade(directory, boot(worlds, create=True))))
    tee = boot(worlds, create=True)
    device = facade(live, tee)
    configure(device)
    populate(device)

    def act(name: str, tee: InProcessTee) -> Act:
        return lambda directory: OPERATIONS[name](facade(directory, tee))

    for name, operation in OPERATIONS.items():
        if name != "purge":
            yield campaign.play(name, live, act(name, tee))
            operation(device)
    for name, committed in STARTS.items():
        shutil.rmtree(base)
        shutil.copytree(live, base)
        die_in_commit(base, committed=committed)
        yield campaign.play(name, base, lambda _: boot(worlds))
    later = boot(worlds, seed=bytes([1]) * 32, days=PURGE_DAYS)  # last: the device keeps the time it is given
    yield campaign.play("purge", live, act("purge", later))


class _Campaign:
    """Kills of one operation after another.

    Args:
        root: for copies.
        worlds: the disk of the secure world that the operations run in.
        most: runs of one operation.
        rng: chooses them.
    """

    def __init__(self, root: Path, worlds: Worlds, most: int, rng: random.Random) -> None:
        self._root, self._worlds, self._most, self._rng = root, worlds, most, rng

    def _copy(self, base: Path) -> Path:
        run = self._root / "run"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(base, run)
        return run

    def play(self, operation: str, base: Path, act: Act) -> list[Row]:
        """All kills of what `act` does to a device like the one in `base`, or `most` of them."""
        disks = self._worlds.undisturbed(act, self._copy(base))
        oracle = Oracle(operation, self._copy(base), disks)
        every = [(at, victim) for at in range(1, len(disks)) for victim in VICTIMS]
        chosen = every if len(every) <= self._most else sorted(self._rng.sample(every, self._most))
        for at, victim in chosen:
            run = self._copy(base)
            problem = self._worlds.killed(act, run, victim, at)
            oracle.judge(run, victim, at, least=oracle.counters[at - 1], problem=problem)
        return oracle.rows()
