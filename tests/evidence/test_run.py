"""`bioguard audit run` and `bioguard audit verify` as an auditor types them: the whole run."""

import ast
import json
import re
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from bioguard import evidence
from bioguard.cli.__main__ import run
from bioguard.evidence import escape_battery
from bioguard.evidence import run as audit
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.evidence.policy_trials import TRIALS, conduct, model
from bioguard.evidence.policy_trials.model import Trial, Turn
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.records.modality import Modality
from bioguard.report import Check
from tests.evidence.only_its_place import conduct_beside
from tests.evidence.shared_battery import as_run, short_report


class _InTurn:
    """In place of `Modality`: whoever asks for both gets one of them, the next one the other."""

    def __init__(self) -> None:
        self._turns = cycle(Modality)

    def __iter__(self) -> Iterator[Modality]:
        return iter([next(self._turns)])


def _apart(trial: Trial, temporary: TemporaryDevice, raw: Path) -> Check:
    if trial.turn is Turn.APART:
        return conduct_beside(trial, temporary.directory, raw)
    return conduct(trial, temporary, raw)


@pytest.mark.slow
@pytest.mark.alone("egress")  # its battery leaves traces in the kernel log that the battery's own tests count
@pytest.mark.parametrize("nothing_shared", [False, pytest.param(True, marks=pytest.mark.campaign)])
def test_a_whole_run_tells_each_step_and_its_bundle_verifies(
    nothing_shared: bool,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the suite the battery is the run that its own tests look at, and a trial of face and finger tries one. Trials
    that run beside others are given no device, so none of them uses that of the others."""
    if not nothing_shared:
        monkeypatch.setattr(escape_battery, "run", as_run(short_report(tmp_path_factory)))
        monkeypatch.setattr(model, "Modality", _InTurn())
        monkeypatch.setattr(audit, "conduct", _apart)
    out = tmp_path / "evidence"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    code = run(["audit", "run", "--quick", "--out", str(out), "--signing-key", str(tmp_path / "evidence.key")])
    said = capsys.readouterr()
    report = json.loads((out / "report.json").read_text("utf-8"))
    passed = report["status"] in ("PASS", "WARN")
    assert code == (0 if passed else 3)
    assert said.out.startswith(f"{report['status']}: ")

    steps = [(int(a), int(b)) for a, b in re.findall(r"^\[ *(\d+)/(\d+)\] [A-Z]", said.err, re.MULTILINE)]
    planned = len(report["checks"])
    assert steps == [(number, planned) for number in range(1, planned + 1)]
    assert re.search(r"^\[ *\d+/\d+\] \d+ of \d+ attempts to get out$", said.err, re.MULTILINE)

    named = {check["id"] for check in report["checks"]}
    assert {check for clause in CLAUSES for check in clause.checks} <= named, "every row has its checks"
    trials = {trial.id for trial in TRIALS}
    tried = {check["id"]: (check["status"], check["details"]) for check in report["checks"] if check["id"] in trials}
    assert set(tried) == trials
    assert {name: said for name, said in tried.items() if said[0] != "PASS"} == {}, "the product keeps its promises"
    assert [name for name in trials if not (out / "raw" / f"{name}.json").is_file()] == []
    assert [check["id"] for check in report["checks"] if check["id"] in trials and not check["clauses"]] == []
    assert {check["status"] for check in report["checks"] if check["id"] == "BG-STA-007"} == {"PASS"}
    reference = tmp_path / "reference.json"
    assert run(["audit", "reference", "--out", str(reference)]) == 0
    line = ["audit", "verify", str(out), "--key", str(out / "keys.json"), "--reference", str(reference)]
    capsys.readouterr()
    assert run(line) == code, "the same answer as the audit's"
    assert f"the report inside says: {report['status']}" in capsys.readouterr().out


def test_only_some_promises_are_tried_and_the_others_stay_unknown(tmp_path: Path) -> None:
    out = tmp_path / "evidence"
    assert run(["audit", "run", "--quick", "--only", "POL-14", "--only", "POL-22", "--out", str(out)]) == 3
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert [(check["id"], check["status"]) for check in report["checks"]] == [
        ("BG-POL-014", "PASS"), ("BG-POL-022", "PASS"),
    ]  # fmt: skip
    assert report["status"] == "UNKNOWN"
    line = ["audit", "verify", str(out), "--key", str(out / "keys.json")]
    assert [run(line), run([*line, "--signatures-only"])] == [3, 0]


def test_a_promise_that_is_not_in_the_register_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "run", "--only", "POL-99", "--out", str(tmp_path / "evidence")]) == 4
    assert "audit.promise" in capsys.readouterr().err


def test_no_folder_of_an_audit_is_named_after_it() -> None:
    """A product reads the path of its device; one that said "leaks" or "attack" would tell it to behave."""
    sources = Path(evidence.__file__).parent.rglob("*.py")
    called = (n for p in sources for n in ast.walk(ast.parse(p.read_text("utf-8"))) if isinstance(n, ast.Call))
    made = [n for n in called if isinstance(n.func, ast.Attribute) and n.func.attr in {"mkdtemp", "TemporaryDirectory"}]
    assert len(made) >= 6
    assert not [ast.unparse(n) for n in made if n.args or {k.arg for k in n.keywords} - {"dir"}]
