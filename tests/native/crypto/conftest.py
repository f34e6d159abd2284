"""An application that works on any vector, in both versions of the API, each in a machine of its own under the lock."""

import shutil
from collections.abc import Iterator

import pytest

from tee_sim.normal.dev_kit import kit_folder
from tee_sim.normal.machine.applications import Application
from tee_sim.testing.machine_fixture import Tee, machine_for_test
from tests.native.builds import ABIS, TAS, Builds


@pytest.fixture(scope="session", params=ABIS, ids=lambda abi: f"abi{abi}")
def vector_machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tee]:
    """A machine with it."""
    if shutil.which("gcc") is None or shutil.which("make") is None:
        pytest.skip("no C compiler: gcc is not installed")
    builds = Builds(kit_folder(), tmp_path_factory.mktemp("vectors") / "builds")
    with machine_for_test([Application.read(builds.ta(TAS / "vectors", request.param))], "locked") as tee:
        yield tee
