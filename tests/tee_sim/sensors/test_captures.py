"""What a sensor reads goes to one application, once, for a minute; the normal world gets an id and a code."""

import importlib
import os
import time
from dataclasses import replace

import pytest

from tee_sim.normal.captured import Captured
from tee_sim.normal.client import Context
from tee_sim.normal.picture_pipe import send_picture
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.secure.ledger import ANSWERED_BITS, FINE_TIME_BITS, REFUSED_BITS, Ledger
from tee_sim.secure.sensors.desk import CAPTURED_BITS, CaptureDesk
from tee_sim.secure.sensors.local import LocalSensor, MadeSensor
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.limits import CAPTURE_LIFE_MS, MAX_CAPTURES
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.manifest_values import ManifestError
from tee_sim.shared.params import Param, operation
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.sensor_api import Reading
from tee_sim.shared.sensor_manifest import SensorFile, SensorManifest
from tee_sim.shared.wire import Boot, CaptureRequest, LockProfile, Return
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium
from tee_sim.testing.in_process import InProcessTee
from tests.tee_sim.locked.conftest import counter
from tests.tee_sim.sensors.conftest import DAY, NIGHT


@pytest.fixture
def tee(application: Manifest, sensor: SensorManifest) -> InProcessTee:
    other = replace(sensor, name="other")
    return InProcessTee([application], Service(MemoryBlobs(), RpmbDevice(MemoryMedium())), sensors=[sensor, other])


def judge(tee: InProcessTee, capture_id: bytes | None) -> bool:
    commands = importlib.import_module("light.commands")
    with Context(tee).open_session(commands.LIGHT_UUID) as session:
        answer: bool = session.call(commands.JUDGE, commands.Judge(capture_id=capture_id)).is_day
    return answer


def result(tee: InProcessTee, capture_id: bytes | None) -> TeeResult:
    with pytest.raises(TeeError) as refused:
        judge(tee, capture_id)
    return refused.value.result


def test_an_application_takes_what_the_sensor_has_read_and_takes_it_once(tee: InProcessTee) -> None:
    day, night = tee.capture("light", DAY), tee.capture("light", NIGHT)
    assert (day.acquired, day.host_end, len(day.capture_id or b"")) == (1, HostEnd.NONE, 16)
    assert day.capture_id != night.capture_id
    assert judge(tee, night.capture_id) is False
    assert judge(tee, day.capture_id) is True
    assert result(tee, day.capture_id) is TeeResult.ITEM_NOT_FOUND
    assert result(tee, bytes(16)) is TeeResult.ITEM_NOT_FOUND


def test_what_is_not_acquired_has_a_code_and_no_id(tee: InProcessTee) -> None:
    dark, short = tee.capture("light", bytes(4096)), tee.capture("light", DAY[:-1])
    assert [(c.acquired, c.capture_id) for c in (dark, short)] == [(2, None), (3, None)]


def test_a_capture_of_another_sensor_is_denied_and_is_not_used_up(tee: InProcessTee) -> None:
    other = tee.capture("other", DAY)
    assert result(tee, other.capture_id) is TeeResult.ACCESS_DENIED
    assert result(tee, other.capture_id) is TeeResult.ACCESS_DENIED


@pytest.mark.parametrize(("name", "picture"), [("nobody", DAY), ("light", b""), ("light", DAY + b"x")])
def test_what_cannot_be_a_capture_is_not_sent(tee: InProcessTee, name: str, picture: bytes) -> None:
    with pytest.raises(TeeError) as refused:
        tee.capture(name, picture)
    assert (refused.value.result, refused.value.origin) == (TeeResult.BAD_PARAMETERS, Origin.API)
    assert refused.value.hint


