"""`--trace FILE` writes what a command does, without its data; `trace show` prints it."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from bioguard.cli.__main__ import run
from bioguard.cli.command_line import FUSE_FILE, TRACE_VARIABLE
from bioguard.exit_codes import ExitCode
from tee_sim.normal import timeline
from tee_sim.normal.timeline_reader import read
from tests.tee_sim.test_timeline import SCHEMA, Event, of, open_ends, rows
from tests.unlocked import unlocked_devices

NAME, PIN = "wilhelmina-of-orange", "8264913570246813"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a device that is not made yet and a PIN."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BIOGUARD_DEVICE", str(tmp_path / "phone"))
    (tmp_path / "pin").write_text(f"{PIN}\n")
    return tmp_path


@pytest.fixture
def unlocked() -> Iterator[None]:
    """Secure worlds in this process: quicker, and without a row of their own."""
    with unlocked_devices():
        yield


def traced(line: str, *, expected: int = 0) -> None:
    """Run a command with a timeline."""
    assert run(["--trace", "t.json", "--no-input", "-q", *line.split()]) == expected, line


def events(path: Path) -> list[Event]:
    """The events of a file, held against the schema."""
    found = read(path.read_bytes())
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)
    return found


def test_the_variable_has_one_name() -> None:
    assert TRACE_VARIABLE == timeline.VARIABLE


@pytest.mark.usefixtures("unlocked")
def test_each_command_is_one_span_of_the_caller(here: Path) -> None:
    traced("device init")
    traced(f"user add {NAME}")
    traced(f"user add {NAME}", expected=ExitCode.NOT_PERMITTED)
    traced("nonsense", expected=ExitCode.USAGE)
    traced("audit", expected=ExitCode.USAGE)
    found = events(here / "t.json")
    assert open_ends(found) == []
    ends = [(e["name"], e["args"]) for e in of(found, "caller") if e["ph"] == "E"]
    assert ends == [
        ("device init", {"exit_code": 0}), ("user add", {"exit_code": 0}), ("user add", {"exit_code": 5}),
        ("bioguard", {"exit_code": 2}), ("audit", {"exit_code": 2}),
    ]  # fmt: skip
    assert {"caller", "disk", "RPMB"} <= set(rows(found))
    assert TRACE_VARIABLE not in os.environ


def test_knobs_of_a_sensor_stand_where_they_are_played(here: Path) -> None:
    traced("fault play knob:quality_sequence=2 knob:spoof_score=0.7 knob:enrollments=1 authenticate touch touch")
    found = events(here / "t.json")
    assert [(e["name"], e["args"]) for e in of(found, "faults")] == [
        (f"{knob}: set", {"passage": passage}) for passage in (1, 2) for knob in ("quality_sequence", "spoof_score")
    ]
    assert b"0.7" not in (here / "t.json").read_bytes()
    callbacks = [e["name"] for e in of(found, "session fingerprint 0") if e["ph"] == "X"]
    assert callbacks[0] == "onAcquired"
    assert open_ends(found) == ["session", "AUTHENTICATING"]  # nobody closed it


def test_no_timeline_is_put_among_the_files_of_a_device(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / FUSE_FILE).write_text("{}")
    for name in ("scenario.toml", "lock"):
        assert run(["--device", str(here), "--trace", str(here / name), "user", "list"]) is ExitCode.INPUT_REFUSED
        assert "error[trace.unwritable]" in capsys.readouterr().err
        assert not (here / name).exists()


def test_a_file_that_is_no_timeline_is_refused_before_anything_is_made(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "t.json").write_text("{}")
    traced("device init", expected=ExitCode.INPUT_REFUSED)
    assert capsys.readouterr().err.splitlines() == [
        f"bioguard: error[trace.unwritable]: no timeline can be written to {str(here / 't.json')!r}: "
        "it holds something else",
        "hint: name a new file, or one that holds a timeline: events are added to it",
    ]
    assert not (here / "phone").exists()
    assert (here / "t.json").read_text() == "{}"


@pytest.mark.parametrize("line", [["--trace"], ["--trace", "", "user", "list"]])
def test_an_option_without_a_file_is_refused(here: Path, line: list[str]) -> None:
    assert run(line) == ExitCode.USAGE


def forms(secret: bytes) -> list[bytes]:
    """How a secret may stand in a text: raw, in hex, in base64 at each of the three offsets, as a list of numbers."""
    encoded = [base64.b64encode(bytes(skip) + secret)[4 if skip else 0 : -4] for skip in range(3)]
    urlsafe = [text.translate(bytes.maketrans(b"+/", b"-_")) for text in encoded]
    numbers = str(list(secret))[1:-1].encode()
    return [secret, secret.hex().encode(), secret.hex().upper().encode(), *encoded, *urlsafe, numbers]


def test_the_search_finds_each_form() -> None:
    """Positive control: whatever stands before and behind."""
    secret = b"a token of 69 bytes"
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret + b"behind")
        assert any(form in text for form in forms(secret))
    for text in (secret, secret.hex().encode(), str([7, *secret, 8]).encode()):
        assert any(form in text for form in forms(secret))


SHOWN_KEYS = {
    "exit_code", "name", "profile", "level", "epoch", "clock", "randomness", "condition", "how", "session", "command",
    "in_bytes", "room_bytes", "out_bytes", "result", "origin", "request_bytes", "reply_bytes", "objects", "pages",
    "anchor", "names", "request_frames", "reply_frames", "address", "wall_ms", "boot_ms", "ms", "others", "frame",
    "sequence", "passage",
}  # fmt: skip
"""All that an event says: no key for a score, a threshold, a token or a text of anybody."""


def test_nothing_of_a_person_is_in_it(here: Path) -> None:
    assert run(["samples", "samples", "--people", "1", "-q"]) == 0
    pin = "--pin-file pin"
    touches = " ".join(f"samples/alice-touch{i}.iso" for i in (1, 2, 3))
    for line in (
        "device init",
        f"user add {NAME}",
        f"pin set {NAME} {pin}",
        f"consent grant {NAME} --purpose unlock --purpose key-use --purpose identify --of-age {pin}",
        f"enroll {NAME} --finger right-index {touches} {pin}",
        f"authenticate {NAME} samples/alice-touch4.iso --operation-id 1311768467463790320 --token token.bin",
        f"pin verify {NAME} {pin} --token pin-token.bin",
        "identify samples/alice-touch5.iso",
    ):
        traced(line)
    found = events(here / "t.json")
    text = (here / "t.json").read_bytes()
    names = {e["name"] for e in found if e["cat"] == "command"}
    assert {"enroll", "authenticate", "identify", "verify pin"} <= names
    tokens = [(here / name).read_bytes() for name in ("token.bin", "pin-token.bin")]
    touch = (here / "samples/alice-touch4.iso").read_bytes()
    secrets = [NAME.encode(), PIN.encode(), touch[40:64], (1311768467463790320).to_bytes(8, "little")]
    secrets += [token[at : at + 8] for token in tokens for at in range(1, len(token) - 8, 8) if any(token[at : at + 8])]
    for secret in secrets:
        assert not [form for form in forms(secret) if form in text], secret
    assert b"1311768467463790320" not in text
    assert {key for event in found for key in event["args"]} <= SHOWN_KEYS


def test_show_prints_lanes_below_each_other(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    traced("device init")
    capsys.readouterr()
    assert run(["trace", "show", "t.json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[2:] == ["caller", "device", "init", "exit_code=0"]
    (configure,) = [line for line in lines if " configure " in line]
    commit = lines[lines.index(configure) + 1]
    assert commit.index("COMMIT") == configure.index("configure") + 2
    assert run(["trace", "show", "t.json", "--lane", "caller"]) == 0
    assert capsys.readouterr().out.splitlines() == lines[:1]
    assert run(["trace", "show", "t.json", "--lane", "caller", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(e["lane"], e["name"], e["args"]) for e in said["events"]] == [("caller", "device init", {"exit_code": 0})]
    assert said["left_out_bytes"] == 0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "error[trace.unreadable]: t.json cannot be read: No such file or directory"),
        ("", "error[trace.damaged]: t.json: line 1 of the timeline is not `[`"),
        ('[\n{"name":"x"},\n', "error[trace.damaged]: t.json: line 2 of the timeline is no event"),
    ],
)
def test_what_is_no_timeline(here: Path, capsys: pytest.CaptureFixture[str], text: str | None, error: str) -> None:
    if text is not None:
        (here / "t.json").write_text(text)
    assert run(["trace", "show", "t.json"]) == ExitCode.INPUT_REFUSED
    assert capsys.readouterr().err.splitlines() == [
        f"bioguard: {error}", "hint: write one with: bioguard --trace FILE COMMAND",
    ]  # fmt: skip


@pytest.mark.usefixtures("unlocked")
def test_a_cut_file_is_shown_as_far_as_it_goes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    traced("device init")
    whole = (here / "t.json").read_bytes()
    (here / "t.json").write_bytes(whole[:-9])
    left = len(whole[:-9]) - whole[:-9].rfind(b"\n") - 1
    capsys.readouterr()
    assert run(["trace", "show", "t.json"]) == 0
    said = capsys.readouterr()
    assert said.err == f"note: the last line of t.json was not written to its end: {left} bytes are left out\n"
    assert said.out.splitlines()[0].split() == ["0.000", "caller", "device", "init"]
