"""Applications and host programs of the usual kinds, built and run as anybody would: make, `tee-sim run`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.native.builds import TAS, Builds

SAYS = {
    "greet": "hello, world",
    "dice": "every side was on top",
    "cipher": "the examples agree",
    "agree": "both have the same secret; the signature is the first one's",
    "hotp": "ten passwords agree",
    "locker": "keys are where they belong",
}
"""The last line of each host program."""


@pytest.fixture(scope="module")
def said(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What each host program printed, and its exit status, all of them in one locked machine."""
    folder = tmp_path_factory.mktemp("applications")
    programs = []
    for name in SAYS:
        ta = builds.ta(TAS / name / "ta")
        (folder / f"{name}.ta").symlink_to(ta)
        programs.append(f"echo == {name}; {builds.host(TAS / name, name)}; echo $?")
    done = subprocess.run(
        [sys.executable, "-m", "tee_sim.cli", "run", str(folder), "--", "sh", "-c", "; ".join(programs)],
        cwd=folder, env={**os.environ, "LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    found: dict[str, list[str]] = {}
    for part in done.stdout.split("== ")[1:]:
        name, *lines = part.splitlines()
        found[name] = lines
    assert found, done.stderr
    return found


@pytest.mark.parametrize("name", SAYS)
def test_its_host_program_ends_well(said: dict[str, list[str]], name: str) -> None:
    assert said[name] == [SAYS[name], "0"]


def test_every_tree_is_run() -> None:
    elsewhere = {"idioms"}  # tests/native/test_idioms.py
    assert {folder.parent.name for folder in TAS.glob("*/host")} == set(SAYS) | elsewhere


def test_a_build_that_fails_says_what_make_said(builds: Builds, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all:\n\t@echo no such thing; exit 1\n")
    with pytest.raises(Exception, match="no such thing"):
        builds.made(tmp_path)
