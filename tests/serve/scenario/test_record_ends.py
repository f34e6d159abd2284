"""A recording ends where a scenario is full, before the request that is too much, and with a server that is ended."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.exit_codes import ExitCode
from bioguard.serve.scenario import recorder
from bioguard.serve.scenario.recorder import RecordedConversation
from bioguard.simulate.faults.live import LiveFaults
from bioguard.simulate.scenario.document import parse_scenario
from tests.serve.v2.client import Client
from tests.serve.v2.test_pipe import framed


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_server_that_is_told_to_end_keeps_its_recording(number: signal.Signals, tmp_path: Path) -> None:
    directory, kept = tmp_path / "device", tmp_path / "kept.toml"
    Device.init(directory).close()
    serve = ["serve", "--stdio", "--protocol", "2", "--record", str(kept)]
    line = [sys.executable, "-m", "bioguard.cli", "--device", str(directory), *serve]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(framed([2, 7, 1, [b"ada"]]))
        child.stdin.flush()
        for _ in ("hello", "answer"):
            child.stdout.read(int.from_bytes(child.stdout.read(4), "little"))
        child.send_signal(number)
        _, said = child.communicate(timeout=60)
    assert child.returncode == ExitCode.INTERRUPTED
    assert [one.call for one in parse_scenario(kept.read_bytes(), "kept.toml").inputs] == ["add_user"]
    assert said.decode().splitlines()[0] == f"note: {kept} holds PINs, samples and tokens of this conversation"
    Device.open(directory).close()
