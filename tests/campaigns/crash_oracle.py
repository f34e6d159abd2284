"""What must hold of a device directory after a power cut or a kill: one judge for both.

The store opens and verifies, its objects are those of before or of after, byte for byte, the RPMB counter covers every
completed write, and on every `MATCH_EVERY`th directory the whole secure world boots and the bystander still matches.
"""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from bioguard.device.applications import manifests
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.rpmb_chip.file_medium import FileMedium, OsFile
from tee_sim.normal.supplicant import SqliteBlobs
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore, verify
from tee_sim.shared.errors import TeeError
from tee_sim.shared.rng import SeededRng
from tee_sim.testing.in_process import TEST_DEVICE_ID, TEST_HUK
from tests.campaigns.crash_device import CREATION, FACES, STARTS, opened
from tests.campaigns.crash_trace import FILES, Disk

MATCH_EVERY = 10
TRANSACTIONS = {
    CREATION: 2,
    "lockout count": 2,
    "pin set": 3,
    "purge": 7,
    "rekey of storage": 0,
    **dict.fromkeys(STARTS, 0),
}
"""Of operations that do not have one. A new store is configured after its log exists; an attempt is counted before
anything is compared and its log entry follows; a PIN change counts the attempt, clears the count, writes the new
PIN; a purge, here with the start before it, notes what the clock skipped, settles it, and erases record by record.
An interruption between two of them is `between`; the undisturbed run must go through exactly so many states, no
more. What changes no object shows as `before`."""

OWNERS = tuple(manifest.ta_uuid for manifest in manifests())
State = bytes
"""SHA-256 over every object by application and id: of equal states it is equal."""


@dataclass(slots=True)
class Row:
    """Cuts or kills of one operation and kind, and how they ended."""

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


def contents(directory: Path, *, huk: bytes = TEST_HUK, device_id: bytes = TEST_DEVICE_ID) -> State:
    """Open and verify the store; return the state of its objects.

    Raises:
        TeeError: it does not open, or an object or page of it does not.
    """
    with closing(OsFile(directory / "rpmb.img")) as file, closing(SqliteBlobs(directory / "storage.db")) as blobs:
        store = ObjectStore.open(blobs, RpmbDevice(FileMedium(file)), KeyLadder(huk, device_id), SeededRng(b"crash"))
        verify(store)
        objects = sorted(
            (owner.bytes + stored.header.object_id, stored.body)
            for owner in OWNERS
            for stored in store.namespace(owner).load()
        )
    return _digest(part for one in objects for part in one)


def _digest(parts: Iterable[bytes]) -> bytes:
    return sha256(b"".join(sha256(part).digest() for part in parts)).digest()


class Known:
    """Reads each disk once: what opens it draws from a seed, and half of all cuts leave a disk of before."""

    def __init__(self) -> None:
        self._found: dict[bytes, State | TeeError] = {}

    def __call__(self, directory: Path) -> State:
        """Like `contents`; an equal disk is not opened again."""
        paths = (directory / name for name in FILES)
        disk = _digest(path.read_bytes() if path.exists() else b"" for path in paths)
        if disk not in self._found:
            try:
                self._found[disk] = contents(directory)
            except TeeError as error:
                self._found[disk] = error
        found = self._found[disk]
        if isinstance(found, TeeError):
            raise found.with_traceback(None)
        return found


def _counter(directory: Path) -> int:
    """The RPMB's counter, before a store is opened: opening one may write."""
    try:
        with closing(OsFile(directory / "rpmb.img")) as file:
            return FileMedium(file).counter
    except TeeError:
        return 0


class Oracle:
    """Judges what is left of one operation.

    Args:
        operation: its name.
        directory: where `disks` are put to be read.
        disks: the disks of an undisturbed run, in order; the first is that of before, the last that of after.
        read: the state of a directory.

    Attributes:
        counters: the RPMB counter on each of the disks.
    """

    def __init__(
        self, operation: str, directory: Path, disks: Iterable[Disk], read: Callable[[Path], State] = contents
    ) -> None:
        self.operation = operation
        self._read = read
        self.counters: list[int] = []
        self._rows: dict[str, Row] = {}
        self._played = 0
        self._steps: list[State] = []
        self._problems: list[str] = []
        for disk, same in groupby(disks):
            put(directory, disk)
            counter = _counter(directory)
            self.counters += [counter for _ in same]
            try:
                state = self._state(directory)
            except TeeError as error:
                self._problems.append(f"the undisturbed run: {error}")
                continue
            if not self._steps or state != self._steps[-1]:
                self._steps.append(state)
        expected = 1 + TRANSACTIONS.get(operation, 1)
        if len(self._steps) != expected:
            self._problems.append(f"the undisturbed run has {len(self._steps)} states, expected {expected}")

    def _state(self, directory: Path) -> State:
        """A store that creation left unfinished and that is refused with a typed error is as good as an empty one."""
        try:
            return self._read(directory)
        except TeeError:
            if self.operation != CREATION:
                raise
            return _digest(())

    def judge(self, directory: Path, kind: str, number: int, *, least: int, problem: str = "") -> None:
        """Look at what one cut or kill left.

        Args:
            kind: of cut or victim.
            number: of the cut or step, for the error.
            least: what the RPMB counter must have reached.
            problem: what went wrong before.
        """
        row = self._rows.setdefault(kind, Row(self.operation, kind))
        row.points += 1
        # When purge runs consents are over; when a store is created nobody is enrolled.
        look = self._played % MATCH_EVERY == 0 and self.operation not in {"purge", CREATION}
        self._played += 1
        try:
            counter = _counter(directory)
            state = self._state(directory)
            if look and not _bystander_matches(directory):
                problem = "the bystander does not match"
            if counter < least:
                problem = f"counter {counter}, but write {least} was completed"
            if state == self._steps[0]:
                row.before += 1
            elif state == self._steps[-1]:
                row.after += 1
            elif state in self._steps:
                row.between += 1
            else:
                problem = "neither before nor after"
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            row.errors.append(f"{number}: {problem}")

    def rows(self) -> list[Row]:
        """What was found, by kind. What is wrong with the undisturbed run stands at the last kind."""
        rows = [*self._rows.values()]
        rows[-1].errors += self._problems
        return rows


def _bystander_matches(directory: Path) -> bool:
    with opened(directory, seed=bytes([2]) * 32) as device:
        return device.authenticate("carol", FACES["carol"][5]).match
