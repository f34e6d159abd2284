"""Conformance, from inside: every check of tests/native/tas/checks in a locked machine, for both ABIs."""

from collections.abc import Iterator

import pytest

from tests.native.builds import ABIS, Builds
from tests.native.checks import FOLDER, Check, Runner, checks
from tests.native.conftest import machine_of


@pytest.fixture(scope="module")
def runners(builds: Builds) -> Iterator[dict[int, Runner]]:
    """One machine for each ABI, for all checks."""
    with machine_of(builds.ta(FOLDER, 11)) as old, machine_of(builds.ta(FOLDER, 13)) as new:
        yield {11: Runner(old), 13: Runner(new)}


@pytest.mark.parametrize("check", [check for abi in ABIS for check in checks(abi)], ids=str)
def test_it_holds(runners: dict[int, Runner], check: Check) -> None:
    assert runners[check.abi].run(check) == ""


@pytest.mark.parametrize("abi", ABIS)
def test_the_application_has_the_checks_of_the_sources(runners: dict[int, Runner], abi: int) -> None:
    assert runners[abi].listed() == {check.name: check.panics for check in checks(abi)}
