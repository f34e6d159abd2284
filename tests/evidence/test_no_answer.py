"""A broken product ends in a signed report that says so, whatever its audit ran into."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.device import consent
from bioguard.device.facade import Device
from bioguard.errors import BioguardError, IntegrityFailure, TeeUnavailable
from bioguard.evidence import device_records, dsse, measuring, run
from bioguard.evidence.no_answer import answered
from bioguard.evidence.policy_trials import TRIALS
from bioguard.evidence.policy_trials.model import Observation
from bioguard.evidence.statement import TestResult as Statement
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.report import Check, Report, Status
from tee_sim.normal.sandbox_verdict.verdict import Level

INTEGRITY = IntegrityFailure("the log ends early", hint="", code="log.gap")


@pytest.fixture(autouse=True)
def no_caches_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each audit compares a thousand cached modules with their sources: tests/evidence/test_reference.py."""
    monkeypatch.setattr(measuring, "foreign_caches", lambda _places: ())


def _raises(error: Exception) -> object:
    def broken(*_: object, **__: object) -> object:
        raise error

    return broken


def _audit(out: Path, promise: str = "POL-14") -> tuple[Report, dict[str, Check]]:
    """Run it; what is written is signed, and is what was answered."""
    report, key = run.run_audit(out, quick=True, allow_level=Level.NOT_ENFORCED, only=frozenset({promise}))
    statement = Statement.from_bytes(dsse.open_envelope((out / "statement.dsse.json").read_text("utf-8"), key))
    written = (out / "report.json").read_bytes()
    assert dict(statement.subjects)["report.json"] == hashlib.sha256(written).hexdigest()
    checks = {check.id: check for check in report.checks}
    assert {row["id"]: row["status"] for row in json.loads(written)["checks"]} == {
        name: check.status.value for name, check in checks.items()
    }
    return report, checks


def test_a_log_that_does_not_verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "signed_log", _raises(INTEGRITY))
    report, checks = _audit(tmp_path / "out", "POL-11")
    assert {name: check.status for name, check in checks.items()} == {
        "BG-POL-011": Status.FAIL, "BG-LOG-001": Status.FAIL,
    }  # fmt: skip
    assert checks["BG-LOG-001"].summary == "ended in error log.gap: the log ends early"
    assert report.requirement_status("POL-11") is Status.FAIL
    assert "2 checks failed" in report.headline


@pytest.mark.parametrize(
    ("name", "of_records", "of_token"),
    [
        ("erasure_receipt", INTEGRITY, ZeroDivisionError("7")),
        ("proof_of", ZeroDivisionError("7"), INTEGRITY),
        ("consistency_proof", INTEGRITY, None),
    ],
)
def test_a_part_of_the_bundle_that_cannot_be_made(
    name: str, of_records: Exception, of_token: Exception | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the parts of BG-LOG-001, and beside it the token; each step answers for its own."""
    monkeypatch.setattr(device_records, name, _raises(of_records))
    errors = {"BG-LOG-001": of_records}
    if of_token is not None:
        monkeypatch.setattr(consent, "attest", _raises(of_token))
        errors["BG-ATT-001"] = of_token
    report, checks = _audit(tmp_path / "out", "POL-16")
    assert checks["BG-POL-016"].status is Status.PASS
    assert {row for row, check in checks.items() if check.status is Status.FAIL} == set(errors)
    for row, error in errors.items():
        said = error.code if isinstance(error, BioguardError) else "unexpected ZeroDivisionError"
        assert said in checks[row].summary
    assert report.status is Status.FAIL
    assert all(any(folder.iterdir()) for folder in (tmp_path / "out").glob("*/")), "an empty folder would be a stray"


def test_a_token_that_names_other_comparison_profiles_than_are_sealed(
    lab: TemporaryDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run._attestation_check(lab).status is Status.PASS
    (first, *others) = run.sealed_profiles(lab.contents())
    for sealed in ([bytes(32), *others], others, [first, *others, first]):
        monkeypatch.setattr(run, "sealed_profiles", lambda _contents, sealed=sealed: sealed)
        check = run._attestation_check(lab)
        assert (check.status, check.details) == (
            Status.FAIL, ("it names other comparison profiles than the store holds",),
        )  # fmt: skip


def test_a_secure_world_that_dies_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(temporary: TemporaryDevice) -> list[Observation]:
        temporary.device.running.process.kill()
        monkeypatch.setattr(Device, "ask", _raises(TeeUnavailable("it does not start again", hint="")))
        return [Observation("something", not list(temporary.device.records()))]

    trials = tuple(replace(t, run=dies) if t.id == "BG-POL-014" else t for t in TRIALS)
    monkeypatch.setattr(run, "TRIALS", trials)
    report, checks = _audit(tmp_path / "out")
    assert checks["BG-POL-014"].status is checks["BG-LOG-001"].status is Status.UNKNOWN
    assert report.status is Status.UNKNOWN


def test_a_step_answers_for_each_of_its_checks() -> None:
    def step() -> Iterator[Check]:
        yield Check(id="A", title="a", status=Status.PASS, summary="seen")
        raise KeyError

    seen = {check.id: (check.status, check.summary) for check in answered(["A", "B"], step)}
    assert seen == {"A": (Status.PASS, "seen"), "B": (Status.FAIL, "ended in an unexpected KeyError")}
    (gone,) = answered(["C"], _raises(TeeUnavailable("it died", hint="", code="tee")))  # type: ignore[arg-type]
    assert (gone.status, gone.summary) == (Status.UNKNOWN, "could not run: it died")
    with pytest.raises(KeyboardInterrupt):
        list(answered(["C"], _raises(KeyboardInterrupt())))  # type: ignore[arg-type]


def test_what_cannot_be_measured_is_no_file_that_was_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "measure", _raises(PermissionError()))
    monkeypatch.setattr(run, "_wanted", lambda _: {"BG-STA-007"}.__contains__)
    _, checks = _audit(tmp_path / "out")
    assert checks["BG-STA-007"].summary == "ended in an unexpected PermissionError"
