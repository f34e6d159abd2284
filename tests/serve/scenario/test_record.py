"""`serve --record`: what a client asked and was told becomes a scenario that can be replayed."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from bioguard.device import Device, DeviceOptions
from bioguard.serve.scenario.recorder import RecordedConversation
from bioguard.serve.scenario.run import Source, run
from bioguard.simulate.faults.live import LiveFaults
from bioguard.simulate.faults.session_sensor import session_script
from bioguard.simulate.scenario.document import ScenarioFile, parse_scenario
from bioguard.simulate.scenario.writer import scenario_text
from tee_sim.shared import codec
from tests.serve.v2.client import Client

SEED = "recorded"


def recorded(directory: Path) -> ScenarioFile:
    """A conversation with a key, tokens and refusals, as a scenario."""
    Device.init(directory, DeviceOptions(seed=SEED, clock=1_790_000_000_000)).close()
    faults = LiveFaults(directory)
    with Device.open(directory, DeviceOptions(hooks=faults)) as device:
        client = Client(
            device, conversation=RecordedConversation, faults=faults, script=session_script(faults), seed=SEED
        )
        client.person(b"ada", 1)
        (session,) = client.ask("create_session", b"ada", 0)
        client.enroll(session, b"ada", person=3, position=2)
        key_id, secure_ids, _ = client.ask("key_create", b"ada", 128, True, True, None)
        (operation,) = client.ask("key_begin", key_id, b"")
        client.ask("authenticate", session, operation, None)
        client.present(session, 3, 2, 4)
        client.ask("key_finish", operation, b"pay", client.events[-1][2][1])
        client.ask("key_verdict", b"ada", secure_ids)
        client.refused("close", 9)
        client.ask("hello")
        client.conversation.take(codec.encode([2, 900, 7, []]))
        client.ask("close", session)
        assert isinstance(client.conversation, RecordedConversation)
        assert client.conversation.left_out == 1
        return client.conversation.scenario


def test_a_replay_of_what_was_recorded_is_told_the_same(tmp_path: Path) -> None:
    made = recorded(tmp_path / "device")
    text = scenario_text(made)
    read = parse_scenario(text.encode(), "recorded.toml")
    assert read == made
    by_call = {one.call: one.fields for one in read.inputs}
    assert by_call["key_finish"] == {
        "operation": {"from": "key_begin.operation", "nth": 1},
        "message": "706179",
        "token": {"from": "AUTHENTICATION_SUCCEEDED.token", "nth": 1},
    }
    assert by_call["present"]["sample"] == {"person": 3, "position": 2, "impression": 4}
    assert by_call["set_pin"] == {"name": "ada", "pin": "4711"}
    assert "hello" not in by_call
    path = tmp_path / "recorded.toml"
    again = run(Source(read, text.encode(), path), DeviceOptions())
    assert tuple(again.told) == read.events
    other = replace(read, device=replace(read.device, seed="another"))
    elsewhere = run(Source(other, text.encode(), path), DeviceOptions())
    names = [[one.what.get("event", one.what.get("refused")) for one in told] for told in (elsewhere.told, read.events)]
    assert names[0] == names[1]


def test_the_command_writes_the_file_when_its_input_ends(tmp_path: Path) -> None:
    directory, file = tmp_path / "device", tmp_path / "heard.toml"
    Device.init(directory, DeviceOptions(seed=SEED, clock=1_790_000_000_000)).close()
    body = codec.encode([2, 1, 1, [b"ida"]])
    line = [sys.executable, "-m", "bioguard.cli", "--device", str(directory), "--seed", SEED, "serve", "--stdio"]
    asked = [*line, "--protocol", "2", "--record", str(file)]
    done = subprocess.run(asked, input=len(body).to_bytes(4, "little") + body, capture_output=True, check=True)
    assert b"holds PINs, samples and tokens" in done.stderr
    read = parse_scenario(file.read_bytes(), file.name)
    assert (read.device.seed, [(one.call, dict(one.fields)) for one in read.inputs]) == (
        SEED, [("add_user", {"name": "ida"})]
    )  # fmt: skip
    assert file.stat().st_mode & 0o777 == 0o600
    names = directory / "names.json"
    kept = names.read_bytes()
    over = subprocess.run([*asked[:-1], str(names)], input=b"", capture_output=True, check=False)
    assert (over.returncode, b"is there already" in over.stderr, names.read_bytes()) == (4, True, kept)
    refused = subprocess.run([*line, "--record", str(file)], input=b"", capture_output=True, check=False)
    assert (refused.returncode, b"--record is for --protocol 2" in refused.stderr) == (2, True)
