"""kill -9 of the process of an application at every message between it and the core, on a whole device.

Applications run in processes of their own (without a lock: `tee_sim.testing.forked_hosts`), the core and the supplicant
in this one. The host that a message is for, or from, dies before it is sent, after it was, or when the answer has come.
`tests.campaigns.crash_oracle` judges what is left on the disk. Then, in the same secure world, the bystander is
matched by a spare, and nobody was restarted.
"""

import io
import random
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr
from pathlib import Path

from bioguard.device import Device
from bioguard.device.applications import manifests
from bioguard.errors import BioguardError
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.wire import AdvanceClock
from tee_sim.testing.forked_hosts import ForkedHosts, Tap, TappedPipe
from tee_sim.testing.in_process import InProcessTee
from tests.campaigns.crash_device import FACES, OPERATIONS, PURGE_DAYS, configure, facade, populate, seeded
from tests.campaigns.crash_oracle import Oracle, Row
from tests.campaigns.crash_trace import FILES, Disk

KIND = "host"
PLAYED = tuple(name for name in OPERATIONS if name != "rekey of storage")
"""What an application does; storage keys are renewed by the core alone."""

ENDS = ("", "tee.panic", "tee.communication")
"""It was done; its application died; the Gatekeeper died that its application had asked."""


class _Messages:
    """Counts what happens on the private pipes, and kills at one of these moments.

    Args:
        directory: of the device, copied at each moment if nobody is killed.
        at: the moment, counted from 1; 0 for none.
    """

    def __init__(self, directory: Path, at: int = 0) -> None:
        self.disks: list[Disk] = []
        self.armed = False
        self.killed = False
        self._directory, self._left = directory, at

    def __call__(self, pipe: TappedPipe, _event: str) -> None:
        if not self.armed:
            return
        if not self._left and not self.killed:
            self.disks.append(disk_of(self._directory))
            return
        self._left -= 1
        if self._left == 0:
            pipe.murder()
            self.killed = True


def disk_of(directory: Path) -> Disk:
    """What a power cut now could keep at most: every byte that was written."""
    return {name: path.read_bytes() if (path := directory / name).exists() else b"" for name in FILES}


@contextmanager
def _hosted(directory: Path, tap: Tap, *, create: bool = False, days: int = 0) -> Iterator[Device]:
    seed = bytes([days % 256]) * 32
    with closing(ForkedHosts(manifests(), tap)) as hosting, closing(Supplicant(directory)) as disk:
        made_with = seed if create else None
        system_rng = SeededRng(b"system" + seed)
        tee = InProcessTee(manifests(), disk, create=create, seed=made_with, system_rng=system_rng, hosting=hosting)
        if days:
            tee.exchange(AdvanceClock(ms=days * 86_400_000))
        yield facade(directory, tee)


def play(root: Path, *, runs: int, seed: int) -> list[Row]:
    """Play every moment of every operation, or about `runs` of them, under `root`."""
    live, rng = root / "live", random.Random(seed)
    live.mkdir()
    with seeded(), _hosted(live, _nothing, create=True) as device:
        configure(device)
        populate(device)
    rows: list[Row] = []
    for name in PLAYED:
        days = PURGE_DAYS if name == "purge" else 0
        rows += _operation(root, live, name, days, -(-runs // len(PLAYED)), rng)
        with seeded(name), _hosted(live, _nothing, days=days) as device:
            OPERATIONS[name](device)
    return rows


def _nothing(_pipe: TappedPipe, _event: str) -> None:
    """Nobody watches."""


def _operation(root: Path, live: Path, name: str, days: int, most: int, rng: random.Random) -> list[Row]:
    watched = _Messages(_copy(root, live))
    with seeded(name), _hosted(root / "run", watched, days=days) as device:
        _warm(device, days)
        watched.disks.append(disk_of(root / "run"))
        watched.armed = True
        OPERATIONS[name](device)
        watched.armed = False
        watched.disks.append(disk_of(root / "run"))
    oracle = Oracle(name, _copy(root, live), watched.disks)
    every = range(1, len(watched.disks) - 1)
    for at in every if len(every) <= most else sorted(rng.sample(every, most)):
        problem = _killed(_copy(root, live), root / "left", name, days, at)
        oracle.judge(root / "left", KIND, at, least=oracle.counters[at - 1], problem=problem)
    return oracle.rows()


def _killed(directory: Path, left: Path, name: str, days: int, at: int) -> str:
    """Let a host die at one moment, copy what is left to `left`, go on. Returns what went wrong, if anything."""
    moment, ended = _Messages(directory, at), ""
    with seeded(name), _hosted(directory, moment, days=days) as device:
        _warm(device, days)
        moment.armed = True
        try:
            with redirect_stderr(io.StringIO()):  # the traceback of what is planned
                OPERATIONS[name](device)
        except BioguardError as error:
            ended = error.code or ""
        moment.armed = False
        shutil.rmtree(left, ignore_errors=True)
        shutil.copytree(directory, left)
        if not moment.killed:
            return "nobody was killed"
        if ended not in ENDS:
            return f"it ended with {ended}"
        return _goes_on(device, met=bool(ended), expired=bool(days))


def _goes_on(device: Device, *, met: bool, expired: bool) -> str:
    """The same secure world answers, from a spare. Whoever did not meet the death meets it with the next question."""
    for allowed in (() if met else ("tee.panic",), ()):
        try:
            with redirect_stderr(io.StringIO()):
                if expired:
                    list(device.records())
                    return ""
                return "" if device.authenticate("carol", FACES["carol"][5]).match else "the bystander does not match"
        except BioguardError as error:
            if error.code not in allowed:
                return f"the next question: {error.code}"
    return ""


def _warm(device: Device, days: int) -> None:
    """The application has a session: what is killed is an operation, not a start. A purge is both."""
    if not days:
        list(device.records("carol"))


def _copy(root: Path, base: Path) -> Path:
    run = root / "run"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(base, run)
    return run
