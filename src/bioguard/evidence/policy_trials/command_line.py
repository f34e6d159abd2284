"""What a person is told who types a command: the last of the sentences, after those of the library."""

import subprocess
import sys

from bioguard.evidence.temporary_device import TemporaryDevice
from tee_sim.normal.machine import start_caches
from tee_sim.normal.sandbox_verdict.level import Level


def said(temporary: TemporaryDevice, *words: str) -> tuple[list[str], str]:
    """Lines of standard output, and standard error, of a command of the command line. The device must be stopped."""
    device = ("--device", str(temporary.directory), "--allow-level", Level.NOT_ENFORCED.value)
    line = [sys.executable, "-I", "-B", "-m", "bioguard.cli", *device, *words]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    start_caches.forget(temporary.directory)  # so that no start of an audit finds what an earlier one has kept
    return done.stdout.decode("utf-8", "replace").splitlines(), done.stderr.decode("utf-8", "replace")
