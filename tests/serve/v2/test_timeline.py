"""A conversation on the timeline: frames, states and callbacks by name, arrows between them, nothing of a person."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.serve import loop
from bioguard.serve.methods import DeviceService
from bioguard.timeline_events import SessionEvents, caller, watch_session
from tee_sim.normal import timeline
from tee_sim.normal.timeline_reader import arrows, read, timed_lines
from tests.cli.test_trace import NAME, PIN, SHOWN_KEYS, forms
from tests.serve.v2.client import Client, Refused
from tests.serve.v2.conftest import START_MS
from tests.tee_sim.test_timeline import SCHEMA, Event, of, open_ends

OF_SESSIONS = {"operation", "info", "vendor_code", "error", "remaining", "remaining_ms", "token", "ids"}
OPERATION = 0x1234_5678_9ABC_DEF0
USER = NAME.encode()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the timeline is written."""
    file = tmp_path / "t.json"
    monkeypatch.setenv(timeline.VARIABLE, str(file))
    return file


def device(folder: Path) -> Device:
    """A device whose whole life is on the timeline, if there is one."""
    return Device.init(folder, DeviceOptions(seed="traced", clock=START_MS, release_grid_ms=0))


def events(path: Path) -> list[Event]:
    """The events, held against the schema."""
    found = read(path.read_bytes())
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)
    return found


def told(found: list[Event], row: str) -> list[str]:
    """What stands in a row, with ends in brackets."""
    return [f"({e['name']})" if e["ph"] == "E" else e["name"] for e in of(found, row)]


