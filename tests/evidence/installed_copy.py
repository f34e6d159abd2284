"""The product installed in an environment of its own, to be changed there."""

import shutil
import subprocess
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
_MEASURE = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
import bioguard.cli.app
from bioguard.evidence.file_checks import files_check
from bioguard.evidence.measuring import measure
from bioguard.evidence.temporary_device import TemporaryDevice
from tee_sim.normal.sandbox_verdict.verdict import Level
with TemporaryDirectory() as work, TemporaryDevice(Path(work) / "device", Level.NOT_ENFORCED) as made:
    measured = measure(made.device.running.listing)
print(files_check(measured).status.value)
print(measured.to_text(), end="")
"""


@dataclass(frozen=True, slots=True)
class InstalledCopy:
    """An environment with the packages copied into its site folder; the libraries are those of the tests."""

    place: Path

    @classmethod
    def make(cls, place: Path) -> Self:
        """Make one. Libraries are found by a .pth file with their folder in it."""
        venv.create(place, symlinks=True)
        copy = cls(place)
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "tee_sim", copy.site / "tee_sim", ignore=ignore)
        shutil.copytree(ROOT / "src" / "bioguard", copy.site / "bioguard", ignore=ignore)
        metadata = next(Path(sysconfig.get_path("purelib")).glob("bioguard-*.dist-info"))
        (copy.site / metadata.name).mkdir()
        shutil.copy(metadata / "METADATA", copy.site / metadata.name)
        (copy.site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
        return copy

    @property
    def site(self) -> Path:
        """Its site folder."""
        return next((self.place / "lib").glob("python3*")) / "site-packages"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.place / "bin" / "python"

    def measured(self, **variables: str) -> tuple[str, str]:
        """What a device in it measures: the status of the row, and the measurement's text."""
        line = [self.python, "-B", "-c", _MEASURE]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.place), **variables}
        done = subprocess.run(line, env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        status, _, text = done.stdout.partition("\n")
        return status, text
