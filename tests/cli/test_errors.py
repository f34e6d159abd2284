"""Bad input: the right exit code, a stable error code, two lines on stderr, and nothing changed in the store."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bioguard as bioguard_package
from bioguard.cli import __main__ as entry
from bioguard.cli import running
from bioguard.cli.app import COMMANDS
from bioguard.cli.command_line import hoist_global_options
from bioguard.cli.output import Output
from bioguard.device import Device
from bioguard.device.consent import grant_all
from bioguard.errors import InputRefused
from bioguard.evidence.second_reader.device import read_device
from bioguard.exit_codes import ExitCode
from bioguard.formats import write_ansi2004, write_iso2005
from bioguard.records import FingerprintTemplate
from bioguard.simulate.people import face_views, finger_impressions
from tee_sim.normal.machine import start_caches

TOUCHES = finger_impressions(1, person=0, count=5)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device with alice on it, and a directory of good and bad files."""
    directory = tmp_path_factory.mktemp("errors")
    with Device.init(directory / "phone", max_faces=1, require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", TOUCHES[:3], finger="right-index")
        device.enroll("alice", face_views(1, person=0, count=3))
    good = write_iso2005(TOUCHES[4])
    vector = face_views(1, person=0, count=1, first=4)[0].vector.astype(np.float32)
    empty = FingerprintTemplate.from_minutiae([], [], [], width_px500=300, height_px500=400)
    files: dict[str, bytes] = {
        "good.iso": good,
        "truncated.iso": good[:-1],
        "oversized.iso": good + bytes(10),
        "huge.iso": good + bytes(10_000_000),
        "magic.iso": b"XXX\0" + good[4:],
        "none.iso": write_iso2005(empty),
        "many.xyt": b"".join(b"%d %d 10 50\n" % (i % 20 * 10, i // 20 * 10) for i in range(300)),
        "other.iso": write_iso2005(finger_impressions(1, person=8, count=1)[0]),
        "unknown.bin": b"what is this",
    }
    for name, content in files.items():
        (directory / name).write_bytes(content)
    arrays = {
        "nan.npy": np.where(np.arange(512) == 3, np.nan, vector).astype(np.float32),
        "inf.npy": np.where(np.arange(512) == 3, np.inf, vector).astype(np.float32),
        "zero.npy": np.zeros(512, np.float32),
        "short.npy": vector[:40],
        "other.npy": vector[:128],
        "face.npy": vector,
    }
    for name, array in arrays.items():
        np.save(directory / name, array)
    for name, model in {"own": "edgeface_xs", "foreign": "arcface"}.items():
        np.savez(directory / f"{name}.npz", embeddings=vector, model=model)
    (directory / "vendor.fmr").write_bytes(write_ansi2004(TOUCHES[4], owner=0x31, product=0x103))
    np.save(directory / "pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return directory


def bioguard(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "bioguard.cli", "--device", "phone", *words]
    return subprocess.run(line, cwd=home, capture_output=True, text=True, check=False, timeout=60)


def image(home: Path) -> list[tuple[str, bytes, bytes, bytes]]:
    """Names, and all that the store holds, opened without starting the device."""
    start_caches.forget(home / "phone")  # no part of a device
    written_by_a_start = {"boot", "log", "loghead", "policy"}  # its number, its entry, the time
    objects = (o for o in read_device(home / "phone").objects if o.kind not in written_by_a_start)
    names = (home / "phone" / "names.json").read_bytes()
    return [("names", b"", b"", names), *sorted((o.kind, o.owner, o.name, o.body) for o in objects)]


BAD = [
    ("enroll alice --finger left-index truncated.iso", 4, "format."),
    ("enroll alice --finger left-index oversized.iso", 4, "format."),
    ("enroll alice --finger left-index huge.iso", 4, "format."),
    ("enroll alice --finger left-index magic.iso", 4, "format.bad_magic"),
    ("enroll alice --finger left-index none.iso", 4, "enroll.poor_quality"),
    ("enroll alice --finger left-index many.xyt", 4, ""),
    ("enroll alice --finger left-index unknown.bin", 4, "format.unknown"),
    ("enroll alice --finger left-index nowhere.iso", 4, "input.unreadable"),
    ("enroll alice --face nan.npy", 4, "input.not_finite"),
    ("enroll alice --face inf.npy", 4, "input.not_finite"),
    ("enroll alice --face zero.npy", 4, "input.zero_vector"),
    ("enroll alice --face short.npy", 4, "input.dimension"),
    ("enroll alice --face pickled.npy", 4, "format."),
    ("enroll alice --face face.npy", 5, "enroll.user_full"),
    ("enroll alice --face foreign.npz --replace", 4, "match.not_calibrated"),
    ("enroll alice --face own.npz foreign.npz", 4, "input.several_models"),
    ("enroll alice --finger left-index vendor.fmr", 4, "match.not_calibrated"),
    ("enroll alice --finger right-index other.iso", 5, "enroll.already_enrolled"),
    ("enroll alice --finger left-index good.iso", 5, "enroll.duplicate_finger"),
    ("enroll alice --finger left-idex other.iso", 4, "enroll.finger"),
    ("enroll carol --finger left-index other.iso", 4, "user.unknown"),
    ("authenticate carol good.iso", 4, "user.unknown"),
    ("authenticate alice truncated.iso", 4, "format."),
    ("authenticate alice other.npy", 4, "match.dimension"),
    ("authenticate alice foreign.npz", 4, "sample.other_extractor"),
    ("authenticate alice vendor.fmr", 4, "sample.other_extractor"),
    ("identify foreign.npz", 4, "sample.other_extractor"),
    ("identify nan.npy", 4, "input.not_finite"),
    ("show 1234", 4, "record.id"),
    ("erase alice --all", 5, "erase.unconfirmed"),
    ("erase alice 1234 --all --force", 2, "usage"),
    ("token agree : --pre-shared-file unknown.bin", 2, "usage"),
    (f"token agree :{'00' * 32} --pre-shared-file unknown.bin", 4, "token.key"),
    ("erase alice --all --force --receipt face.npy", 4, "receipt.exists"),
    ("erase alice 1234 --force", 4, "record.unknown"),
    ("user remove alice", 5, "erase.unconfirmed"),
    ("rectify alice", 2, "usage"),
    ("rectify alice --name bob/", 4, "user.name"),
    ("log receipt 12", 4, "receipt.digest"),
    ("log verify face.npy", 7, "integrity.proof"),
    ("log verify face.npy --store face.npy", 2, "usage"),
    ("log verify face.npy --leaf 00", 2, "usage"),
    ("erase alice --all --force --receipt nowhere/r.json", 4, "output.directory"),
    ("device wipe", 5, "device.wipe_unconfirmed"),
    ("--storage-log nowhere/log erase alice --all", 4, "storage_log.unwritable"),
    ("--clock yesterday erase alice --all", 4, "clock.format"),
    ("enroll alice --face --finger left-index face.npy", 2, "usage"),
    ("authenticate alice good.iso --fmr 0.1", 2, "usage"),
    ("lsit", 2, "usage"),
    ("device init", 5, "device.exists"),
]


@pytest.mark.parametrize(("line", "code", "error"), BAD, ids=[b[0] for b in BAD])
def test_bad_input(
    home: Path, line: str, code: int, error: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: what is asked is said before a command does anything, and `bioguard` below asks processes."""
    before = image(home)
    monkeypatch.chdir(home)
    assert entry.run(["--device", "phone", *line.split(), "--no-input"]) == code
    said = capsys.readouterr()
    lines = said.err.strip().splitlines()
    assert said.out == ""
    assert lines[-2].startswith(f"bioguard: error[{error}"), lines
    assert lines[-1].startswith("hint: "), lines
    message = lines[-2].partition("]: ")[2]
    assert not message.endswith(".")
    assert message[:1] == message[:1].lower()
    assert image(home) == before


def test_an_unknown_record_among_others_erases_none_of_them(home: Path) -> None:
    before = image(home)
    record = json.loads(bioguard(home, "list", "--json").stdout)["records"][0]["record_id"]
    done = bioguard(home, "erase", "alice", record, "0" * 32, "--force")
    assert done.returncode == 4
    assert done.stderr.splitlines() == [
        f"bioguard: error[record.unknown]: no such record of alice: {'0' * 32}; nothing was erased",
        "hint: run: bioguard list alice",
    ]
    assert image(home) == before


def test_another_process_has_the_device(home: Path) -> None:
    with Device.open(home / "phone"):
        done = bioguard(home, "list")
    assert (done.returncode, "error[device.in_use]" in done.stderr) == (6, True)


def test_no_device_here(tmp_path: Path) -> None:
    done = bioguard(tmp_path, "list")
    assert (done.returncode, "error[device.missing]" in done.stderr) == (6, True)
    assert list(tmp_path.iterdir()) == []


def test_a_bug_of_ours_ends_in_one_line_and_a_private_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        secret = "canary-value-4711"  # noqa: F841 - must not reach the log
        raise ZeroDivisionError

    monkeypatch.setattr(running.cli, "main", broken)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert entry.run(["list"]) is ExitCode.UNEXPECTED
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[0] == "bioguard: error[unexpected]: unexpected ZeroDivisionError"
    (log,) = tmp_path.iterdir()
    assert log.stat().st_mode & 0o777 == 0o600
    assert "canary-value-4711" not in log.read_text()


def test_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(running.cli, "main", stop)
    assert entry.run(["--json", "list"]) is ExitCode.INTERRUPTED
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "interrupted"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_needs_no_device(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run([command, "--help"]) is ExitCode.OK
    assert capsys.readouterr().out.startswith("Usage: bioguard ")


def test_global_options_may_stand_anywhere() -> None:
    assert hoist_global_options(["list", "--json", "alice", "--device", "d"]) == [
        "--json",
        "--device",
        "d",
        "list",
        "alice",
    ]
    assert hoist_global_options(["list", "--seed=x", "--", "--json"]) == ["--seed=x", "list", "--", "--json"]


def test_show_doctor_and_demo_in_json(home: Path) -> None:
    record = json.loads(bioguard(home, "list", "--json").stdout)["records"][0]
    shown = json.loads(bioguard(home, "show", record["record_id"], "--json").stdout)
    assert shown["record"] == record
    doctor = bioguard(home, "doctor", "--json")
    report = json.loads(doctor.stdout)
    assert {c["status"] for c in report["checks"]} <= {"PASS", "WARN", "FAIL", "UNKNOWN", "NOT_APPLICABLE"}
    assert doctor.returncode == (0 if report["outcome"] in ("pass", "warn") else 3)
    demo = bioguard(home, "demo", "--json")
    assert (demo.returncode, json.loads(demo.stdout)["outcome"]) == (0, "done"), demo.stderr


def test_shell_completion(home: Path) -> None:
    environment = os.environ | {
        "_BIOGUARD_COMPLETE": "bash_complete",
        "COMP_WORDS": "bioguard authe",
        "COMP_CWORD": "1",
    }
    program = str(Path(sys.executable).parent / "bioguard")
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    assert "authenticate" in done.stdout
    script = subprocess.run(
        [program], env=os.environ | {"_BIOGUARD_COMPLETE": "bash_source"}, capture_output=True, text=True, check=False
    )
    assert "complete" in script.stdout


def test_the_code_of_an_error_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    general, exact = InputRefused("no", hint=""), InputRefused("no", hint="", code="input.exact")
    assert (general.code, exact.code, InputRefused.code) == ("input", "input.exact", "input")
    for error in (general, exact):
        Output(as_json=True).error(error)
        Output().error(error)
        said = capsys.readouterr()
        assert json.loads(said.out)["error"]["code"] == error.code
        assert said.err == f"bioguard: error[{error.code}]: no\n"


def test_no_error_of_the_product_is_without_a_hint() -> None:
    root = Path(bioguard_package.__file__).parent
    assert [str(p.relative_to(root)) for p in sorted(root.rglob("*.py")) if 'hint=""' in p.read_text("utf-8")] == []
