"""PINs, tokens, lockout and faults on a real device: a locked child process, and the commands of the command line."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bioguard.cli.__main__ import run as command_line
from bioguard.commands.biometric import EraseAuthorization
from bioguard.commands.configuration import CONFIGURE, Configuration, LockoutChoice
from bioguard.commands.keystore import KeyAlgorithm
from bioguard.device import Device, DeviceOptions, keys, pins
from bioguard.device.boot_id import reboot
from bioguard.device.consent import grant_all
from bioguard.device.key_framework import KeyVerdict
from bioguard.errors import InputRefused, IntegrityFailure, NotPermitted, TeeUnavailable
from bioguard.exit_codes import ExitCode
from bioguard.hal.shared_secret import check_value
from bioguard.records import FaceEmbedding
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken, TokenRejected
from bioguard.simulate import faults
from bioguard.simulate.faults.scenario import Scenario


class Faces:
    def __init__(self) -> None:
        self.rng = np.random.default_rng(3)
        self.face = self.direction()

    def direction(self):
        vector = self.rng.normal(size=128)
        return vector / np.linalg.norm(vector)

    def genuine(self) -> FaceEmbedding:
        return FaceEmbedding.from_features(self.face + 0.2 * self.direction())

    def impostor(self) -> FaceEmbedding:
        return FaceEmbedding.from_features(self.direction())


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device with alice: PIN 1234, one face."""
    directory = tmp_path_factory.mktemp("device")
    populate(directory)
    return directory


def populate(directory: Path, options: DeviceOptions | None = None) -> None:
    faces = Faces()
    with Device.init(directory, options) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        pins.set_pin(device, "alice", b"1234")
        token = pins.enrollment_token(device, "alice", Modality.FACE, b"1234")
        device.enroll("alice", [faces.genuine() for _ in range(3)], token=token)


