"""A recording ends where a scenario is full, before the request that is too much; the conversation goes on."""

from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.serve.scenario import recorder
from bioguard.serve.scenario.recorder import RecordedConversation
from bioguard.simulate.faults.live import LiveFaults
from bioguard.simulate.scenario.document import parse_scenario
from tests.serve.v2.client import Client


@pytest.mark.parametrize(("limit", "most", "inputs"), [("MAX_STEPS", 3, 3), ("_MAX_CHARS", 1_000, 3)])
def test_what_is_kept_is_a_scenario(
    limit: str, most: int, inputs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, limit, most)
    directory = tmp_path / "device"
    Device.init(directory, DeviceOptions(seed="full", clock=1_790_000_000_000)).close()
    faults = LiveFaults(directory)
    with Device.open(directory, DeviceOptions(hooks=faults)) as device:
        client = Client(device, conversation=RecordedConversation, faults=faults, seed="full")
        client.ask("add_user", b"ada")
        client.ask("users")
        client.ask("users")
        client.refused("close", 9)
        assert client.ask("users") == [[b"ada"]]
        assert isinstance(client.conversation, RecordedConversation)
        kept = parse_scenario(client.conversation.text().encode(), "kept.toml")
    assert [one.call for one in kept.inputs] == ["add_user", "users", "users"][:inputs]
    assert (kept.events, client.conversation.left_out) == ((), 2)
