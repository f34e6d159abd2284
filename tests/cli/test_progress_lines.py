"""`audit run` tells how far it is on a terminal, and nowhere else; `--quiet` leaves the answer alone."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bioguard.cli import audit_bundle
from bioguard.cli.__main__ import run
from bioguard.evidence.run import signer_from
from bioguard.report import Check, Report, Status

LINE = "[ 1/37] PASS BG-STA-001 one check"


@pytest.fixture
def audited(monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit that is over at once: this is about what is printed."""

    def at_once(_out: Path, *, progress: Any, **_more: Any) -> Any:
        progress("PASS BG-STA-001 one check", 1, 37)
        check = Check(id="BG-STA-001", title="one check", status=Status.PASS, summary="fine")
        report = Report(
            kind="audit", title="t", headline="all well", tool="bioguard", created="2026-01-31T12:00:00Z",
            checks=(check,),
        )  # fmt: skip
        return report, signer_from(b"s" * 32).key

    monkeypatch.setattr(audit_bundle, "run_audit", at_once)


def said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *options: str, terminal: bool
) -> tuple[str, str]:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert run(["audit", "run", "--out", "evidence", *options]) == 0
    both = capsys.readouterr()
    return both.out, both.err


@pytest.mark.usefixtures("audited")
def test_progress_is_told_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = said(capsys, monkeypatch, terminal=True)
    assert LINE in err.splitlines()
    assert out.startswith("PASS: all well\n")
    for options, terminal in (((), False), (("--json",), True), (("--quiet",), True), (("-q",), True)):
        out, err = said(capsys, monkeypatch, *options, terminal=terminal)
        assert LINE not in out + err, options


@pytest.mark.usefixtures("audited")
def test_quiet_gives_the_answer_and_no_tip(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "next: " in said(capsys, monkeypatch, terminal=False)[1]
    for option in ("-q", "--quiet"):
        out, err = said(capsys, monkeypatch, option, terminal=True)
        assert out.startswith("PASS: all well\n")
        assert err == ""


@pytest.mark.usefixtures("audited")
def test_json_is_one_object_and_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = said(capsys, monkeypatch, "--json", terminal=True)
    assert json.loads(out)["outcome"] == "pass"
    assert err == ""


def test_what_is_amiss_is_named_with_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_out: Path, **_more: Any) -> Any:
        checks = (
            Check(id="BG-STA-001", title="contracts hold", status=Status.UNKNOWN, summary="no tool", fix="install it"),
            Check(id="BG-STA-002", title="another", status=Status.PASS, summary="fine"),
        )
        report = Report(
            kind="audit", title="t", headline="not all ran", tool="bioguard", created="2026-01-31T12:00:00Z",
            checks=checks,
        )  # fmt: skip
        return report, signer_from(b"s" * 32).key

    monkeypatch.setattr(audit_bundle, "run_audit", unknown)
    assert run(["audit", "run", "--out", "evidence"]) == 3
    assert capsys.readouterr().out.splitlines()[:3] == [
        "UNKNOWN: not all ran",
        "  UNKNOWN BG-STA-001 contracts hold: no tool; install it",
        "report: evidence/report.html",
    ]