@pytest.fixture
def directory(template: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "device"
    copy.mkdir(mode=0o700)
    for path in template.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
        (copy / path.name).chmod(0o600)
    return copy


def test_tokens_live_over_processes_until_the_reboot(directory: Path) -> None:
    faces = Faces()
    with Device.open(directory) as device:
        answer = device.authenticate("alice", faces.genuine(), operation_id=77)
        token = pins.check_token(device, answer.token)
        assert (token.challenge, token.authenticator_type) == (77, 2)
        assert token.authenticator_id == pins.authenticator_id(device, "alice", Modality.FACE)
        assert answer.token not in repr(answer).encode()
    with Device.open(directory) as device:
        assert pins.check_token(device, answer.token) == token
        with pytest.raises(TokenRejected, match=r"^the secure world did not make this token in this boot$"):
            pins.check_token(device, AuthToken.sign(bytes(32), **fields(token)).to_bytes())
    reboot(directory)
    with Device.open(directory) as device, pytest.raises(TokenRejected):
        pins.check_token(device, answer.token)


def fields(token: AuthToken) -> dict[str, int]:
    return {f: getattr(token, f) for f in AuthToken.__slots__ if f != "mac"}


def test_enrollment_needs_the_pin_of_the_owner(directory: Path) -> None:
    faces = Faces()
    with Device.open(directory) as device:
        for token in (b"", pins.verify_pin(device, "alice", b"1234"), bytes(69)):
            with pytest.raises(NotPermitted) as caught:
                device.enroll("alice", [faces.impostor() for _ in range(3)], token=token)
            assert caught.value.code == "token.refused"


def test_lockout_over_processes_and_the_pin_ends_it(directory: Path) -> None:
    faces = Faces()
    with Device.open(directory) as device:
        for _ in range(5):
            assert not device.authenticate("alice", faces.impostor()).match
    with Device.open(directory) as device:
        info = pins.lock_info(device, "alice", Modality.FACE)
        assert info.lock is Lock.TIMED
        assert 0 < info.remaining_ms <= 30_000
        assert pins.lock_info(device, "alice", Modality.FINGERPRINT).lock is Lock.NONE, "each sensor stands alone"
        with pytest.raises(NotPermitted) as caught:
            device.authenticate("alice", faces.genuine())
        assert caught.value.code == "lockout.timed"
        with pytest.raises(NotPermitted, match=r"^the PIN is wrong$"):
            pins.unlock(device, "alice", b"0000")
        pins.unlock(device, "alice", b"1234")
        assert device.authenticate("alice", faces.genuine()).match


def test_pin_changes_and_throttling(directory: Path) -> None:
    with Device.open(directory) as device:
        first = AuthToken.from_bytes(pins.verify_pin(device, "alice", b"1234")).user_id
        assert pins.set_pin(device, "alice", b"5678", current=b"1234") == first
        for _ in range(4):
            with pytest.raises(NotPermitted, match=r"^the PIN is wrong$"):
                pins.verify_pin(device, "alice", b"1234")
        with pytest.raises(NotPermitted, match=r"^too many wrong PINs$") as caught:
            pins.verify_pin(device, "alice", b"1234")
        assert caught.value.hint == "wait 30 s, then try again"
        assert pins.set_pin(device, "alice", b"9999") != first
        with pytest.raises(NotPermitted) as owner:
            pins.unlock(device, "alice", b"9999")
        assert owner.value.code == "pin.not_owner"
        with pytest.raises(InputRefused, match=r"^a PIN has 1 to 256 bytes$"):
            pins.set_pin(device, "alice", b"")


def test_removing_a_user_removes_the_pin(directory: Path) -> None:
    with Device.open(directory) as device:
        device.remove_user("alice", EraseAuthorization(by_operator=True))  # the PIN that enrolled was reset above
        device.add_user("alice")
        assert not pins.has_pin(device, "alice")
        with pytest.raises(NotPermitted, match=r"^the user has no PIN$"):
            pins.verify_pin(device, "alice", b"1234")


def test_a_damaged_handle_file_is_an_integrity_failure(directory: Path) -> None:
    (directory / "pins.json").write_text('{"format": 1, "handles": {"00": "00"}}')
    with Device.open(directory) as device, pytest.raises(IntegrityFailure, match=r"^pins.json is damaged$"):
        pins.has_pin(device, "alice")


PLAYED = DeviceOptions(hooks=faults.scripted)


def save_faults(directory: Path, **knobs: str) -> None:
    scenario = Scenario()
    for name, value in knobs.items():
        scenario.knobs.set(name, value)
    scenario.save(directory)


@pytest.mark.parametrize(
    ("knobs", "kind", "code"),
    [
        ({"quality_sequence": "2"}, InputRefused, "capture.insufficient"),
        ({"operation_authenticate_error": "1009"}, TeeUnavailable, "sensor.vendor"),
        ({"lockout": "true"}, NotPermitted, "lockout.permanent"),
        ({"ta_panic": "11"}, TeeUnavailable, "tee.dead"),
        ({"pipe": "cut", "pipe_after": "1"}, TeeUnavailable, "tee.dead"),
        ({"pipe": "truncate", "pipe_after": "1"}, TeeUnavailable, "tee.bad_format"),
    ],
)
def test_faults_on_a_device(directory: Path, knobs: dict[str, str], kind: type[Exception], code: str) -> None:
    save_faults(directory, **knobs)
    with Device.open(directory, PLAYED) as device, pytest.raises(kind) as caught:
        device.authenticate("alice", Faces().genuine())
    assert caught.value.code == code


@pytest.mark.parametrize("knobs", [{"wrong_finger": "true"}, {"sensor_noise": "1"}, {"spoof_score": "0.9"}])
def test_samples_are_replaced_or_disturbed_and_count(directory: Path, knobs: dict[str, str]) -> None:
    save_faults(directory, **knobs)
    with Device.open(directory, PLAYED) as device:
        for _ in range(5):
            assert not device.authenticate("alice", Faces().genuine()).match
        assert pins.lock_info(device, "alice", Modality.FACE).lock is Lock.TIMED
    assert Scenario.load(directory).played == 5


def test_faults_are_never_passed_over_in_silence(directory: Path) -> None:
    save_faults(directory, lockout="true")
    with pytest.raises(
        NotPermitted, match=r"^faults are saved with this device, and this caller plays none$"
    ) as caught:
        Device.open(directory)
    assert (caught.value.code, caught.value.exit_code) == ("fault.not_played", ExitCode.NOT_PERMITTED)


def test_a_sequence_goes_on_from_process_to_process(directory: Path) -> None:
    save_faults(directory, quality_sequence="2,5,1")
    codes = []
    for _ in range(3):
        with Device.open(directory, PLAYED) as device:
            try:
                codes.append(device.authenticate("alice", Faces().genuine()).match)
            except InputRefused as error:
                codes.append(error.code)
    assert codes == ["capture.insufficient", "capture.too_close", True]


def run(directory: Path, *arguments: str, stdin: str = "") -> tuple[int, dict]:
    """One command line in this process: exit code and the JSON object."""
    out = io.StringIO()
    source = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setattr(sys, "stdin", source)
        code = command_line(["--device", str(directory), "--json", "--no-input", *arguments])
    return int(code), json.loads(out.getvalue())


def test_the_command_line_end_to_end(directory: Path, tmp_path: Path) -> None:
    probe, token = tmp_path / "probe.npy", tmp_path / "t.bin"
    np.save(probe, Faces().genuine().vector)
    assert run(directory, "authenticate", "alice", str(probe), "--operation-id", "9", "--token", str(token))[0] == 0
    assert token.stat().st_size == 69
    code, shown = run(directory, "token", "show", str(token))
    assert (code, shown["token"]["challenge"], shown["verified"]) == (0, f"{9:016x}", None)
    code, verified = run(directory, "token", "verify", str(token))
    assert (code, verified["outcome"], verified["token"]) == (0, "verified", shown["token"])
    mac = token.read_bytes()[37:].hex()
    assert mac not in json.dumps([shown, verified])
    changed = bytearray(token.read_bytes())
    changed[5] ^= 1
    token.write_bytes(changed)
    assert run(directory, "token", "verify", str(token))[0] == 3
    token.write_bytes(changed[:-1])
    code, error = run(directory, "token", "verify", str(token))
    assert (code, error["error"]["code"]) == (4, "token.malformed")

    assert run(directory, "pin", "verify", "alice", "--pin-file", "-", stdin="1234\n")[0] == 0
    assert run(directory, "pin", "verify", "alice", "--pin-file", "-", stdin="4321\n")[0] == 3
    code, error = run(directory, "pin", "verify", "alice")
    assert (code, error["error"]["code"]) == (4, "pin.missing")
    assert run(directory, "pin", "unlock", "alice", "--pin-file", "-", stdin="1234\n")[0] == 0


def test_pin_status_follows_the_timers(directory: Path, tmp_path: Path) -> None:
    code, fresh = run(directory, "pin", "status", "alice")
    assert (code, fresh["has_pin"], fresh["locks"]["face"]["lock"]) == (0, True, "none")
    assert set(fresh["pin_needed"].values()) == {"boot"}
    run(directory, "pin", "verify", "alice", "--pin-file", "-", stdin="1234\n")
    _, known = run(directory, "pin", "status", "alice")
    assert set(known["pin_needed"].values()) == {None}
    impostor = tmp_path / "impostor.npy"
    np.save(impostor, Faces().impostor().vector)
    for _ in range(3):
        run(directory, "authenticate", "alice", str(impostor))
    _, failed = run(directory, "pin", "status", "alice")
    assert failed["pin_needed"] == {
        "android convenience": "failed_attempts",
        "android weak": "failed_attempts",
        "android strong": None,
        "apple": None,
    }
    reboot(directory)
    assert set(run(directory, "pin", "status", "alice")[1]["pin_needed"].values()) == {"boot"}


def refuses_another(device: Device) -> None:
    """What the device is cannot be said again."""
    weaker = Configuration(lockout=LockoutChoice.ANDROID_11, fmr_inverse=2)
    with pytest.raises(NotPermitted) as caught:
        device.ask(CONFIGURE, weaker)
    assert caught.value.code == "device.not_configurable"


def test_lockout_policy_and_required_pin_are_chosen_once(tmp_path: Path) -> None:
    chosen = tmp_path / "strict"
    code, _ = run(chosen, "device", "init", "--lockout", "apple")
    assert code == 0
    faces = Faces()
    with Device.open(chosen) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        with pytest.raises(NotPermitted) as caught:
            device.enroll("alice", [faces.genuine() for _ in range(3)])
        assert (caught.value.code, caught.value.hint) == (
            "enroll.pin_required",
            "run: bioguard pin set USER, then enroll with it",
        )
        pins.set_pin(device, "alice", b"1234")
        token = pins.enrollment_token(device, "alice", Modality.FACE, b"1234")
        device.enroll("alice", [faces.genuine() for _ in range(3)], token=token)
        for _ in range(5):
            device.authenticate("alice", faces.impostor())
        assert pins.lock_info(device, "alice", Modality.FACE).lock is Lock.PERMANENT
        refuses_another(device)
        device.remove_user("alice", EraseAuthorization(by_operator=True))
        refuses_another(device)
    with Device.open(chosen) as device:
        refuses_another(device)


def test_token_agree_gives_the_check_value_and_refuses_another_one(tmp_path: Path) -> None:
    key, out = tmp_path / "k", tmp_path / "agreed"
    key.write_bytes(bytes(32))
    arguments = ("token", "agree", "--pre-shared-file", str(key), ":" + "11" * 32, "22" * 32 + ":" + "33" * 32)
    code, done = run(tmp_path, *arguments, "--key-out", str(out))
    assert (code, done["parties"], out.stat().st_mode & 0o777) == (0, 2, 0o600)
    assert done["check_value"] == check_value(out.read_bytes()).hex()
    assert out.read_bytes().hex() not in json.dumps(done)
    assert run(tmp_path, *arguments, "--expect", done["check_value"])[0] == 0
    code, error = run(tmp_path, *arguments, "--expect", "00" * 32)
    assert (code, error["error"]["code"]) == (7, "token.sharing")
    assert run(tmp_path, *arguments, "zz")[0] == 2


def test_a_key_of_the_faces_is_released_by_them_and_dies_with_a_new_one(directory: Path) -> None:
    faces, others = Faces(), Faces()
    others.face = faces.direction()
    with Device.open(directory) as device:
        key = keys.make_key(device, "alice", biometric_only=True)
        operation = keys.begin(device, key)
        token = device.authenticate("alice", faces.genuine(), operation_id=operation).token
        assert len(keys.finish(device, operation, b"message", token=token)) == 32
        operation = keys.begin(device, key)
        with pytest.raises(NotPermitted) as caught:
            keys.finish(device, operation, b"message", token=token)
        assert caught.value.code == "key.not_authenticated"

        timed = keys.make_key(device, "alice", timeout_s=60, algorithm=KeyAlgorithm.ED25519)
        with pytest.raises(NotPermitted, match=r"^the auth token does not release this key$"):
            keys.begin(device, timed)
        operation = keys.begin(device, timed, token=pins.verify_pin(device, "alice", b"1234"))
        assert len(keys.finish(device, operation, b"message")) == 64
        assert len(timed.public_key) == 32

        token = pins.enrollment_token(device, "alice", Modality.FACE, b"1234")
        device.enroll("alice", [others.genuine() for _ in range(3)], token=token)
        assert keys.verdict(device, "alice", key) is KeyVerdict.PERMANENTLY_INVALIDATED
        assert keys.verdict(device, "alice", timed) is KeyVerdict.USABLE
        keys.delete_key(device, timed)
        with pytest.raises(InputRefused, match=r"^there is no such key, or it cannot be made like this$"):
            keys.begin(device, timed)
        device.add_user("dave")
        with pytest.raises(NotPermitted, match=r"^the user has no PIN$"):
            keys.make_key(device, "dave")


def test_the_fault_commands(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, listed = run(directory, "fault", "list")
    assert (code, listed["changed"], len(listed["knobs"]) > 40) == (0, {}, True)
    acts_on = {knob["name"]: knob["acts_on"] for knob in listed["knobs"]}
    assert (acts_on["lockout"], acts_on["lockout_enable"], acts_on["storage"]) == ("both", "virtual HAL", "device")
    code, done = run(
        directory, "fault", "set", "lockout=1", "vendor.fingerprint.virtual.enrollment_hit=3", "--fault-seed", "7"
    )
    assert (code, done["changed"], done["seed"]) == (0, {"enrollment_hit": "3", "lockout": "true"}, 7)
    assert capsys.readouterr().err == ("note: no effect on a device, only in `bioguard fault play`: enrollment_hit\n")
    assert run(directory, "fault", "set", "quality_sequence=")[0] == 0
    assert capsys.readouterr().err == ""
    code, error = run(directory, "fault", "set", "lockout=perhaps")
    assert (code, error["error"]["code"]) == (4, "fault.value")
    assert run(directory, "fault", "clear", "lockout")[1]["changed"] == {"enrollment_hit": "3"}
    assert run(directory, "fault", "clear")[1]["changed"] == {}


def test_a_story_on_the_virtual_hal_is_told_and_repeats(tmp_path: Path) -> None:
    words = ["challenge", "enroll", "touch", "enumerate", "knob:enrollment_hit=2", "authenticate=7", "touch"]
    story = ("fault", "play", "knob:next_enrollment=2:1000-[5,1],500:true", *words)
    code, told = run(tmp_path, *story)
    assert code == 0
    assert [(c["at_ms"], c["name"]) for c in told["callbacks"]] == [
        (0, "ChallengeGenerated"),
        (1400, "Acquired"),
        (1400, "Acquired"),
        (1400, "EnrollmentProgress"),
        (1900, "Acquired"),
        (1900, "EnrollmentProgress"),
        (1900, "EnrollmentsEnumerated"),
        (2310, "Acquired"),
        (2310, "AuthenticationSucceeded"),
    ]
    assert told["callbacks"][-1]["fields"]["token"]["challenge"] == 7
    assert run(tmp_path, *story) == (code, told)
    code, error = run(tmp_path, "fault", "play", "jump")
    assert (code, error["error"]["code"]) == (4, "fault.story")
    code, error = run(tmp_path, "fault", "play", "wait=soon")
    assert (code, error["error"]["code"]) == (4, "fault.story")


def test_power_cut_and_storage_faults_leave_the_device_usable(directory: Path, tmp_path: Path) -> None:
    probe = tmp_path / "probe.npy"
    np.save(probe, Faces().genuine().vector)
    for step in range(1, 4):
        run(directory, "fault", "set", f"storage=commit@{step}: die-before")
        command = [
            sys.executable,
            "-m",
            "bioguard.cli",
            "--device",
            str(directory),
            "authenticate",
            "alice",
            str(probe),
        ]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode in (0, 70)
        run(directory, "fault", "clear")
    assert run(directory, "authenticate", "alice", str(probe))[0] == 0


def test_attack_command(directory: Path, tmp_path: Path) -> None:
    code, done = run(directory, "attack", "key.nobody", "pin.empty")
    assert (code, done["outcome"], done["played"], done["found"]) == (0, "held", 2, 0)
    code, listed = run(directory, "attack", "--list")
    assert len(listed["attacks"]) >= 60
    bad = tmp_path / "m.toml"
    bad.write_text("uuid = 1")
    code, error = run(directory, "attack", "--manifest", str(bad))
    assert (code, error["error"]["code"]) == (4, "attack.manifest")


def test_attack_command_against_somebody_elses_application(directory: Path, tmp_path: Path) -> None:
    import bioguard.trusted.keystore as ours

    (tmp_path / "their_ta.py").write_text(
        "from bioguard.commands.keystore import KeystoreError\n"
        "from bioguard.trusted.keystore.app import KeystoreApp\n"
        "class Theirs(KeystoreApp):\n"
        "    def _allowed(self, key, token, *, operation):\n"
        "        return KeystoreError.OK\n"
    )
    text = (Path(ours.__file__).parent / "manifest.toml").read_text()
    manifest = tmp_path / "manifest.toml"
    manifest.write_text(text.replace("bioguard.trusted.keystore.app:KeystoreApp", "their_ta:Theirs"))
    done = subprocess.run(
        [sys.executable, "-m", "bioguard.cli", "--json", "attack", "key.", "--manifest", str(manifest)],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["outcome"]) == (3, "found")
    assert {a["name"] for a in answer["attacks"] if a["verdict"] == "found"} >= {"key.no-token", "key.other-user"}