@pytest.mark.parametrize(
    "params",
    [
        (),
        operation(Param.number(1)),
        operation(None, Param.value(0, 1)),
        operation(None, Param.number(256)),
        operation(Param.output(15).filled(bytes(15)), Param.number(1)),
        operation(Param.output(17).filled(bytes(17)), Param.number(1)),
        operation(Param.memref(bytes(16)), Param.number(1)),
        operation(Param.output(16), Param.number(1)),
        (Param.none(), Param.number(1), Param.number(1), Param.none()),
        (Param.none(), Param.number(1), Param.none(), Param.output(4).filled(b"more")),
    ],
    ids=repr,
)
def test_an_answer_to_a_capture_is_an_id_and_a_code_or_the_world_is_killed(params: tuple[Param, ...]) -> None:
    killed: list[bool] = []
    answer = Return(result=TeeResult.SUCCESS, origin=Origin.TEE, params=params)
    with pytest.raises(TeeError) as refused:
        Captured.of(answer, "light", lambda: killed.append(True))
    assert (refused.value.result, killed) == (TeeResult.SECURITY, [True])


def test_two_sensors_have_two_names_and_room_for_their_processes(sensor: SensorManifest) -> None:
    with pytest.raises(ManifestError) as twice:
        Boot(manifests=(), profile=LockProfile.STRICT, sensors=(sensor, sensor))
    assert twice.value.code == "manifest.twice"
    many = tuple(replace(sensor, name=f"light{number}", spares=8) for number in range(4))
    own = tuple(replace(counter(), uuid=bytes([number]) * 16, spares=8) for number in range(1, 5))
    with pytest.raises(ManifestError) as crowded:
        Boot(manifests=own, profile=LockProfile.STRICT, sensors=many)
    assert crowded.value.key == "spares"


class Scripted:
    """A sensor that answers as it is told."""

    extractor = b"scripted"

    def __init__(self) -> None:
        self.says: object = Reading(1, 50, b"payload")

    def read(self, data: bytes) -> Reading:
        if isinstance(self.says, BaseException):
            raise self.says
        return self.says  # type: ignore[return-value]


class Desk(CaptureDesk):
    def __init__(self, manifest: SensorManifest) -> None:
        self.code, self.now_ms = Scripted(), 0
        made = MadeSensor.of(manifest, lambda _arguments, _files: self.code, {})
        local = LocalSensor(manifest, made, 0, lambda _number, size: bytes(size))
        self.rng = SeededRng(bytes(32))
        super().__init__([local], lambda *_: None, self.rng, lambda: self.now_ms, Ledger(), lambda _: None)

    def ask(self, size_bytes: int = 10) -> bytes:
        """The id of a capture; empty for none."""
        return self.capture(CaptureRequest(sensor=0, size_bytes=size_bytes)).params[0].buffer

    def has(self, capture_id: bytes) -> bool:
        try:
            return self.take(capture_id, ["light"]).payload == b"payload"
        except TeeError as error:
            assert error.result is TeeResult.ITEM_NOT_FOUND
            return False


@pytest.fixture
def desk(sensor: SensorManifest) -> Desk:
    return Desk(replace(sensor, max_sample_bytes=7))


@pytest.mark.parametrize(
    "says",
    [
        ValueError("a picture"),
        SystemExit(3),
        KeyboardInterrupt(),
        MemoryError(),
        RecursionError(),
        None,
        b"payload",
        (1, 50, b"payload"),
        Reading(1, 50, b"payload+"),
        Reading(256, 50, b""),
        Reading(-1, 50, b""),
        Reading(True, 50, b""),
        Reading(1, 101, b""),
        Reading(1, 50, bytearray(b"x")),  # type: ignore[arg-type]
        Reading(1, float("nan"), b""),  # type: ignore[arg-type]
        Reading(0, 50, b"payload"),
    ],
    ids=repr,
)
def test_whatever_is_no_sample_is_a_fault_and_the_next_one_is_read(desk: Desk, says: object) -> None:
    desk.code.says = says
    answer = desk.capture(CaptureRequest(sensor=0, size_bytes=10))
    assert (answer.result, answer.params[0].buffer, answer.params[1].as_number()) == (TeeResult.SUCCESS, b"", 0)
    desk.code.says = Reading(1, 50, b"payload")
    assert desk.has(desk.ask())


