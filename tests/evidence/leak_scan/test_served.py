"""What a server tells and writes is held field by field: each thing more, and each thing otherwise, is a complaint."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from bioguard.device import Device, DeviceOptions, pins
from bioguard.evidence import leak_scan
from bioguard.evidence.leak_scan import Life, Scanner, make_canaries
from bioguard.evidence.leak_scan.exercise_device import _forms
from bioguard.evidence.leak_scan.exercise_serve import PIPE, SERVED, serve
from bioguard.evidence.leak_scan.told import Served
from tee_sim.normal.sandbox_verdict.level import Level

Doctor = Callable[[Served], Served]
CANARIES = make_canaries(77, with_key=False)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = tmp_path_factory.mktemp("served")
    (folder / "sources").mkdir()
    options = DeviceOptions(allow_level=Level.NOT_ENFORCED)
    with Device.init(folder / "device", options, require_pin=False) as device:
        device.add_user(CANARIES.name)
        pins.set_pin(device, CANARIES.name, CANARIES.pin)
    serve(folder / "device", folder, CANARIES, _forms(CANARIES, make_canaries(78, with_key=False)))
    assert (folder / SERVED / PIPE).stat().st_size > 10_000
    return Served.read(folder / SERVED)


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(CANARIES)


def _found(scanner: Scanner, left: Served, *tokens: bytes) -> set[tuple[str, str]]:
    life = Life(sources=tuple(left.sources()), carried=b"", memory=b"", tokens=tokens, served=left)
    canaries = (finding for name, data in life.sources for finding in scanner.scan(name, data))
    found = [*(f for f in canaries if not leak_scan._belongs(f)), *leak_scan._identities(scanner, life)]
    return {(finding.source, finding.form) for finding in found}


def test_a_good_server_tells_nothing_more(served: Served, scanner: Scanner) -> None:
    assert list(served.complaints()) == []
    assert _found(scanner, served) == set()
    assert CANARIES.name.encode() in dict(served.sources())["answers with names of the server"]
    for canary in (CANARIES.name.encode(), CANARIES.pin, CANARIES.embedding.to_bytes(), CANARIES.finger.to_bytes()):
        assert canary in served.carried


def _frame(about: str, change: Callable[[list[Any]], object], *, last: bool = False, nth: int = 0) -> Doctor:
    """The first event of the n-th exchange about this, or its last frame, changed."""

    def doctor(served: Served) -> Served:
        exchanges = cbor2.loads(cbor2.dumps(list(served.exchanges)))
        frames = [one for one in exchanges if one[0] == about][nth][4]
        frame = cbor2.loads(frames[-1 if last else 0][0])
        change(frame)
        frames[-1 if last else 0][0] = cbor2.dumps(frame)
        return replace(served, exchanges=exchanges)

    return doctor


def _put(place: int, value: object, *way: int) -> Callable[[list[Any]], object]:
    def change(frame: list[Any]) -> None:
        for step in way:
            frame = frame[step]
        frame[place] = value

    return change


def _line(**args: object) -> Doctor:
    event = {"name": "x", "ph": "i", "ts": 1, "s": "t", "cat": "caller", "pid": 1, "tid": 1, "args": args}
    line = json.dumps(event, separators=(",", ":")).encode() + b",\n"
    return lambda served: replace(served, timeline=served.timeline + line)


def _written(old: str, new: str) -> Doctor:
    def doctor(served: Served) -> Served:
        text = served.conversation.decode()
        assert old in text
        return replace(served, conversation=text.replace(old, new, 1).encode())

    return doctor


DOCTORED: dict[str, tuple[Doctor, str]] = {
    "a score in a field": (_frame("a stranger 1", _put(1, 41, 3, 3)), "a stranger 1: other events"),
    "a flag for a number": (_frame("a stranger 1", _put(0, True, 3, 3)), "a stranger 1: other events"),
    "a field more": (_frame("a stranger 2", lambda f: f[3][3].append(41)), "a stranger 2: other events"),
    "a text for an error": (_frame("cancel 1", _put(2, "pin 4711", 3, 3)), "cancel 1: other events"),
    "another enrollment": (_frame("enroll 2 2", _put(0, 9, 3, 3)), "enroll 2 2: other events"),
    "a score in a time": (_frame("a stranger 1", _put(1, 7, 3), nth=1), "another time than that of the event"),
    "an event left out": (_frame("a challenge", _put(0, 2, 3)), "events are not counted"),
    "a score in a refusal": (
        _frame("nothing waits", _put(1, "0.41", 3), last=True), "another text for another sample",
    ),
    "another code": (_frame("a wrong PIN", _put(0, "pin.near", 3), last=True), "a wrong PIN: another refusal"),
    "a refusal that is none": (_frame("locked", _put(2, 1), last=True), "locked: refused, or not refused"),
    "a score in an answer": (_frame("locked", _put(1, 41, 3), last=True), "locked: another answer"),
    "a person for a stranger": (
        _frame("search a stranger", _put(1, b"x", 3), last=True), "search a stranger: another answer",
    ),
    "a score for an operation": (_frame("authenticate", _put(0, 41, 3), last=True), "operations are not counted"),
    "a frame of five": (_frame("locked", lambda f: f.append(1), last=True), "cannot be read"),
    "a score on the timeline": (_line(score=41), "score is not listed so"),
    "a likeness on the timeline": (_line(in_bytes=0.41), "in_bytes is not listed so"),
    "a score in a listed number": (_line(vendor_code=41), "vendor_code is not listed so"),
    "a score in letters": (_line(level="EDB"), "level is not listed so"),
    "another event on the timeline": (_line(), "another member, or another name"),
    "bytes after the conversation": (
        lambda s: replace(s, exchanges=[*s.exchanges, ["end", 0, [], 0, [[b"\1\0\0\0\x58", 0]]]]), "cannot be read",
    ),
    "a name on the timeline": (_line(result="alice"), "result is not listed so"),
    "bytes on the timeline": (_line(names="00" * 20), "names is not listed so"),
    "spaces on the timeline": (
        lambda s: replace(s, timeline=s.timeline.replace(b'"args":', b'"args": ', 1)), "not in the one form",
    ),
    "no timeline": (lambda s: replace(s, timeline=b"[\n?,\n"), "cannot be read: JSONDecodeError"),
    "a remark in the recording": (_written("[device]", "# 0.41\n[device]"), "it has a comment"),
    "a key in the recording": (_written("[device]", "score = 41\n[device]"), "its head is not that of this device"),
    "a token in the recording": (
        _written('{ from = "verify_pin.token", nth = 1 }', f'"{"00" * 69}"'), "holds what the caller did not send",
    ),
    "an answer in the recording": (
        _written('call = "close"', 'call = "close"\nscore = 41'), "holds what the caller did not send",
    ),
    "a score in the recording": (
        _written("info = 1", "info = 41"), "what the caller was not told",
    ),
    "an input more": (lambda s: replace(s, conversation=s.conversation + b'[[input]]\ncall = "users"\n'), "number of"),
    "a recording for all": (lambda s: replace(s, modes=(0o600, 0o644)), "others may read it: mode 644"),
    "a timeline for all": (lambda s: replace(s, modes=(0o640, 0o600)), "others may read it: mode 640"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(DOCTORED))
def test_what_is_told_or_written_beside_the_page_is_a_complaint(what: str, served: Served) -> None:
    doctor, says = DOCTORED[what]
    complaints = [f"{where}: {complaint}" for where, complaint in doctor(served).complaints()]
    assert [line for line in complaints if says in line], complaints


def test_a_canary_on_the_timeline_is_found(served: Served, scanner: Scanner) -> None:
    token = b"t" * 7 + bytes(range(25))
    leaks = CANARIES.embedding.to_bytes().hex().encode() + b" " + CANARIES.name.encode() + b" " + CANARIES.pin[::-1]
    left = replace(served, timeline=served.timeline + leaks + b" " + token)
    assert _found(scanner, left, token) == {
        ("timeline of the server", form)
        for form in ("face f2<, hex", "user name, raw", "PIN, reversed", "token 0, raw")
    }
