"""One device for all conversations of a module: seeded, on a stepped clock."""

from collections.abc import Iterator

import pytest

from bioguard.device import Device, DeviceOptions
from tests.serve.v2.client import Client

START_MS = 1_790_000_000_000


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    options = DeviceOptions(seed="serve 2", clock=START_MS, release_grid_ms=0)
    with Device.init(tmp_path_factory.mktemp("serve2") / "device", options) as made:
        yield made


@pytest.fixture
def client(device: Device) -> Iterator[Client]:
    one = Client(device)
    yield one
    one.conversation.end()