def test_a_capture_is_kept_for_a_minute(desk: Desk) -> None:
    first = desk.ask()
    desk.now_ms = CAPTURE_LIFE_MS - 1
    second = desk.ask()
    assert desk.has(first)
    desk.now_ms = 2 * CAPTURE_LIFE_MS - 1
    assert not desk.has(second)


def test_with_one_too_many_the_oldest_is_wiped(desk: Desk) -> None:
    first = desk.ask()
    kept = desk._kept[first]
    ids = [desk.ask() for _ in range(MAX_CAPTURES)]
    assert (len(desk._kept), bytes(kept.payload)) == (MAX_CAPTURES, bytes(7))
    assert not desk.has(first)
    assert all(map(desk.has, ids))


def test_what_was_taken_is_wiped(desk: Desk) -> None:
    capture_id = desk.ask()
    kept = desk._kept[capture_id]
    assert desk.has(capture_id)
    assert bytes(kept.payload) == bytes(7)


def test_the_core_refuses_a_size_and_a_sensor_that_are_none(desk: Desk) -> None:
    asked = [
        CaptureRequest(sensor=0, size_bytes=0),
        CaptureRequest(sensor=0, size_bytes=4097),
        CaptureRequest(sensor=1, size_bytes=1),
    ]
    answers = [desk.capture(message) for message in asked]
    assert all(answer.bits >= REFUSED_BITS for answer in answers)
    results = [answer.result for answer in answers]
    assert results == [TeeResult.EXCESS_DATA, TeeResult.EXCESS_DATA, TeeResult.ITEM_NOT_FOUND]


def test_an_answer_is_counted(desk: Desk) -> None:
    counted = ANSWERED_BITS + CAPTURED_BITS + FINE_TIME_BITS
    assert counted - 1 < desk.capture(CaptureRequest(sensor=0, size_bytes=10)).bits - 1 < counted < 19


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('name = "Light"', "sensor.name"),
        ('entry = "light"', "sensor.entry"),
        ("time_ms = 0", "sensor.time_ms"),
        ("spares = 9", "sensor.spares"),
        ("max_sample_bytes = 1000000", "sensor.max_sample_bytes"),
        ('code = ["../x"]', "sensor.code"),
        ('packages = ["a.b"]', "sensor.packages"),
        ('files = [{ path = "x", sha256 = "12" }]', "sensor.files.0.sha256"),
        ("shade = 1", "sensor.shade"),
    ],
)
def test_a_manifest_is_read_strictly(line: str, key: str) -> None:
    lines = {"name": 'name = "light"', "entry": 'entry = "light.sensor:LightSensor"'}
    lines[line.partition(" ")[0]] = line
    with pytest.raises(ManifestError) as refused:
        SensorManifest.from_toml("\n".join(["[sensor]", *lines.values()]), file="sensor.toml")
    assert (refused.value.key, refused.value.line > 0) == (key, True)


def test_files_are_given_as_the_manifest_states_them(sensor: SensorManifest) -> None:
    text = f'files = [{{ path = "net.onnx", sha256 = "{"ab" * 32}" }}]'
    parsed = SensorManifest.from_toml(f'[sensor]\nname = "a"\nentry = "a.b:C"\n{text}\n')
    assert parsed.files == (SensorFile(path="net.onnx", sha256=b"\xab" * 32),)
    assert SensorManifest.from_bytes(sensor.to_bytes()) == sensor


def test_a_picture_is_sent_no_further_once_there_is_an_answer_or_no_time() -> None:
    """A sensor's process that answers and does not read holds nobody."""
    (pictures, into), (answer, say) = os.pipe(), os.pipe()
    try:
        os.set_blocking(into, False)
        assert not send_picture(into, 1, bytes(1 << 20), answer, time.monotonic())
        os.write(say, b"!")
        assert send_picture(into, 1, bytes(1 << 20), answer, time.monotonic() + 60)
    finally:
        for fd in (pictures, into, answer, say):
            os.close(fd)
