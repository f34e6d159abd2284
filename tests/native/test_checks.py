"""Conformance, from inside: every check of tests/native/tas/checks in a locked machine, for both ABIs."""

import subprocess
from collections.abc import Iterator

import pytest

from tee_sim.cli.options import started
from tee_sim.normal.machine.applications import Application
from tee_sim.shared.native_run import NativeTool
from tests.native.builds import ABIS, Builds
from tests.native.checks import FOLDER, Check, Runner, checks
from tests.native.conftest import machine_of


@pytest.fixture(scope="module")
def runners(builds: Builds) -> Iterator[dict[int, Runner]]:
    """One machine for each ABI, for all checks."""
    with machine_of(builds.ta(FOLDER, 11)) as old, machine_of(builds.ta(FOLDER, 13)) as new:
        yield {11: Runner(old.session), 13: Runner(new.session)}


@pytest.mark.parametrize("check", [check for abi in ABIS for check in checks(abi)], ids=str)
def test_it_holds(runners: dict[int, Runner], check: Check) -> None:
    assert runners[check.abi].run(check) == ""


@pytest.mark.parametrize("abi", ABIS)
def test_the_application_has_the_checks_of_the_sources(runners: dict[int, Runner], abi: int) -> None:
    assert runners[abi].listed() == {check.name: check.panics for check in checks(abi)}


LOCKED_ONLY = {"memory_access_rights_of_nothing"}
"""What is mapped where is not known of a process that others have loaded."""


def sanitizer_missing() -> bool:
    """Whether gcc has no runtime of AddressSanitizer: it names a library without its folder."""
    said = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=False).stdout
    return "/" not in said


@pytest.mark.parametrize("abi", [pytest.param(11, marks=pytest.mark.campaign), 13])
def test_they_hold_under_address_sanitizer_which_finds_nothing(
    builds: Builds, abi: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """All in one process of `--asan`, but those that must panic: some give pointers to nowhere, which it reports."""
    if sanitizer_missing():
        pytest.skip("no sanitizer runtime")
    ta = Application.read(builds.ta(FOLDER, abi, CFG_TA_ASAN="y"), unlocked=True)
    options = {"machine": None, "fault": "", "clock": None, "debug": False, "allow_level": None}
    with started([ta], tool=NativeTool.ASAN, **options) as (machine, _):
        runner = Runner(lambda: machine.context.open_session(ta.manifest.ta_uuid))
        wrong = {}
        for check in checks(abi):
            if not check.panics and check.name not in LOCKED_ONLY:
                wrong[check.name] = runner.run(check)
                runner.close()
    assert {name: said for name, said in wrong.items() if said} == {}
    assert "AddressSanitizer" not in capfd.readouterr().err
