"""One device for all conversations of a module: seeded, on a stepped clock."""

from collections.abc import Iterator

import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.simulate.faults.live import LiveFaults
from bioguard.simulate.faults.session_sensor import session_script
from tests.serve.v2.client import Client

START_MS = 1_790_000_000_000


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    directory = tmp_path_factory.mktemp("serve2") / "device"
    Device.init(directory, DeviceOptions(seed="serve 2", clock=START_MS)).close()
    options = DeviceOptions(release_grid_ms=0, hooks=LiveFaults(directory))
    with Device.open(directory, options) as opened:
        yield opened


@pytest.fixture
def client(device: Device) -> Iterator[Client]:
    faults = device.running.hooks
    assert isinstance(faults, LiveFaults)
    one = Client(device, faults=faults, script=session_script(faults))
    yield one
    one.conversation.end()
