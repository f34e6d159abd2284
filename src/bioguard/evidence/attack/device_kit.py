"""What attackers of a whole device have: its directory, its facade, and its command line.

    def swap_names(kit: DeviceKit) -> str | None:
        kit.person("alice"), kit.person("mallory")
        kit.close()
        ...change files in kit.directory...
        refusal = kit.refused(lambda: kit.open().authenticate("alice", kit.views("mallory")[0]))
        return None if refusal else "mallory is taken for alice"

The secure world runs in this process, so that a start takes milliseconds; `locked=True` gives the real one.
"""

import io
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np

from bioguard.device import Device, DeviceOptions, Level
from bioguard.device.boot_id import reboot
from bioguard.device.consent import grant_all
from bioguard.device.pins import enrollment_token, set_pin
from bioguard.errors import BioguardError
from bioguard.evidence.attack.kit import SetupError
from bioguard.evidence.attack.world import hosting
from bioguard.exit_codes import ExitCode
from bioguard.records import FaceEmbedding
from bioguard.records.modality import Modality
from bioguard.simulate.faults import scripted
from bioguard.simulate.people import face_views
from tee_sim.shared.manifest import Manifest

PIN = b"4711"
ENROLLED_VIEWS = 3
UNLOCKED = Level.NOT_ENFORCED
CommandLine = Callable[[list[str]], ExitCode]


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """What a command line came to."""

    code: ExitCode
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything that a terminal would show."""
        return self.out + self.err


@dataclass(slots=True)
class DeviceKit:
    """An empty directory for a device, and the moves on it. Use it as a context manager.

    Args:
        folder: an empty directory of its own; `directory` in it is the device's.
        manifests: the applications that its secure world hosts.
        locked: a process of its own with the kernel's lock, as callers get it: half a second a start.
        seed: of faces.
        command_line: runs one line of the product's command line in this process (`bioguard.cli.__main__.run`); without
            it the attacks that need one are UNKNOWN. Handed in: the command line starts this bench.
    """

    folder: Path
    manifests: Sequence[Manifest]
    locked: bool = False
    seed: int = 1
    command_line: CommandLine | None = None
    _people: dict[str, int] = field(default_factory=dict)
    _device: Device | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self._open.enter_context(hosting(self.manifests, locked=self.locked))
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
        self._open.close()

    @property
    def directory(self) -> Path:
        """Where the device is, or will be."""
        return self.folder / "device"

    def options(self, **changes: object) -> DeviceOptions:
        """Options of a run. Replies are not held back: what these attacks gain is not in the time."""
        level = None if self.locked else UNLOCKED
        return replace(DeviceOptions(allow_level=level, release_grid_ms=0.0, hooks=scripted), **changes)  # type: ignore[arg-type]

    # -- the device --------------------------------------------------------------------------------------------------

    def init(self, **options: object) -> Device:
        """Make the device and start it."""
        self.close()
        self._device = Device.init(self.directory, self.options(**options))
        return self._device

    def open(self, **options: object) -> Device:
        """Start the device again, with these options. Raises BioguardError."""
        self.close()
        self._device = Device.open(self.directory, self.options(**options))
        return self._device

    def device(self) -> Device:
        """The running device; made or started if need be."""
        if self._device is None:
            return self.open() if self.directory.exists() else self.init()
        return self._device

    def close(self) -> None:
        """End its secure world, as an ending process would."""
        if self._device is not None:
            device, self._device = self._device, None
            device.close()

    def reboot(self) -> None:
        """Begin a new boot of the closed device."""
        self.close()
        reboot(self.directory)

    # -- people ------------------------------------------------------------------------------------------------------

    def views(self, name: str, count: int = 1, *, first: int = ENROLLED_VIEWS) -> list[FaceEmbedding]:
        """Views of a person's face that are not the enrolled ones. Anybody has a face, users and strangers."""
        person = self._people.setdefault(name, len(self._people))
        return face_views(self.seed, person=person, count=count, first=first)

    def person(self, name: str, pin: bytes | None = PIN, *, enrolled: bool = True) -> str:
        """A user with all consents and, if asked for, a PIN and an enrolled face. Returns the name."""
        device = self.device()
        device.add_user(name)
        grant_all(device, name, of_age=True)
        if pin is not None:
            set_pin(device, name, pin)
        if enrolled:
            self.enroll(name, self.views(name, ENROLLED_VIEWS, first=0), pin)
        return name

    def enroll(self, name: str, views: Sequence[FaceEmbedding], pin: bytes | None = PIN) -> str:
        """Enroll a face; return the record id."""
        token = b"" if pin is None else enrollment_token(self.device(), name, Modality.FACE, pin)
        return self.device().enroll(name, views, token=token).record_id

    def match(self, claimed: str, shown: str) -> bool:
        """Whether a claim is accepted when somebody's face is shown. Raises BioguardError."""
        return self.device().authenticate(claimed, self.views(shown)[0]).match

    # -- the command line --------------------------------------------------------------------------------------------

    def cli(self, *words: str, stdin: str = "") -> CommandOutput:
        """Run `bioguard --device ... WORDS`; the device is closed before, since one process has it at a time."""
        if self.command_line is None:
            raise SetupError("no command line was handed to this bench")
        self.close()
        level = [] if self.locked else ["--allow-level", UNLOCKED.value]
        out, err = io.StringIO(), io.StringIO()
        kept = sys.stdin
        try:
            sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()))
            with redirect_stdout(out), redirect_stderr(err):
                code = self.command_line(["--device", str(self.directory), "--no-input", *level, *words])
        finally:
            sys.stdin = kept
        return CommandOutput(code, out.getvalue(), err.getvalue())

    def file(self, name: str, view: FaceEmbedding) -> Path:
        """A face as a file that the command line takes."""
        path = self.folder / name
        np.save(path, view.vector, allow_pickle=False)
        return path

    # -- what came of it ---------------------------------------------------------------------------------------------

    @staticmethod
    def refused(attempt: Callable[[], object]) -> BioguardError | None:
        """The refusal of an attempt; None if it went through, or a caller of it said no by its own answer."""
        try:
            attempt()
        except BioguardError as error:
            return error
        return None

    @staticmethod
    def need(true: object, what: str) -> None:
        """Stop an attack whose preparation does not work."""
        if not true:
            raise SetupError(what)

    def snapshot(self, *names: str) -> dict[str, bytes]:
        """Files of the closed device as they are now; all of them without names."""
        self.close()
        chosen = names or tuple(p.name for p in self.directory.iterdir() if p.is_file())
        return {name: (self.directory / name).read_bytes() for name in chosen if (self.directory / name).exists()}

    def put_back(self, snapshot: dict[str, bytes]) -> None:
        """Write files over those of the closed device."""
        self.close()
        for name, data in snapshot.items():
            for beside in ("-wal", "-shm", "-journal"):
                with suppress(FileNotFoundError):
                    (self.directory / (name + beside)).unlink()
            (self.directory / name).write_bytes(data)