@dataclass
class Played:
    """A conversation, its timeline, and what must not be in that."""

    client: Client
    path: Path
    secrets: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A finger is enrolled, matches and does not, with a PIN, tokens, challenges and samples that are known."""
    folder = tmp_path_factory.mktemp("traced")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(timeline.VARIABLE, str(folder / "t.json"))
        with device(folder / "device") as made:
            story = Played(Client(made), folder / "t.json", [USER, PIN.encode()])
            _play(story)
            yield story


def _play(story: Played) -> None:
    ask, client = story.client.ask, story.client
    client.person(USER, 1, pin=PIN.encode())
    (session,) = ask("create_session", USER, 0)
    ask("generate_challenge", session)
    challenge = client.events[0][2][0]
    (token,) = ask("verify_pin", USER, PIN.encode(), challenge)
    ask("enroll", session, token, None, 2, None, None)
    for impression in range(3):
        form, sample = client.sample(1, 2, impression)
        ask("present", session, form, sample, None)
        story.secrets.append(sample[40:70])
    enrollment = client.events[-1][2][0]
    ask("authenticate", session, OPERATION, None)
    client.present(session, 1, 2, 5)
    matched = client.events[-1][2][1]
    ask("authenticate", session, 0, None)
    client.present(session, 2, 2, 0)
    ask("cancel", session, None)
    with pytest.raises(Refused):
        ask("create_session", USER, 0)
    ask("clock_advance", 1000)
    ask("get_authenticator_id", session)
    authenticator = client.events[0][2][0]
    ask("close", session)
    for whole in (token, matched):
        story.secrets += [whole[at : at + 8] for at in range(1, 61, 8) if any(whole[at : at + 8])]
    story.numbers += [challenge, OPERATION, authenticator, enrollment]
    story.secrets += [number.to_bytes(8, order) for number in story.numbers[:3] for order in ("little", "big")]


def test_a_session_from_its_creation_to_its_end(played: Played) -> None:
    found = events(played.path)
    assert told(found, "session fingerprint 0") == [
        "session", "GENERATING_CHALLENGE", "onChallengeGenerated", "(GENERATING_CHALLENGE)",
        "ENROLLING", *["onAcquired", "onEnrollmentProgress"] * 3, "(ENROLLING)",
        "AUTHENTICATING", "onAcquired", "onAuthenticationSucceeded", "(AUTHENTICATING)",
        "AUTHENTICATING", "onAcquired", "onAuthenticationFailed", "onError", "(AUTHENTICATING)",
        "GETTING_AUTHENTICATOR_ID", "onAuthenticatorIdRetrieved", "(GETTING_AUTHENTICATOR_ID)",
        "onSessionClosed", "(session)",
    ]  # fmt: skip
    fields = {e["name"]: e["args"] for e in of(found, "session fingerprint 0") if e["ph"] == "X"}
    assert fields["onAcquired"] == {"info": "GOOD", "vendor_code": 0}
    assert fields["onEnrollmentProgress"] == {"remaining": 0}
    assert fields["onAuthenticationSucceeded"] == {"token": True}
    assert fields["onError"] == {"error": "CANCELED", "vendor_code": 0}
    assert fields["onChallengeGenerated"] == fields["onAuthenticatorIdRetrieved"] == {}
    assert open_ends(found) == []


def test_each_frame_and_each_event_of_the_caller(played: Played) -> None:
    found = of(events(played.path), "caller")
    begins, ends = ([e["args"] for e in found if e["ph"] == phase] for phase in "BE")
    sent = played.client.sent
    assert [(args["frame"], args["in_bytes"]) for args in begins] == [
        (number, 4 + len(body)) for number, body in enumerate(sent, start=1)
    ]
    assert [args["result"] for args in ends if args["result"] != "OK"] == ["session.in_use"]
    frames = [len(frame) + 4 for frame in played.client.received]
    assert sum(args["out_bytes"] for args in ends) < sum(frames)
    assert {args["out_bytes"] for args in ends} <= set(frames)
    assert [e["args"]["sequence"] for e in found if e["ph"] == "i"] == list(range(1, 15))


def test_nothing_of_a_person_is_in_it(played: Played) -> None:
    text = played.path.read_bytes()
    for secret in played.secrets:
        assert not [form for form in forms(secret) if form in text], secret
    assert not [number for number in played.numbers if str(number).encode() in text]
    assert {key for event in events(played.path) for key in event["args"]} <= SHOWN_KEYS | OF_SESSIONS


def test_what_follows_from_a_frame_stands_below_it(played: Played) -> None:
    found = events(played.path)
    lines = timed_lines(found)
    succeeded = next(line for line in lines if line.name == "onAuthenticationSucceeded")
    present = max(n for n, line in enumerate(lines) if line.name == "present" and line.at_us < succeeded.at_us)
    until = lines[present].at_us + (lines[present].lasted_us or 0)
    depth = {line.name: line.depth for line in lines[present + 1 :] if line.at_us < until}
    assert {"authenticate", "onAcquired", "onAuthenticationSucceeded", "COMMIT", "ACQUIRED"} <= set(depth)
    assert depth["COMMIT"] > depth["authenticate"] > lines[present].depth
    flows = arrows(found)
    assert {(flow.source, flow.target) for flow in flows} == {("caller", "session fingerprint 0")}
    assert len(flows) == len([line for line in lines if line.category == "session" and line.name != "session"])
    times = [e["args"]["boot_ms"] for e in found if e["ph"] == "C"]
    assert times[-1] >= times[0] + 1000
    assert times == sorted(times)


def test_a_secure_world_that_is_killed_ends_the_session(path: Path, tmp_path: Path) -> None:
    with device(tmp_path / "device") as made:
        client = Client(made)
        client.ask("add_user", USER)
        client.ask("create_session", USER, 1)
        os.kill(made.running.process.pid, signal.SIGKILL)
        made.running.process._process.wait()
        client.ask("users")
        assert client.names() == ["RESTARTED"]
    found = events(path)
    last = of(found, "session face 1")[-1]
    assert (last["ph"], last["name"], last["args"]) == ("E", "session", {"how": "the secure world ended"})
    assert told(found, "caller")[-3:] == ["users", "RESTARTED", "(users)"]


def test_frames_of_version_1(path: Path, tmp_path: Path) -> None:
    requests = tmp_path / "requests"
    frames = [bytes.fromhex("8401070380"), bytes.fromhex("84010818ff80")]
    requests.write_bytes(b"".join(len(frame).to_bytes(4, "little") + frame for frame in frames))
    with (
        Device.init(tmp_path / "device", DeviceOptions()) as device,
        requests.open("rb") as source,
        (tmp_path / "answers").open("wb") as sink,
    ):
        assert loop.serve(source, sink, DeviceService(device)) == 2
    found = [(e["name"], e["args"]) for e in of(events(path), "caller")]
    sizes = [e["out_bytes"] for _, e in found if "out_bytes" in e]
    assert found == [
        ("users", {"frame": 7, "in_bytes": 9}), ("users", {"result": "OK", "out_bytes": sizes[0]}),
        ("method 255", {"frame": 8, "in_bytes": 10}),
        ("method 255", {"result": "serve.method", "out_bytes": sizes[1]}),
    ]  # fmt: skip
    hello_bytes = 4 + int.from_bytes((tmp_path / "answers").read_bytes()[:4], "little")
    assert sum(sizes) + hello_bytes == (tmp_path / "answers").stat().st_size


def test_a_callback_says_no_more_than_what_is_listed(path: Path) -> None:
    class Anything:
        token = b"secret"
        enrollment_id = challenge = 4711
        error, reason, ids = 5, "wilhelmina of orange", (1, 2, 3)

    session = watch_session("fingerprint 0", {"error": {5: "CANCELED"}})
    session.callback(Anything())
    (shown,) = [e["args"] for e in of(events(path), "session fingerprint 0") if e["ph"] == "X"]
    assert shown == {"error": "CANCELED", "ids": 3}
    caller().asked("x")
    caller().answered(code="Wilhelmina of Orange")
    assert of(events(path), "caller")[-1]["args"] == {"result": "refused"}


def test_without_a_file_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(timeline.VARIABLE, raising=False)
    session = watch_session("fingerprint 0", {})
    assert type(session) is SessionEvents
    session.callback(json)
    session.state("ENROLLING", 1)
    session.died()
    assert caller() is caller()
