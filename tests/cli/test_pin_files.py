"""PIN files as editors and shells write them: what is set from a file is what a person types."""

import codecs
import json
from pathlib import Path

import pytest

from bioguard.cli.__main__ import run
from bioguard.cli.output import Output
from bioguard.cli.secrets import read_pin
from bioguard.cli.state import CliState
from bioguard.device import Device
from bioguard.errors import InputRefused


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("pins")
    with Device.init(directory / "phone") as device:
        for name in ("alice", "bob"):
            device.add_user(name)
    (directory / "typed").write_bytes("4711é".encode())
    (directory / "plain").write_bytes(b"4711\n")
    return directory


def call(home: Path, capsys: pytest.CaptureFixture[str], line: str) -> tuple[int, dict[str, object], str]:
    capsys.readouterr()
    words = [str(home / w[1:]) if w.startswith("@") else w for w in line.split()]
    code = run(["--device", str(home / "phone"), "--no-input", "--json", *words])
    said = capsys.readouterr()
    return int(code), json.loads(said.out), said.err


def test_a_byte_order_mark_is_no_part_of_a_pin(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "bom").write_bytes(codecs.BOM_UTF8 + "4711é\r\n".encode())
    code, _, err = call(home, capsys, "pin set alice --pin-file @bom --reset")
    assert (code, "begins with a byte order mark, which is not taken as part of the PIN" in err) == (0, True)
    assert call(home, capsys, "pin verify alice --pin-file @typed")[0] == 0
    assert call(home, capsys, "pin set alice --pin-file @plain --current-pin-file @bom")[0] == 0
    assert call(home, capsys, "pin verify alice --pin-file @plain")[0] == 0


REFUSED = {
    "UTF-16 with a mark": ("4711\n".encode("utf-16"), "pin.encoding"),
    "UTF-16 big-endian": (codecs.BOM_UTF16_BE + "4711\n".encode("utf-16-be"), "pin.encoding"),
    "UTF-16 bare": ("4711\n".encode("utf-16-le"), "pin.encoding"),
    "UTF-32": ("4711\n".encode("utf-32"), "pin.encoding"),
    "UTF-32 big-endian": (codecs.BOM_UTF32_BE + "4711\n".encode("utf-32-be"), "pin.encoding"),
    "Latin-1": ("4711é\n".encode("latin-1"), "pin.encoding"),
    "zero byte": (b"47\x0011\n", "pin.encoding"),
    "escape": (b"47\x1b[D11\n", "pin.encoding"),
    "mark twice": (codecs.BOM_UTF8 * 2 + b"4711\n", "pin.encoding"),
    "zero-width": ("47\u200b11".encode(), "pin.encoding"),
    "mark alone": (codecs.BOM_UTF8 + b"\n", "pin.length"),
    "empty": (b"\n4711\n", "pin.length"),
    "too long": (b"4" * 5000, "pin.length"),
}


def from_file(path: Path, content: bytes) -> bytes:
    path.write_bytes(content)
    return read_pin(CliState(directory=path.parent, output=Output(), no_input=True), path)


@pytest.mark.parametrize("name", REFUSED)
def test_a_pin_that_nobody_can_type_is_refused(tmp_path: Path, name: str) -> None:
    content, error = REFUSED[name]
    with pytest.raises(InputRefused) as caught:
        from_file(tmp_path / "bad", content)
    assert caught.value.code == error
    assert caught.value.hint


def test_white_space_around_a_pin_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`echo 4711 > pin` in cmd.exe writes the space before the arrow as well."""
    assert from_file(tmp_path / "spaced", b"4711 \r\n") == b"4711 "
    assert "begins or ends with white space, which is part of it" in capsys.readouterr().err
    assert from_file(tmp_path / "words", "blue house é\n".encode()) == "blue house é".encode()
    assert capsys.readouterr().err == ""


def test_the_hint_names_what_is_missing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer, _ = call(home, capsys, "pin set bob")
    assert (code, answer["error"]) == (
        4,
        {
            "code": "pin.missing",
            "message": "the new PIN is needed",
            "hint": "give --pin-file FILE, or - for standard input",
        },
    )
    assert call(home, capsys, "pin set bob --pin-file @plain")[0] == 0
    code, answer, _ = call(home, capsys, "pin set bob --pin-file @typed")
    assert (code, answer["error"]["code"]) == (4, "pin.missing")  # type: ignore[index]
    assert answer["error"]["message"] == "the current PIN is needed"  # type: ignore[index]
    assert answer["error"]["hint"] == (  # type: ignore[index]
        "give --current-pin-file FILE; or --reset, which replaces the PIN without it and gives a new secure user id"
    )
    assert call(home, capsys, "pin set bob --pin-file @typed --current-pin-file @plain")[0] == 0
    assert call(home, capsys, "pin set bob --pin-file @plain --reset")[0] == 0
    code, answer, _ = call(home, capsys, "pin verify bob")
    assert answer["error"]["message"] == "a PIN is needed"  # type: ignore[index]
