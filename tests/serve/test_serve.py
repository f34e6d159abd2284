"""The frame protocol: frames, strictness, methods on a real device, and the C client."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.commands.status import Nothing
from bioguard.device import Device, DeviceOptions, consent
from bioguard.errors import InputRefused, NotPermitted
from bioguard.formats import write_ansi2004, write_iso2005
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.serve import protocol as p
from bioguard.serve.loop import serve
from bioguard.serve.methods import METHODS, TABLE, DeviceService
from bioguard.serve.protocol import SampleForm
from bioguard.serve.samples import read_sample
from bioguard.simulate.people import face_views, finger_impressions
from tee_sim.shared import codec
from tee_sim.shared.schema import Record

ROOT = Path(__file__).parents[2]
HELLO = p.Hello(version=1, software="x", simulated=True, sandbox_level="test", device_is_seeded=True)


def frame(value: object) -> bytes:
    body = codec.encode(value)
    return len(body).to_bytes(4, "little") + body


def frames(data: bytes) -> list[list]:
    found = []
    while data:
        size = int.from_bytes(data[:4], "little")
        found.append(codec.decode(data[4 : 4 + size]))
        data = data[4 + size :]
    return found


def echo(method: int, request: Record) -> Record:
    if method == 0:
        return HELLO
    if method == 2:
        raise NotPermitted("no — never", hint="stop", code="test.no")
    return Nothing()


def talk(data: bytes) -> list[list]:
    sink = io.BytesIO()
    serve(io.BytesIO(data), sink, echo)
    return frames(sink.getvalue())


def test_hello_comes_first_and_unasked() -> None:
    assert talk(b"") == [[1, 0, 0, [1, "x", True, "test", True]]]


def test_answers_carry_the_id_and_come_in_order() -> None:
    said = talk(frame([1, 7, 1, [b"a"]]) + frame([1, 4294967295, 1, [b"b"]]))
    assert said[1:] == [[1, 7, 0, []], [1, 4294967295, 0, []]]


def test_a_refusal_is_an_answer_and_the_conversation_goes_on() -> None:
    said = talk(frame([1, 1, 2, [b"a", b"", False]]) + frame([1, 2, 1, [b"a"]]))
    assert said[1] == [1, 1, 1, ["test.no", "no \\u2014 never", "stop", 5]]
    assert said[2] == [1, 2, 0, []]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ([1, 1, 99, []], "serve.method"),
        ([1, 1, 1, []], "serve.request"),
        ([1, 1, 1, [b"a", 1]], "serve.request"),
        ([1, 1, 1, ["text"]], "serve.request"),
        ([1, 1, 20, [b"a", 3]], "serve.request"),
        ([1, 1, 1, {}], "serve.request"),
    ],
)
def test_bad_requests_are_refused_and_the_conversation_goes_on(request_: list, code: str) -> None:
    said = talk(frame(request_) + frame([1, 2, 1, [b"a"]]))
    assert (said[1][1], said[1][2], said[1][3][0]) == (1, 1, code)
    assert said[2] == [1, 2, 0, []]


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\0",
        b"\0\0",
        (1 << 21).to_bytes(4, "little"),
        b"\5\0\0\0abc",
        frame([2, 1, 1, [b"a"]]),
        frame([1, 1, 1]),
        frame([1, -1, 1, []]),
        frame([1, True, 1, []]),
        b"\6\0\0\0\x84\x18\x01\x01\x01\x80",
        b"\1\0\0\0\xff",
    ],
    ids=["zero", "short", "huge", "cut", "version", "fields", "id", "bool", "long-integer", "not-cbor"],
)
def test_what_is_no_frame_ends_the_conversation_with_a_refusal(data: bytes) -> None:
    sink = io.BytesIO()
    with pytest.raises(InputRefused) as caught:
        serve(io.BytesIO(data + frame([1, 2, 1, [b"a"]])), sink, echo)
    assert caught.value.code == "serve.malformed"
    last = frames(sink.getvalue())[-1]
    assert (last[:3], last[3][0], last[3][3]) == ([1, 0, 1], "serve.malformed", 4)


@given(st.binary(max_size=60))
def test_any_bytes_end_in_frames_or_our_error(data: bytes) -> None:
    sink = io.BytesIO()
    with contextlib.suppress(InputRefused):
        serve(io.BytesIO(data), sink, echo)
    assert all(len(f) == 4 for f in frames(sink.getvalue()))


def test_every_method_has_a_number_and_a_name_of_its_own() -> None:
    assert len(METHODS) == len(TABLE) == len({m.name for m in TABLE})
    assert [m.number for m in TABLE] == sorted(METHODS)
    assert {kind for m in TABLE for kind in (m.request, m.reply)} - {Nothing} | {p.RefusalFrame} == {
        kind for kind in vars(p).values() if isinstance(kind, type) and issubclass(kind, Record) and kind is not Record
    }


def test_samples_in_their_three_forms() -> None:
    vector = np.random.default_rng(1).normal(size=128).astype("<f4")
    face = FaceEmbedding.from_features(vector)
    assert read_sample(p.SampleForm.FLOAT32, vector.tobytes()) == (face, "")
    assert read_sample(p.SampleForm.CANONICAL, face.to_bytes()) == (face, "")
    finger = FingerprintTemplate.from_minutiae([10.0, 20], [30.0, 40], [0.0, 1], width_px500=300, height_px500=400)
    assert read_sample(p.SampleForm.CANONICAL, finger.to_bytes()) == (finger, "")
    for form, data in (
        (2, b""),
        (2, b"abc"),
        (0, b""),
        (0, b"\1\7rest"),
        (1, b"FMR\0junk"),
        (0, face.to_bytes() + b"x"),
    ):
        with pytest.raises(InputRefused):
            read_sample(p.SampleForm(form), data)


@pytest.fixture
def device_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "served"
    Device.init(directory).close()
    return directory


def test_what_the_reader_warns_of_is_noted_once(device_dir: Path) -> None:
    octets = bytearray(write_iso2005(finger_impressions(1, person=0, count=1)[0], position=7))
    octets[18:22] = b"\0\x63\0\x63"
    sent, form = bytes(octets), int(SampleForm.MINUTIAE_FILE)
    notes: list[str] = []
    with Device.open(device_dir) as device:
        asked = [
            frame([1, 1, 21, [b"nobody", 2, form, [sent], b"", False]]),
            frame([1, 2, 23, [form, sent, 0]]),
            frame([1, 3, 23, [form, sent, 0]]),
        ]
        source, sink = io.BytesIO(b"".join(asked)), io.BytesIO()
        assert serve(source, sink, DeviceService(device, notes.append)) == len(asked)
    assert [note.rpartition("[")[2] for note in notes] == [
        "geometry.suspect_resolution]; further ones are not told",
        "header.finger]; further ones are not told",
    ]
    assert notes[0].startswith("a sample: header has 99 px/cm, which is 250 dpi")
    assert notes[1].startswith("a sample: its finger position is 7, it is taken as 2")


def test_what_a_file_states_of_its_extractor_is_passed_on(device_dir: Path) -> None:
    form = int(SampleForm.MINUTIAE_FILE)
    made = [
        write_ansi2004(touch, owner=owner, product=0x103)
        for owner, touch in zip((0x31, 0x32), finger_impressions(1, person=0, count=2), strict=True)
    ]
    with Device.open(device_dir) as device:

        def ask(number: int, *fields: object) -> list:
            source, sink = io.BytesIO(frame([1, 5, number, list(fields)])), io.BytesIO()
            serve(source, sink, DeviceService(device))
            return frames(sink.getvalue())[-1][3]

        ask(1, b"fritz")
        ask(4, b"fritz", 1, 365, True, b"")
        ask(10, b"fritz", b"4711", None)
        token = ask(11, b"fritz", b"4711", ask(20, b"fritz", 1)[0])[0]
        assert ask(21, b"fritz", 2, form, made, token, False)[0] == "serve.sample"
        assert ask(21, b"fritz", 2, form, made[:1], token, False)[0] == "match.not_calibrated"
        plain = [write_ansi2004(touch) for touch in finger_impressions(1, person=0, count=3)]
        assert ask(21, b"fritz", 2, form, plain, token, False)[2] == 3
        assert ask(22, b"fritz", form, made[0], 0, 0)[0] == "sample.other_extractor"
        assert ask(23, form, made[0], 0)[0] == "match.not_calibrated"  # nobody to be found


def command(directory: Path) -> list[str]:
    return [sys.executable, "-m", "bioguard.cli", "--device", str(directory), "serve", "--stdio"]


def test_a_whole_conversation_with_a_device(device_dir: Path) -> None:
    rng = np.random.default_rng(5)
    face = rng.normal(size=128)

    def sample(noise: float = 0.1) -> bytes:
        return (face + noise * rng.normal(size=128)).astype("<f4").tobytes()

    with subprocess.Popen(command(device_dir), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:

        def ask(method: str, *fields: object) -> list:
            number = next(m.number for m in METHODS.values() if m.name == method)
            child.stdin.write(frame([1, 5, number, list(fields)]))
            child.stdin.flush()
            return read(child)

        hello = read(child)
        assert (hello[3][0], hello[3][2]) == (1, True)
        assert ask("add_user", b"dora")[2:] == [0, []]
        assert ask("add_user", b"dora")[3][0] == "user.exists"
        assert ask("users")[3] == [[b"dora"]]
        assert ask("consent", b"dora", 2, 365, True, b"")[2] == 0
        views = [sample() for _ in range(3)]
        assert ask("enroll", b"dora", 0, 2, views, b"", False)[3][0] == "enroll.pin_required"
        sid = ask("set_pin", b"dora", b"4711", None)[3][0]
        assert ask("verify_pin", b"dora", b"0000", 0)[3][0] == "pin.wrong"
        challenge = ask("generate_challenge", b"dora", 2)[3][0]
        token = ask("verify_pin", b"dora", b"4711", challenge)[3][0]
        for refused in (b"", bytes(69)):
            assert ask("enroll", b"dora", 0, 2, views, refused, False)[3][0] == "token.refused"
        record_id, _, count = ask("enroll", b"dora", 0, 2, views, token, False)[3]
        assert count == 3
        assert ask("authenticate", b"dora", 2, sample(), 4242, 0)[3][0] == "consent.missing"
        match, matched, token = ask("authenticate", b"dora", 2, sample(), 0, 0)[3]
        assert (match, matched, len(token)) == (True, record_id, 69)
        authenticator = ask("authenticator_id", b"dora", 2)[3][0]
        assert ask("check_token", token)[3][:4] == [0, sid, authenticator, 2]
        assert ask("check_token", token[:-1] + b"\0")[3][0] == "token.rejected"
        for name, vector in (("match.dimension", face[:64]), ("match.not_centered", np.ones(128))):
            assert ask("authenticate", b"dora", 2, vector.astype("<f4").tobytes(), 0, 0)[3][0] == name
        stranger = rng.normal(size=128).astype("<f4").tobytes()
        for _ in range(5):
            assert ask("authenticate", b"dora", 2, stranger, 0, 0)[3] == [False, None, None]
        assert ask("lock_status", b"dora", 2)[3][0] == 1
        assert ask("authenticate", b"dora", 2, sample(), 0, 0)[3][0] == "lockout.timed"
        assert ask("unlock", b"dora", b"4711")[2:] == [0, []]
        assert ask("identify", 2, sample(), 0)[3] == [False, None, None]
        assert ask("records", b"dora")[3] == [[record_id]]
        assert ask("erase", b"dora", record_id, b"", False)[3][0] == "token.refused"
        assert ask("erase", b"dora", record_id, ask("verify_pin", b"dora", b"4711", 0)[3][0], False)[2] == 0
        assert ask("remove_user", b"dora", b"", True)[2:] == [0, []]
        child.stdin.close()
        assert child.wait(timeout=30) == 0


def test_consent_given_elsewhere_lets_keys_and_searches_through(device_dir: Path) -> None:
    """Method 4 grants unlocking and nothing else: identification and operations need a consent that names them."""
    views = [np.asarray(view.vector, "<f4").tobytes() for view in face_views(7, person=3, count=4)]
    with Device.open(device_dir) as device:

        def ask(number: int, *fields: object) -> list:
            source, sink = io.BytesIO(frame([1, 5, number, list(fields)])), io.BytesIO()
            serve(source, sink, DeviceService(device))
            return frames(sink.getvalue())[-1]

        ask(1, b"emil")
        assert ask(4, b"emil", 2, 365, True, b"")[2:] == [0, []]
        assert [grant.purpose for grant in consent.consents(device, "emil").grants] == [Purpose.UNLOCK]
        for purpose in Purpose:
            consent.grant(device, "emil", Modality.FACE, purpose, of_age=True)
        ask(10, b"emil", b"4711", None)
        token = ask(11, b"emil", b"4711", ask(20, b"emil", 2)[3][0])[3][0]
        record_id = ask(21, b"emil", 0, 2, views[:3], token, False)[3][0]
        match, matched, token = ask(22, b"emil", 2, views[3], 4242, 0)[3]
        assert (match, matched) == (True, record_id)
        assert ask(30, token)[3][0] == 4242
        assert ask(23, 2, views[3], 0)[3] == [True, b"emil", record_id]
        ones = np.ones(len(views[3]) // 4, "<f4").tobytes()
        for name, vector in (("match.dimension", views[3][:256]), ("match.not_centered", ones)):
            assert ask(23, 2, vector, 0)[3][0] == name
        assert ask(2, b"emil", b"", True)[2:] == [0, []]


def read(child: subprocess.Popen) -> list:
    size = int.from_bytes(child.stdout.read(4), "little")
    return codec.decode(child.stdout.read(size))


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
def test_the_c_client_enrolls_authenticates_and_checks_the_token(device_dir: Path, tmp_path: Path) -> None:
    client = tmp_path / "client"
    source = ROOT / "docs" / "examples" / "bioguard_client.c"
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run(["cc", *flags, "-o", str(client), str(source), "-lm"], check=True)
    done = subprocess.run([str(client), *command(device_dir)], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines() == [
        "server speaks version 1",
        "user added, PIN set",
        "face enrolled",
        "authenticated",
        "token is genuine: type 2",
    ]
    assert done.returncode == 0
    again = subprocess.run([str(client), *command(device_dir)], capture_output=True, text=True, check=False, timeout=60)
    assert (again.returncode, again.stderr) == (1, "client: refused: user.exists\n")


def test_a_server_goes_on_after_the_secure_world_has_died(device_dir: Path) -> None:
    notes: list[str] = []
    face = np.asarray(face_views(1, person=0, count=1)[0].vector, "<f4")
    with Device.open(device_dir, DeviceOptions(note=notes.append)) as device:
        asked = [
            frame([1, 1, 1, [b"alice"]]),
            frame([1, 2, 26, [b"alice", 2]]),
            frame([1, 3, 26, [b"alice", 2]]),
            frame([1, 4, 23, [int(SampleForm.FLOAT32), face[:64].tobytes(), 0]]),
            frame([1, 5, 0, []]),
            frame([1, 6, 26, [b"alice", 2]]),
        ]
        source, sink, service = io.BytesIO(b"".join(asked)), io.BytesIO(), DeviceService(device)

        def dies_at_the_second(method: int, request: Record) -> Record:
            if method == 26 and not notes:
                os.write(device.running.process._write_fd, b"\xff" * 8)
                notes.append("dealt")
            return service(method, request)

        assert serve(source, sink, dies_at_the_second) == len(asked)
    hello, added, dead, *rest = frames(sink.getvalue())
    assert (hello[2], added[2]) == (0, 0)
    assert (dead[1:3], dead[3][0], dead[3][3]) == ([2, 1], "tee.dead", 6)
    assert [(answer[1], answer[2]) for answer in rest if answer[1] != 4] == [(3, 0), (5, 0), (6, 0)]
    assert len(notes) == 2
    assert "was started again" in notes[1]
