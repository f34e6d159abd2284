"""Pictures on the command line: the golden path, and what each refusal ends with."""

import json
from pathlib import Path

import pytest
from stub_engine import DIE, DRY, picture, touches

from bioguard.cli.__main__ import run
from bioguard.formats import write_iso2005

Says = dict[str, object]
MADE = (
    "device init --sensor fingerprint=stub_engine:Stub --no-require-pin --uncalibrated strict",
    "user add alice",
    "consent grant alice --modality fingerprint --purpose unlock --purpose identify --of-age",
    "enroll alice --finger right-index a0.pgm a1.pgm a2.pgm --dpi 500",
)


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("cli")
    for name, data in {
        **{f"a{touch}.pgm": picture(1, touch) for touch in range(5)},
        "stranger.pgm": picture(2, 3),
        "dry.pgm": picture(1, 3, DRY),
        "deadly.pgm": picture(1, 3, DIE),
        "nothing.pgm": b"",
        "tiny.pgm": b"P5\n20 20\n255\n" + bytes(400),
    }.items():
        (home / name).write_bytes(data)
    (home / "touch.iso").write_bytes(write_iso2005(touches(1)[3]))
    return home


def give(phone: Path, line: str, device: str) -> int:
    words = [str(phone / word) if word.endswith((".pgm", ".iso")) else word for word in line.split()]
    return run(["--json", "--no-input", "--device", str(phone / device), *words])


@pytest.fixture(scope="module")
def enrolled(phone: Path) -> Path:
    assert [give(phone, line, "enrolled") for line in MADE] == [0] * len(MADE)
    return phone


def ask(phone: Path, capsys: pytest.CaptureFixture[str], line: str, device: str = "phone") -> tuple[int, Says]:
    code = give(phone, line, device)
    out, err = capsys.readouterr()
    said: Says = json.loads(out or err.splitlines()[-1])
    return code, said


def test_from_pictures_to_an_unlock(phone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def done(line: str) -> Says:
        code, said = ask(phone, capsys, line)
        assert code == 0, said
        return said

    made = done(MADE[0])
    assert made["sensors"] == [
        {"modality": "fingerprint", "extractor": "stub", "version": "1.0", "weights_sha256": None, "running": True}
    ]
    done(MADE[1])
    done(MADE[2])
    assert done(MADE[3])["views"] == 3
    assert done("authenticate alice a3.pgm --dpi 500")["match"]
    assert done("identify a4.pgm --dpi 500")["user"] == "alice"
    (record,) = done("list")["records"]  # type: ignore[misc]
    assert (record["extractor"], record["extractor_is"]) == ("stub 1.0", "captured")
    status = done("device status")
    assert status["processes"]["fingerprint sensor"] == 4  # type: ignore[index]
    assert len(status["sensor_measurements"]["fingerprint"]) == 64  # type: ignore[index]


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("authenticate alice dry.pgm --dpi 500", 3, "sample.not_acquired"),
        ("enroll alice --finger left-index a0.pgm deadly.pgm --dpi 500", 3, "sample.not_acquired"),
        ("authenticate alice tiny.pgm --dpi 500", 4, "picture.size"),
        ("authenticate alice nothing.pgm --dpi 500", 4, "format.truncated"),
        ("authenticate alice a3.pgm --dpi 500,400", 4, "picture.dpi"),
        ("authenticate alice touch.iso", 4, "sample.sensor_only"),
        ("enroll alice --finger left-index a0.pgm touch.iso --dpi 500", 4, "input.several_kinds"),
        ("enroll alice a0.pgm --dpi 500", 2, "usage"),
    ],
)
def test_each_refusal(enrolled: Path, capsys: pytest.CaptureFixture[str], line: str, code: int, error: str) -> None:
    found, said = ask(enrolled, capsys, line, "enrolled")
    assert (found, said["error"]["code"]) == (code, error)  # type: ignore[index]
