"""Build native applications and host programs, each once in a run of the suite, whichever worker wants it first."""

import fcntl
import os
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
TAS = Path(__file__).parent / "tas"
EXAMPLES = ROOT / "docs/examples"
ABIS = (11, 13)
"""Sizes of 32 bits as in version 1.1, and `size_t` as in 1.3.1."""
_CHOICE = {None: {}, 11: {"CFG_TA_OPTEE_CORE_API_COMPAT_1_1": "y"}, 13: {"CFG_TA_OPTEE_CORE_API_COMPAT_1_1": "n"}}


class BuildError(Exception):
    """make failed; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Builds:
    """Makes things out of folders, in copies of them.

    Args:
        kit: what `tee-sim dev-kit` prints.
        root: where the copies go; shared by all workers.
    """

    kit: Path
    root: Path

    def ta(self, folder: Path, abi: int | None = None, **variables: str) -> Path:
        """The application of a folder with a Makefile.

        Args:
            abi: one of `ABIS`; None for the Makefile's own choice.
            variables: of make, for example CC or CFLAGS.
        """
        made = self.made(folder, **_CHOICE[abi], **variables)
        (ta,) = made.glob("*.ta")
        return ta

    def host(self, tree: Path, name: str) -> Path:
        """The program `name` of the folder `host` in a tree that has its headers too."""
        return self.made(tree, below="host", DEV_KIT=str(self.kit), CFLAGS=f"-I{TAS}") / "host" / name

    def made(self, folder: Path, below: str = ".", **variables: str) -> Path:
        """A copy of a folder in which make was run, in the folder `below` it. Raises BuildError."""
        said = [f"{name}={value}" for name, value in sorted(variables.items())]
        key = sha256(repr((str(folder), below, said)).encode()).hexdigest()[:12]
        copy = self.root / f"{folder.name}-{key}"
        self.root.mkdir(exist_ok=True)
        with (self.root / f"{key}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (copy / ".made").exists():
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(folder, copy)
                self._make(copy / below, said)
                (copy / ".made").touch()
        return copy

    def _make(self, folder: Path, variables: list[str]) -> None:
        environment = {**os.environ, "TA_DEV_KIT_DIR": str(self.kit)}
        environment.pop("MAKEFLAGS", None)
        done = subprocess.run(
            ["make", *variables], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode:
            raise BuildError(done.stdout + done.stderr)
