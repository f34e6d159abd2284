"""`python -m tests.campaigns.lying [--programs N] [--seed S]`: an application that calls anything with anything.

Each program of `tests.campaigns.lying_programs` is a row of calls of the Internal Core API with random handles, sizes
and pointers, in a locked machine with the safe of docs/examples beside it. What must hold:

    every result that came back is one that the clause of its function names, else there was a panic
    the core lives: nothing but the application itself dies of it (a machine that starts again says why)
    the safe answers as before, and what is in it is what was put there

Ends with 3 on the first violation, with the program in hex: `--play HEX` plays it again.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID

from tee_sim.normal.client import Session
from tee_sim.normal.dev_kit import kit_folder
from tee_sim.normal.machine.applications import Application
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import Param, Params
from tee_sim.testing.machine_fixture import Tee, machine_for_test
from tests.campaigns.lying_programs import Programs, Row, rows_of
from tests.native.builds import EXAMPLES, TAS, Builds

LIAR = UUID("7e1f4b90-2a6c-4d35-9c18-e3a5507f61b2")
SAFE = UUID("3f0b7a52-84c1-4e0d-b16a-5c9e2077d418")
LIST, PLAY = 0, 1
CREATE, READ, NAMES = 0, 1, 7
ROOM_BYTES = 8192
LINE_BYTES = 5
KEPT = (b"kept", bytes(range(256)) * 3)
NONE = Param.none()


class LieError(AssertionError):
    """Something that must not be; the text says what, with the program."""


@dataclass(slots=True)
class Liar:
    """The application in its machine, and the safe beside it.

    Attributes:
        ends: how often a program ended how.
        results: how often each function answered what.
    """

    tee: Tee
    ends: Counter[str] = field(default_factory=Counter)
    results: Counter[tuple[str, int]] = field(default_factory=Counter)
    rows: list[Row] = field(default_factory=list)
    _session: Session | None = None
    _safe: Session | None = None

    def start(self) -> None:
        """Ask for the table of calls, and put something into the safe."""
        listed = self._open().invoke(LIST, (Param.memref(b""), Param.output(ROOM_BYTES), NONE, NONE))
        self.rows = rows_of(listed[1].buffer)
        self._opened_safe().invoke(CREATE, (Param.memref(KEPT[0]), Param.memref(KEPT[1]), NONE, NONE))

    def play(self, program: bytes) -> str:
        """Play a program; returns how it ended. Raises LieError."""
        try:
            answer = self._open().invoke(PLAY, (Param.memref(program), Param.output(ROOM_BYTES), NONE, NONE))
            self._judge(answer, program)
            end = "returned"
        except TeeError as error:
            if error.result is not TeeResult.TARGET_DEAD:
                raise LieError(f"the core answered {error}: {program.hex()}") from error
            self._open().close()  # a dead session keeps its place until then
            self._session = None
            end = "panicked" if "panicked" in error.message else "died"
        self.ends[end] += 1
        self._look(program)
        return end

    def _judge(self, answer: Params, program: bytes) -> None:
        said = answer[1].buffer
        for at in range(0, len(said), LINE_BYTES):
            function = self.rows[said[at]].function
            result = int.from_bytes(said[at + 1 : at + LINE_BYTES], "little")
            self.results[(function.c_name, result)] += 1
            if result and not function.may_return(TeeResult(result)):
                raise LieError(f"{function.c_name} answered {result:#010x}: {program.hex()}")

    def _look(self, program: bytes) -> None:
        """The neighbor lives, and has what it had. A machine that was started again is no liar's doing but its own."""
        try:
            got = self._opened_safe().invoke(READ, (Param.memref(KEPT[0]), Param.output(ROOM_BYTES), NONE, NONE))
        except TeeError as error:
            if not self._restarted():
                raise LieError(f"the safe answered {error}: {program.hex()}") from error
            got = self._opened_safe().invoke(READ, (Param.memref(KEPT[0]), Param.output(ROOM_BYTES), NONE, NONE))
        if got[1].buffer != KEPT[1]:
            raise LieError(f"the safe holds something else: {program.hex()}")

    def _restarted(self) -> bool:
        """Whether the whole world was started again because the application's processes were spent."""
        notes, self.tee.notes[:] = list(self.tee.notes), []
        self._safe = None
        self.ends["world started again"] += len(notes)
        return bool(notes)

    def _open(self) -> Session:
        if self._session is None:
            self._session = self.tee.context.open_session(LIAR)
        return self._session

    def _opened_safe(self) -> Session:
        if self._safe is None:
            self._safe = self.tee.context.open_session(SAFE)
        return self._safe


@contextmanager
def liar(builds: Builds) -> Iterator[Liar]:
    """A machine with the liar and the safe, started."""
    files = (builds.ta(TAS / "liar"), builds.ta(EXAMPLES / "safe" / "ta"))
    with machine_for_test([Application.read(file) for file in files], "locked") as tee:
        made = Liar(tee)
        made.start()
        yield made


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.lying", description=__doc__)
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--play", type=bytes.fromhex, help="play this program, in hex, and no other")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, liar(Builds(kit_folder(), Path(folder))) as one:
        programs = Programs(one.rows, Random(options.seed))
        try:
            for _ in range(1 if options.play else options.programs):
                one.play(options.play or programs.program())
        except LieError as error:
            sys.stderr.write(f"{error}\n")
            return 3
        sys.stdout.write(f"{', '.join(f'{name} {count}' for name, count in one.ends.most_common())}\n")
        functions = {name for name, _ in one.results}
        sys.stdout.write(f"{sum(one.results.values())} results of {len(functions)} functions were judged\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
