"""Run the numbered checks of tests/native/tas/checks: names from the sources, numbers from the built application."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tee_sim.normal.client import Session
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import Param, Params
from tests.native.builds import TAS

FOLDER = TAS / "checks"
LIST, RUN = 0, 1
FAILED = 0x0001_0001
ROOM_BYTES = 65_536
_ROW = re.compile(r"^(CHECK|PANICS)(?:_(11|13))?\((\w+)\)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the sources."""

    name: str
    abi: int
    panics: bool

    def __str__(self) -> str:
        return f"{self.name}-{self.abi}"


def checks(abi: int, folder: Path = FOLDER) -> Iterator[Check]:
    """What the sources hold for one ABI, in the order of files and lines."""
    for file in sorted(folder.glob("*.c")):
        for kind, only, name in _ROW.findall(file.read_text("utf-8")):
            if only in ("", str(abi)):
                yield Check(name, abi, kind == "PANICS")


def _asked(number: int) -> Params:
    return (Param.value(number, 0), Param.output(ROOM_BYTES), Param.none(), Param.none())


@dataclass(slots=True)
class Runner:
    """Runs checks on one machine; after a panic in a new instance.

    Attributes:
        open: opens a session with the application.
    """

    open: Callable[[], Session]
    _session: Session | None = None
    _numbers: dict[str, int] = field(default_factory=dict)

    def listed(self) -> dict[str, bool]:
        """The table of the built application: name, and whether it must panic."""
        answer = self._opened().invoke(LIST, _asked(0))
        lines = answer[1].buffer.decode().splitlines()
        self._numbers = {line.rstrip("!"): number for number, line in enumerate(lines)}
        return {line.rstrip("!"): line.endswith("!") for line in lines}

    def run(self, check: Check) -> str:
        """What is wrong; nothing if it holds."""
        if not self._numbers:
            self.listed()
        try:
            self._opened().invoke(RUN, _asked(self._numbers[check.name]))
        except TeeError as error:
            if error.result is TeeResult.TARGET_DEAD:
                self.close()
                return "" if check.panics else "it panicked"
            if int(error.result) == FAILED and error.params:
                return error.params[1].buffer.decode()
            return f"answered {int(error.result):#010x}"
        return "it returned, and had to panic" if check.panics else ""

    def close(self) -> None:
        """End the instance: the next check has a new one. A dead session keeps its place until it is closed."""
        if self._session is not None:
            self._session.close()
        self._session = None

    def _opened(self) -> Session:
        if self._session is None:
            self._session = self.open()
        return self._session
