"""Give tests of trusted applications a fixture `tee`, in this process or, with `--tee=locked`, in the locked world.

A `conftest.py` names it (`tee-sim new` writes one):

    pytest_plugins = ["tee_sim.testing.pytest_plugin"]

The application under test is that of the manifest next to the tests or in a folder above them; a project with several
overrides the fixture `tee_applications` with their paths. A `sensor.toml` next to it is a sensor; others are named by
overriding `tee_sensors`.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tee_sim.normal.machine.applications import MANIFEST_FILE, SENSOR_FILE, SensorSource, read_applications
from tee_sim.testing.machine_fixture import MODES, Tee, machine_for_test


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--tee`."""
    group = parser.getgroup("tee-sim", "trusted applications")
    group.addoption(
        "--tee",
        choices=MODES,
        default="process",
        help="where trusted applications under test run: in this process (fast), locked (as on a device), or debug "
        "(locked, but forbidden calls are denied and named)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a locked run where there is no lock: tests that were asked for and not run must not end well."""
    mode = config.getoption("--tee")
    if mode != "process" and sys.platform != "linux":
        raise pytest.UsageError(f"--tee={mode}: the lock is Linux only; leave it out to run in this process")


def _above(test: Path, root: Path) -> Path:
    """The nearest manifest above a test."""
    for folder in test.parents:
        if (folder / MANIFEST_FILE).is_file():
            return folder / MANIFEST_FILE
        if folder == root:
            break
    raise pytest.UsageError(
        f"no {MANIFEST_FILE} next to {test} or above it, up to {root}; put one there, or override the fixture "
        "tee_applications with the paths of manifests"
    )


@pytest.fixture(scope="module")
def tee_applications(request: pytest.FixtureRequest) -> Sequence[Path]:
    """Paths of the manifests under test."""
    return [_above(request.path, request.config.rootpath)]


@pytest.fixture(scope="module")
def tee_sensors(tee_applications: Sequence[Path]) -> Sequence[Path]:
    """Paths of the manifests of sensors: those called sensor.toml next to the applications'."""
    folders = (path if path.is_dir() else path.parent for path in map(Path, tee_applications))
    return [folder / SENSOR_FILE for folder in folders if (folder / SENSOR_FILE).is_file()]


@pytest.fixture
def tee(request: pytest.FixtureRequest, tee_applications: Sequence[Path], tee_sensors: Sequence[Path]) -> Iterator[Tee]:
    """A new machine with the applications under test, and their sensors."""
    mode = request.config.getoption("--tee")
    applications = [one for path in tee_applications for one in read_applications(Path(path))]
    sensors = [SensorSource.read(Path(path)) for path in tee_sensors]
    with machine_for_test(applications, mode, sensors=sensors) as made:
        yield made
