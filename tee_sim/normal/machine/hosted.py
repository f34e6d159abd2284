"""Remember with a machine what it hosted last, so that a program can have it started by its directory alone.

`hosted.json` in the machine's directory: the absolute paths that were given, and how its lock was asked for. Written by
the commands of `tee-sim` that are given --machine, read by `tee-sim serve` (docs/tee-sim.md).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tee_sim.normal.machine import directory as files
from tee_sim.normal.machine.errors import MachineError
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.shared.dataclass import dataclass

_MOST_BYTES = 1 << 17
"""16 paths of PATH_MAX, with the escapes of JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """What a machine hosts. `debug`, `allow_level`: as the options of `tee-sim run`."""

    paths: tuple[Path, ...]
    debug: bool
    allow_level: str | None

    @classmethod
    def read(cls, machine: Path) -> Self:
        """What the machine in a directory hosted last.

        Raises:
            MachineError: there is no machine, it never hosted anything, or the file is not what `write` writes.
        """
        if files.read_fuses(machine) is None:
            raise MachineError(
                "machine.missing",
                f"there is no machine in {machine}",
                hint=f"make one: tee-sim run --machine {machine} PATH... -- PROGRAM",
            )
        raw = files.read_hosted(machine, most_bytes=_MOST_BYTES)
        hosted = None if raw is None else cls._parsed(raw)
        if hosted is None:
            damaged = f"{files.HOSTED_FILE} of {machine} is damaged"
            raise MachineError(
                "machine.file",
                f"{machine} does not say what it hosts" if raw is None else damaged,
                hint=f"start it once with: tee-sim run --machine {machine} PATH... -- PROGRAM",
            )
        return hosted

    @classmethod
    def _parsed(cls, raw: bytes) -> Self | None:
        try:
            plain = json.loads(raw)
        except (ValueError, RecursionError):
            return None
        match plain:
            case {"paths": [_, *_] as paths, "debug": bool(debug), "allow_level": None | str() as level, **more} if (
                not more and all(isinstance(path, str) for path in paths) and (level is None or level in _LEVELS)
            ):
                return cls(paths=tuple(map(Path, paths)), debug=debug, allow_level=level)
        return None

    def write(self, machine: Path) -> None:
        """Keep it with a machine that runs here. Raises MachineError as the disk does."""
        plain = {
            "paths": [str(path.absolute()) for path in self.paths],
            "debug": self.debug,
            "allow_level": self.allow_level,
        }
        files.write_hosted(machine, (json.dumps(plain, indent=1) + "\n").encode("ascii"))


_LEVELS = frozenset(level.value for level in Level)


def remember(machine: Path, paths: Sequence[Path], *, debug: bool, allow_level: str | None) -> None:
    """Write what a machine hosts, if it is not what it hosted before."""
    hosted = Hosted(paths=tuple(path.absolute() for path in paths), debug=debug, allow_level=allow_level)
    try:
        if Hosted.read(machine) == hosted:
            return
    except MachineError as error:
        if error.code != "machine.file":
            raise
    hosted.write(machine)
