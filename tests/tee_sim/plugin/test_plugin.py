"""The fixture `tee`: one suite, run in the test's process and in the locked world, comes to the same."""

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tee_sim.normal.child import child_environment

SUITE = Path(__file__).parent / "suite"
CONFTEST = 'pytest_plugins = ["tee_sim.testing.pytest_plugin"]\n'
CUT = (
    "passed the power was cut at commit 1, by the fault plan (TARGET_DEAD, origin COMMS), hint the next call boots the "
    "machine again; what was not committed is gone; ('commit: die-{}',); ['the secure world was started again: the "
    "power was cut at commit 1, by the fault plan']; then {}"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(SUITE, folder, dirs_exist_ok=True)
    (folder / "suite.py").rename(folder / "test_suite.py")
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\njunit_family = xunit1\n")
    return folder


def play(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=240)


def outcomes(project: Path, mode: str, *more: str) -> dict[str, str]:
    """Test and what came of it."""
    report = project / f"{mode}.xml"
    done = play(project, f"--tee={mode}", f"--junitxml={report}", *more)
    assert done.returncode == 1, done.stdout  # one of them fails on purpose
    found = {}
    for case in ET.parse(report).iter("testcase"):
        properties = [p.get("value") or "" for p in case.iter("property")]
        ended = next((word for word in ("failure", "error", "skipped") if case.find(word) is not None), "passed")
        found[case.get("name") or ""] = " ".join([ended, *properties])
    return found


FULL = "passed command 1 was refused (STORAGE_NO_SPACE, origin TEE), hint ; ('commit: enospc',); []; then 0"
SHUT = (
    "passed command 1 was refused (STORAGE_NOT_AVAILABLE, origin TEE), hint ; ('read: eio', 'read: eio'); []; "
    "then STORAGE_NOT_AVAILABLE, then 6"
)
"""After a write whose end is not known the store stays shut until it is opened again."""


@pytest.fixture(scope="module")
def in_process(project: Path) -> dict[str, str]:
    return outcomes(project, "process")


def test_what_comes_of_each_try(in_process: dict[str, str]) -> None:
    served, ended = "passed 1, then 0", "passed TARGET_DEAD, then 0"
    assert in_process == {
        **{f"test_try[{n}]": served for n in (1, 2, 3, 4, 5, 6, 15, 17, 18)},
        **{f"test_try[{n}]": ended for n in (7, 8, 9, 11, 12, 13, 14, 16, *range(19, 35), 39, 40) if n != 27},
        **{f"test_try[{n}]": "passed 0, then 0" for n in (27, 35, 37)},
        "test_try[10]": "passed BAD_STATE, then 0",
        "test_try[36]": "passed 3, then 0",
        "test_try[38]": f"passed {len(child_environment())}, then 0",
        "test_state[restart]": "passed [1, 2, 3, 1, 6]",
        "test_state[power_cut]": "passed [1, 2, 3, 1, 6]",
        "test_fault[commit@1: die-before]": CUT.format("before", 0),
        "test_fault[commit@1: die-after]": CUT.format("after", 6),
        "test_fault[commit: enospc]": FULL,
        "test_fault[read@1+: eio]": SHUT,
        "test_state_after_a_panic[8]": "passed [1, 2, 3, 4]",
        "test_state_after_a_panic[9]": "passed [1, 2, 3, 4]",
        **{f"test_state_after_a_panic[{n}]": "passed [1, 2, 3, 1]" for n in (11, 22, 28, 30)},
        "test_state_after_a_panic[29]": "passed [1, 2, 3, 4]",
        **{f"test_its_environment[{n}]": f"passed [0, {len(child_environment())}, 1, 1]" for n in (15, 9)},
        "test_its_environment[11]": f"passed [0, {len(child_environment())}, 1, 0]",
        "test_cancelled": "passed command 1 was refused (CANCEL, origin TRUSTED_APP)",
        "test_time": "passed 1767225600000 5000",
        "test_a_failure_of_the_test": "failure",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.campaign)])
def test_both_ways_come_to_the_same(every: int, project: Path, in_process: dict[str, str]) -> None:
    """A machine is started for each test: of the tries, which each start one, the suite plays every third."""
    left_out = {f"test_try[{number}]" for number in range(1, 41) if number % every}
    options = [f"--deselect=test_suite.py::{name}" for name in left_out]
    expected = {name: came for name, came in in_process.items() if name not in left_out}
    assert outcomes(project, "locked", *options) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
def test_the_debug_profile_names_the_line(project: Path) -> None:
    done = play(project, "--tee=debug", "-rP", "test_suite.py::test_try[11]", "test_suite.py::test_try[9]")
    assert done.returncode == 0, done.stdout
    assert "debug: odd: panic: ZeroDivisionError: " in done.stdout
    lines = (project / "odd" / "app.py").read_text("utf-8").splitlines()
    for number, text in ((11, "/etc/passwd"), (9, "1 // 0")):
        at = next(n for n, line in enumerate(lines, 1) if line.lstrip().startswith(f"{number}: ") and text in line)
        assert f"{project}/odd/app.py:{at} in " in done.stdout
    assert "debug: odd: forbidden: open" in done.stdout


@pytest.mark.parametrize("mode", ["locked", "debug"])
def test_a_locked_run_where_there_is_no_lock_is_refused_and_not_skipped(project: Path, mode: str) -> None:
    (project / "elsewhere.py").write_text("import sys\nsys.platform = 'darwin'\n")
    done = play(project, "-p", "elsewhere", f"--tee={mode}", "test_suite.py::test_time")
    assert (done.returncode, done.stdout) == (pytest.ExitCode.USAGE_ERROR, "")
    assert f"ERROR: --tee={mode}: the lock is Linux only; leave it out to run in this process" in done.stderr


def test_a_test_with_no_manifest_above_it_says_what_to_do(project: Path, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_nothing.py").write_text("def test_nothing(tee):\n    pass\n")
    done = play(tmp_path)
    assert "no manifest.toml next to " in done.stdout + done.stderr
    assert "or override the fixture tee_applications with the paths of manifests" in done.stdout + done.stderr
