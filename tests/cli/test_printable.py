"""What a terminal would obey or hide is escaped in everything that is printed; streams may be closed, full or left."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.cli.output import Output, Result, table
from bioguard.cli.running import _crash_log
from bioguard.device import Device
from bioguard.errors import InputRefused
from bioguard.printable import harmless_json, printable
from bioguard.report import render
from bioguard.report.model import Check, Evidence, Fact, Report, Section, Status, Table

HOSTILE = "a\x1b]0;pwned\x07b\x9bc\u202ed\u2028e\u2029f\u200bg\x7fh\nbioguard: all is well\ti\r\ufeffj\udc80k\U000e0041"
OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\U000e0000-\U000e007f]"
)
BIOGUARD = [sys.executable, "-m", "bioguard.cli"]


@given(st.text())
def test_no_text_is_obeyed_and_none_is_escaped_twice(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    assert "\n" not in shown
    if text.isprintable():
        assert shown == text


def test_escapes_are_those_of_python() -> None:
    assert printable(HOSTILE) == (
        "a\\x1b]0;pwned\\x07b\\x9bc\\u202ed\\u2028e\\u2029f\\u200bg\\x7fh"
        "\\nbioguard: all is well\\ti\\r\\ufeffj\\udc80k\\U000e0041"
    )
    assert printable("a\nb\tc\x1b", keep="\n\t") == "a\nb\tc\\x1b"
    assert printable("Zoë 山田 😀") == "Zoë 山田 😀"


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_json_says_the_same_without_them(value: dict[str, object]) -> None:
    text = harmless_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == value
    assert all(line.isprintable() for line in text.split("\n"))


def test_every_way_of_the_output(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    result = Result(command="x", outcome="y", data={"path": HOSTILE}, lines=[HOSTILE], next_step=HOSTILE)
    for output in (Output(), Output(as_json=True)):
        for say in (output.step, output.tick, output.note):
            say(HOSTILE)
        output.result(result)
        output.error(InputRefused(HOSTILE, hint=HOSTILE))
    said = capfd.readouterr()
    for text in (said.out, said.err):
        assert not OBEYED.search(text)
        assert "\nbioguard: all is well" not in text
    assert json.loads(said.out[said.out.index("{\n") :].split("\n}\n")[0] + "\n}")["path"] == HOSTILE
    assert table([(HOSTILE, 1)], header=("name", "n"))[1] == f"{printable(HOSTILE)}  1"


@pytest.mark.parametrize("form", ["text", "json", "html", "junit", "sarif"])
def test_every_form_of_a_report(form: str) -> None:
    check = Check(
        id="BG-X-001", title=HOSTILE, status=Status.FAIL, summary=HOSTILE, details=(HOSTILE,), fix=HOSTILE,
        evidence=(Evidence(label=HOSTILE, path="raw/x.json"),),
    )  # fmt: skip
    shown = Table(title=HOSTILE, columns=(HOSTILE,), rows=((HOSTILE,),))
    report = Report(
        kind="audit", title=HOSTILE, headline=HOSTILE, tool="bioguard 0", created="2026-01-01T00:00:00Z",
        facts=(Fact(name=HOSTILE, value=HOSTILE),), checks=(check,),
        sections=(Section(title=HOSTILE, text=(HOSTILE,), tables=(shown,)),), residual=(HOSTILE,),
    )  # fmt: skip
    assert not OBEYED.search(render(report, form).replace("\t", ""))


def test_a_traceback_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        said = _crash_log()
    assert not OBEYED.search(Path(said.removeprefix("the traceback is in ")).read_text("utf-8"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    assert _crash_log() == "the traceback cannot be written: No such file or directory"


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("printable")
    Device.init(directory / "phone").close()
    (directory / os.fsencode(HOSTILE.replace("\n", " ")).decode("utf-8", "surrogateescape")).write_bytes(b"no sample")
    return directory


def shell(line: str, directory: Path) -> subprocess.CompletedProcess[bytes]:
    command = line.replace("bioguard", f"{' '.join(BIOGUARD)} --device phone", 1)
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], cwd=directory, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    "line",
    [
        "bioguard authenticate alice a*",
        "bioguard --clock $'\\e]0;x\\a' list",
        "bioguard --allow-level $'\\e]0;x\\a' list",
        "bioguard $'--\\e]0;x\\a'",
        "bioguard $'\\e]0;x\\a'",
        "bioguard --json user add $'\\e]0;x\\a'",
        "bioguard --device $'\\e]0;x\\a' list",
    ],
)
def test_the_command_line(phone: Path, line: str) -> None:
    done = shell(line, phone)
    assert done.returncode in (2, 4, 6)
    assert not OBEYED.search((done.stdout + done.stderr).decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("bioguard policy | head -1", 0, ""),
        ("bioguard policy --json | true", 0, ""),
        ("bioguard list | true", 0, ""),
        ("bioguard --help | true", 0, ""),
        ("bioguard serve --stdio </dev/null | true", 0, ""),
        ("bioguard policy >&-", 1, "the answer cannot be written: Bad file descriptor"),
        ("bioguard list >&-", 1, "the answer cannot be written: Bad file descriptor"),
        ("bioguard policy >/dev/full", 1, "the answer cannot be written: No space left on device"),
        ("bioguard policy --json >/dev/full", 1, "the answer cannot be written: No space left on device"),
        ("bioguard --help >/dev/full", 1, "the answer cannot be written: No space left on device"),
        ("bioguard serve --stdio </dev/null >/dev/full", 1, "the answer cannot be written: No space left on device"),
        ("bioguard -q --storage-log /dev/full list", 4, "/dev/full is no file"),
        ("bioguard nothing 2>&-", 2, ""),
        ("bioguard nothing 2>/dev/full", 2, ""),
        ("bioguard policy >/dev/full 2>/dev/full", 1, ""),
        ("bioguard list >&- 2>&- <&-", 1, ""),
        ("bioguard serve --stdio <&-", 0, ""),
        ("PYTHONIOENCODING=ascii bioguard -q user add Zoë", 0, ""),
    ],
)
def test_streams_that_are_closed_full_or_left(phone: Path, line: str, code: int, said: str) -> None:
    before = {p.name: p.stat().st_size for p in (phone / "phone").iterdir()}
    done = shell(line, phone)
    words = done.stderr.decode()
    assert (done.returncode, words.split("\n")[0].rpartition("]: ")[2]) == (code, said), words
    assert "Traceback" not in words
    assert {name for name in before if not (phone / "phone" / name).exists()} <= {"storage.db-journal"}
