"""What a bare machine skips is named, with the command that installs it; CI installs it where it can."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.skipped_tools import THIS_HOST, TOOLS, summary, tool_of

ROOT = Path(__file__).parents[2]
CI = (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize(
    ("reason", "tool"),
    [
        ("Skipped: chromium is not on this host", "chromium"),
        ("Skipped: aarch64-linux-gnu-gcc is not installed", "aarch64 compiler and emulator"),
        ("Skipped: qemu-aarch64 is not installed", "aarch64 compiler and emulator"),
        ("Skipped: strace is not installed; .ci/run installs it where it can", "strace"),
        ("Skipped: nbis-python: not run: version `GLIBC_2.38' not found", "a C library from 2.38 on"),
        ("Skipped: pyfing: not run: no module named pyfing", "readers of others"),
        ("Skipped: no aarch64 Python (BIOGUARD_AARCH64, tests/aarch64/prepare.sh)", "a Python for aarch64"),
        ("Skipped: no ../shared/cases beside this checkout", "cases beside the checkout"),
        ("Skipped: the small inputs are not beside the checkout", "cases beside the checkout"),
        ("Skipped: no LFW embeddings beside the checkout", "research data"),
        ("Skipped: only root can give a file away", "root"),
        ("Skipped: only root may read the kernel log", "root"),
        ("Skipped: this host gives an unprivileged test no network namespace to observe in", "root"),
        ("Skipped: this host has no Landlock, so the case cannot be played", THIS_HOST.name),
        ("Skipped: this host lets nobody make a time namespace", THIS_HOST.name),
        ("Skipped: no mount namespace of its own can be made here", THIS_HOST.name),
        ("Skipped: this host refuses a layer", THIS_HOST.name),
        (
            "Skipped: nothing in the kernel log: it does not log filter kills, or its rate limit was reached",
            THIS_HOST.name,
        ),
        ("Skipped: the lock is Linux only", THIS_HOST.name),
    ],
)
def test_a_reason_leads_to_its_tool(reason: str, tool: str) -> None:
    assert tool_of(reason).name == tool


def test_one_line_a_tool() -> None:
    reasons = ["Skipped: chromium is not on this host"] * 4 + ["Skipped: no gcc here"]
    lines = summary(reasons)
    assert len(lines) == 2
    assert lines[0] == "chromium: 4 skipped; apt-get install chromium"


def test_ci_installs_every_package_that_a_line_names() -> None:
    named = {
        package
        for tool in TOOLS
        if (command := re.fullmatch(r"apt-get install ([\w -]+)", tool.install))
        for package in command[1].split()
    }
    installed = set(re.findall(r"[\w.+-]+", CI))
    part_of_gcc = {"libasan8", "libubsan1", "libtsan2", "gcc", "binutils", "coreutils"}
    assert named - installed - part_of_gcc == set()


def test_a_run_ends_with_the_lines(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("import pytest\ndef test_it(): pytest.skip('chromium is not on this host')\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "chromium: 1 skipped; apt-get install chromium" in done.stdout
