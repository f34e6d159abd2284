"""An application that works on any vector, in both versions of the API, each in a machine of its own under the lock."""

from collections.abc import Iterator

import pytest

from tee_sim.testing.machine_fixture import Tee
from tests.native.builds import ABIS, TAS, Builds
from tests.native.conftest import machine_of


@pytest.fixture(scope="session", params=ABIS, ids=lambda abi: f"abi{abi}")
def vector_machine(request: pytest.FixtureRequest, builds: Builds) -> Iterator[Tee]:
    """A machine with it."""
    with machine_of(builds.ta(TAS / "vectors", request.param)) as tee:
        yield tee
