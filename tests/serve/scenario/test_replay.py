"""A scenario is replayed byte for byte: again, in another process, with another hash seed; a change is found."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioguard.device import DeviceOptions
from bioguard.errors import InputRefused
from bioguard.exit_codes import ExitCode
from bioguard.serve.scenario.compare import first_difference
from bioguard.serve.scenario.run import Outcome, check, require_repeatable, run
from bioguard.simulate.scenario.steps import Told
from bioguard.simulate.scenario.writer import scenario_text
from tests.contract.test_device import run as command
from tests.serve.scenario.test_examples import FOLDER, read
from tests.unlocked import unlocked_devices

HEAD = """\
format = "bioguard-scenario 2"
seed = 3

[device]
seed = "replay"
clock = "fixed:2026-01-31T12:00:00Z"
"""
PERSON = """
[[input]]
call = "add_user"
name = "alice"

[[input]]
call = "consent"
name = "alice"
modality = "face"
purposes = ["unlock", "key-use"]
days = 30
of_age = true

[[input]]
call = "set_pin"
name = "alice"
pin = "4711"

[[input]]
call = "create_session"
name = "alice"
sensor = 1
"""


def inputs(*rows: tuple[str, str]) -> str:
    return "".join(f'\n[[input]]\ncall = "{call}"\n{fields}\n' for call, fields in rows)


def look(person: int, impression: int, session: int = 1) -> tuple[str, str]:
    sample = f"{{ person = {person}, position = 0, impression = {impression} }}"
    return "present", f"session = {session}\nsample = {sample}"


TOKEN = (
    ("generate_challenge", "session = 1"),
    ("verify_pin", 'name = "alice"\npin = "4711"\nchallenge = { from = "CHALLENGE_GENERATED.challenge" }'),
)
AUTHENTICATE = ("authenticate", "session = 1\noperation_id = 5")
STORY = HEAD + PERSON + inputs(
    *TOKEN,
    ("enroll", 'session = 1\ntoken = { from = "verify_pin.token" }'),
    *(look(1, number) for number in range(3)),
    AUTHENTICATE, look(1, 3),
    ("fault_set", 'name = "quality_sequence"\nvalue = "3,1"'),
    ("fault_set", 'name = "sensor_noise"\nvalue = "0.1"'),
    ("fault_set", 'name = "operation_authenticate_latency"\nvalue = "100,900"'),
    AUTHENTICATE, look(1, 4), look(1, 5),
    ("fault_clear", 'name = ""'),
    *(row for wrong in range(5) for row in (AUTHENTICATE, look(40 + wrong, 0))),
    AUTHENTICATE, ("lock_status", 'name = "alice"\nsensor = 1'),
    ("clock_advance", "ms = 40000"),
    AUTHENTICATE, look(1, 6),
    ("verify_pin", 'name = "alice"\npin = "0000"\nchallenge = 0'),
    ("add_user", 'name = "bob"'),
    ("reboot", ""),
    AUTHENTICATE,
    ("create_session", 'name = "alice"\nsensor = 1'),
    ("authenticate", "session = 2\noperation_id = 0"), look(1, 7, session=2),
    ("enumerate_enrollments", "session = 2"),
    ("remove_enrollments", 'session = 2\nids = [{ from = "ENROLLMENTS_ENUMERATED.ids.0" }]'),
    ("records", 'name = "alice"'),
)  # fmt: skip
"""Enroll, authenticate, noise, latency, lockout, clock, refusals, a reboot, an erasure."""


def played(tmp_path: Path, text: str = STORY) -> Outcome:
    path = tmp_path / "story.toml"
    path.write_text(text, "utf-8")
    with unlocked_devices():
        return run(read(path), DeviceOptions())


def digest(outcome: Outcome) -> str:
    return hashlib.sha256(b"".join((b">" if sent else b"<") + frame for sent, frame in outcome.frames)).hexdigest()


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return played(tmp_path_factory.mktemp("once"))


def test_the_story_meets_what_it_is_about(once: Outcome) -> None:
    names = {str(told.what.get("event")) for told in once.told}
    lockouts = {"LOCKOUT_TIMED", "LOCKOUT_CLEARED"}
    assert lockouts | {"AUTHENTICATION_SUCCEEDED", "AUTHENTICATION_FAILED", "RESTARTED", "ENROLLMENTS_REMOVED"} <= names
    refusals = [told.what["refused"] for told in once.told if "refused" in told.what]
    assert refusals == ["session.state", "pin.wrong", "session.dead"]
    assert max(told.what["time_ms"] for told in once.told if "time_ms" in told.what) > 40_000


def test_every_frame_is_the_same_in_another_run_and_in_another_process(once: Outcome, tmp_path: Path) -> None:
    """The other process is the command line's: behind the lock, under another hash seed."""
    assert digest(played(tmp_path)) == digest(once)
    frames = tmp_path / "frames.bin"
    arguments = ["scenario", "frames", str(tmp_path / "story.toml"), "--out", str(frames)]
    environment = os.environ | {"PYTHONHASHSEED": "4711"}
    done = subprocess.run(
        [sys.executable, "-m", "bioguard.cli", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(frames.read_bytes()).hexdigest() == digest(once)


def test_another_seed_is_another_run(once: Outcome, tmp_path: Path) -> None:
    assert digest(played(tmp_path, STORY.replace('seed = "replay"', 'seed = "another"'))) != digest(once)


@pytest.fixture
def unlocked() -> Iterator[None]:
    with unlocked_devices():
        yield


@pytest.mark.usefixtures("unlocked")
def test_a_recording_replays_and_a_changed_event_is_found(tmp_path: Path) -> None:
    file = tmp_path / "recorded.toml"
    shipped = FOLDER / "enroll-and-unlock.toml"
    code, said = command(tmp_path, "scenario", "record", str(shipped), "--out", str(file))
    assert (code, said["outcome"], said["inputs"]) == (0, "recorded", len(read(shipped).scenario.inputs))
    assert file.read_text() == shipped.read_text()
    code, said = command(tmp_path, "scenario", "replay", str(file))
    assert (code, said["outcome"], said["difference"]) == (0, "same", None)
    text = file.read_text()
    file.write_text(text.replace("info = 1", "info = 2", 1))
    code, said = command(tmp_path, "scenario", "replay", str(file))
    assert (code, said["outcome"]) == (ExitCode.NO, "different")
    assert (
        said["difference"]["expected"]
        == 'after = 8; event = "ACQUIRED"; session = 1; time_ms = 0; info = 2; vendor = 0'
    )
    assert said["difference"]["came"] == 'after = 8; event = "ACQUIRED"; session = 1; time_ms = 0; info = 1; vendor = 0'
    file.write_text(text.rpartition("\n\n[[event]]")[0] + "\n")
    code, said = command(tmp_path, "scenario", "replay", str(file))
    assert (code, said["difference"]["expected"]) == (ExitCode.NO, "nothing more")
    assert 'event = "SESSION_CLOSED"' in said["difference"]["came"]


def test_the_first_difference_is_the_first() -> None:
    one, two, other = (Told(after, {"event": "ACQUIRED", "info": info}) for after, info in ((1, 1), (2, 1), (2, 3)))
    assert first_difference((one, two), (one, two)) is None
    found = first_difference((one, two), (one, other))
    assert found is not None
    assert (found.number, found.after, found.expected, found.came) == (
        2, 2, 'after = 2; event = "ACQUIRED"; info = 1', 'after = 2; event = "ACQUIRED"; info = 3',
    )  # fmt: skip
    moved = first_difference((one,), (Told(2, one.what),))
    assert moved is not None


MISTAKES = (
    ("add_user", "nam", "unknown_key", "10: input.0.nam: unknown key"),
    ("add_usr", "name", "wrong_value", "9: input.0.call: 'add_usr' is no method"),
    ("hello", "name", "wrong_value", "9: input.0.call: 'hello' is no method"),
)


@pytest.mark.parametrize(("call", "key", "misfit", "said"), MISTAKES)
def test_a_wrong_input_is_named_with_its_line(tmp_path: Path, call: str, key: str, misfit: str, said: str) -> None:
    assert_refused(tmp_path, f'\n[[input]]\ncall = "{call}"\n{key} = "alice"\n', misfit, said)


FIELDS = (
    ('name = "alice"\nsensor = 16', "out_of_range", "11: input.0.sensor: sensor"),
    ('name = "alice"\nsensor = "0x10"', "out_of_range", "11: input.0.sensor: sensor"),
    ('name = "alice"\nsensor = "one"', "wrong_type", "11: input.0.sensor: expected an integer, found 'one'"),
    ('name = "alice"\nsensor = true', "wrong_type", "11: input.0.sensor: expected an integer, found a boolean"),
    ('name = "alice"', "missing_key", "8: input.0.sensor: missing"),
    ("name = 5\nsensor = 0", "wrong_type", "10: input.0.name: expected text in quotes, found an integer"),
    (
        'name = "alice"\nsensor = { from = "nothing.at" }',
        "wrong_value",
        "11: input.0.sensor: 'nothing' is no method or event",
    ),
    (
        'name = "alice"\nsensor = { from = "verify_pin.tokens" }',
        "wrong_value",
        "11: input.0.sensor: 'verify_pin.tokens': verify_pin has token",
    ),
    (
        'name = "alice"\nsensor = { from = "verify_pin.token", nth = 0 }',
        "out_of_range",
        "11: input.0.sensor: nth is counted from 1",
    ),
)


@pytest.mark.parametrize(("fields", "misfit", "said"), FIELDS)
def test_a_wrong_field_is_named_with_its_line(tmp_path: Path, fields: str, misfit: str, said: str) -> None:
    assert_refused(tmp_path, f'\n[[input]]\ncall = "create_session"\n{fields}\n', misfit, said)


def assert_refused(tmp_path: Path, text: str, misfit: str, said: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(HEAD + text, "utf-8")
    with pytest.raises(InputRefused) as refused:
        check(read(path))
    assert refused.value.message.startswith(f"wrong.toml:{said}")
    assert refused.value.code == f"scenario.{misfit}"


def test_what_has_not_come_cannot_be_taken(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"input.0.token: verify_pin has come 0 times before$") as refused:
        played(tmp_path, HEAD + inputs(("check_token", 'token = { from = "verify_pin.token" }')))
    assert refused.value.message.startswith("story.toml:10: ")


def test_a_device_of_chance_cannot_be_replayed(tmp_path: Path) -> None:
    for name in ("seed", "clock"):
        path = tmp_path / "chance.toml"
        lines = [line for line in HEAD.splitlines() if not line.startswith(f'{name} = "')]
        path.write_text("\n".join(lines), "utf-8")
        with pytest.raises(InputRefused, match=rf"^chance.toml: device.{name}: missing, so no run is like another$"):
            require_repeatable(read(path))


def test_a_sample_may_stand_in_a_file_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\x01")
    text = HEAD + PERSON + inputs(
        AUTHENTICATE, ("present", 'session = 1\nform = "canonical"\nsample = { file = "x.bin" }')
    )  # fmt: skip
    outcome = played(tmp_path, text)
    assert outcome.frames[-2][1].endswith(b"\x41\x01\xf6")
    with pytest.raises(InputRefused, match=r"input.5.sample: no.bin: No such file or directory$"):
        played(tmp_path, text.replace("x.bin", "no.bin"))


def test_a_written_scenario_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "story.toml"
    path.write_text(STORY, "utf-8")
    first = read(path)
    path.write_text(scenario_text(first.scenario), "utf-8")
    assert read(path).scenario == first.scenario
    assert json.dumps([dict(one.fields) for one in first.scenario.inputs])
