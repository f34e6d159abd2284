"""The checkouts that `latency` compares: each with folders of its own, measured by its own Python."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.environment import ROOT
from bioguard.errors import InputRefused

PROBES = ROOT / "bench" / "probes"
CODE = ("src/bioguard", "tee_sim")
IN_MEMORY = Path("/dev/shm")
"""Where Linux keeps a file system in memory."""

Parts = dict[str, dict[str, list[float]]]
"""Operation, quantity (`wall_ms`, `cpu_ms`, `pss_kib`), values."""


class Side:
    """One checkout with its devices.

    Args:
        disk: an empty folder; memory: one on a file system in memory, or None.
    """

    def __init__(self, checkout: Path, disk: Path, memory: Path | None) -> None:
        self.checkout = checkout
        self._folders = (str(disk), "" if memory is None else str(memory))

    def prepare(self, *, bundle: bool) -> None:
        """Make the devices, and a bundle to verify. Raises InputRefused for a checkout that cannot be measured.

        Byte code is made first, as an installation has it: in a checkout the modules that only the secure world loads
        have none, for it writes none (`-B`), and each start would compile them.
        """
        code = [str(self.checkout / part) for part in CODE]
        self._done([self._python(), "-m", "compileall", "-q", *code])
        for part in ("prepare", "bundle")[: 1 + bundle]:
            self._run(part, *self._folders)

    def measure(self, group: str, rounds: int) -> Parts:
        """Time one group of operations."""
        found: Parts = json.loads(self._run("measure", group, *self._folders, str(rounds)))
        return found

    def counts(self) -> dict[str, dict[str, int | None]]:
        """Count three operations."""
        found: dict[str, dict[str, int | None]] = json.loads(self._run("measure", "counts", *self._folders, "1"))
        return found

    def grow(self, rounds: int, sizes: Sequence[int]) -> "Growing":
        """A device in memory, if there is a folder, that grows when it is told to."""
        line = self._line("grow", self._folders[1] or self._folders[0], str(rounds), *map(str, sizes))
        return Growing(line, self._environ())

    def _line(self, *arguments: str) -> list[str]:
        return [self._python(), "-P", "-m", "latency_probe", *arguments]

    def _python(self) -> str:
        own = self.checkout / ".venv" / "bin" / "python"
        if not own.exists() and self.checkout != ROOT:
            raise InputRefused(
                f"{self.checkout.name}: no .venv in it, and another Python would start another secure world",
                hint="run `make demo` in that checkout: it makes one",
                code="bench.checkout",
            )
        return str(own) if own.exists() else sys.executable

    def _environ(self) -> dict[str, str]:
        paths = (self.checkout / "src", self.checkout, PROBES)
        return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}

    def _run(self, *arguments: str) -> str:
        return self._done(self._line(*arguments))

    def _done(self, line: list[str]) -> str:
        done = subprocess.run(line, env=self._environ(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise _refused(
                f"{self.checkout.name}: the probe ended with {done.returncode}: {done.stderr.strip()[-300:]}"
            )
        return done.stdout


class Growing:
    """A device that is filled to one size after the other. Both sides may be filled at once, and timed in turn."""

    def __init__(self, line: list[str], environ: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            line, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )  # fmt: skip

    def filled(self) -> dict[str, float]:
        """Wait until it is filled: seconds that it took, bytes that it holds."""
        row: dict[str, float] = self._answer()
        return row

    def measure(self) -> Parts:
        """Time it as it is."""
        self._say("measure")
        found: Parts = self._answer()
        return found

    def go_on(self) -> None:
        """Let it be filled to the next size."""
        self._say("next")

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise _refused(f"the probe ended with {self._process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.communicate()


def _refused(what: str) -> InputRefused:
    return InputRefused(
        what, hint="give a checkout whose `make demo` works; its C kernels must be built", code="bench.checkout"
    )


@contextmanager
def sides(checkouts: Sequence[Path], disk: Path | None) -> Iterator[list[Side]]:
    """Sides whose folders last as long as the block.

    Args:
        disk: folder below which those on the disk are made; the temporary one of the host unless given.
    """
    with ExitStack() as stack:

        def folder(below: Path | None) -> Path:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bioguard-latency-", dir=below)))

        memory = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
        yield [Side(one, folder(disk), memory and folder(memory)) for one in checkouts]
