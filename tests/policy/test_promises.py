"""27 of 27: every promise has a check, every check passes on the product and fails on a product that breaks it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest

import bioguard.commands
from bioguard.audit import confinement, leaks, static
from bioguard.audit.egress import ATTEMPTS, Cell, EgressReport, Outcome
from bioguard.audit.lab import Lab, Person
from bioguard.audit.sbom import components
from bioguard.audit.source_scan import scan_source
from bioguard.audit.trials import TRIALS, conduct, lifecycle, rights, storage
from bioguard.commands.biometric import Profile
from bioguard.device import consent
from bioguard.device.facade import Device
from bioguard.errors import NotPermitted, TeeUnavailable
from bioguard.policy.clauses import CLAUSES, clause
from bioguard.records.events import Cause
from bioguard.report import Status
from tee_sim.lockdown.verdict import Level, Verdict
from tee_sim.schema import Record, Text
from tee_sim.ta_api import Command

Patch = pytest.MonkeyPatch
BY_ID = {t.id: t for t in TRIALS}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Lab(tmp_path_factory.mktemp("promises") / "device", Level.NOT_ENFORCED) as made:
        yield made


def yielding(answer: object) -> Callable[..., Any]:
    """A function that does nothing and gives `answer`."""
    return lambda *_args, **_kwargs: answer


def forgiving(real: Callable[..., Any], answer: object) -> Callable[..., Any]:
    """The real function, but what it forbids happens all the same."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return real(*args, **kwargs)
        except NotPermitted:
            return answer

    return call


def _one_view(p: Patch) -> None:
    real = Person.views
    p.setattr(Person, "views", lambda self, count=1: real(self, 1))


def _named(p: Patch) -> None:
    real = Lab.person

    def person(self: Lab, **kwargs: Any) -> Person:
        made = real(self, **kwargs)
        self.frames.append(("to-secure", made.name.encode()))
        return made

    p.setattr(Lab, "person", person)


def _reachable(p: Patch) -> None:
    p.setattr(Device, "show", yielding(None))


def _of_age_anyway(p: Patch) -> None:
    real = consent.grant
    p.setattr(consent, "grant", lambda *a, **k: real(*a, **{**k, "of_age": True}))


def _with_template(p: Patch) -> None:
    real = rights.personal_data
    p.setattr(rights, "personal_data", lambda *a, **k: {**real(*a, **k), "templates": {"included": True}})


def _without_records(p: Patch) -> None:
    real = rights.personal_data
    p.setattr(rights, "personal_data", lambda *a, **k: {**real(*a, **k), "enrollments": []})


def _matching(p: Patch) -> None:
    answer = SimpleNamespace(match=True, token=None, record_id=None)
    p.setattr(Device, "authenticate", forgiving(Device.authenticate, answer))


def _easily_extended(p: Patch) -> None:
    p.setattr(consent, "extend_request", lambda d, n, _reason: consent.answer_request(d, n, Cause.FULFILLED))


SHORT_NOTICE = [("where", "here"), ("for how long", ""), ("policy version", "0")]
BROKEN: dict[str, Callable[[Patch], None]] = {
    "BG-POL-001": _one_view,
    "BG-POL-005": _matching,
    "BG-POL-006": lambda p: p.setattr(lifecycle, "Profile", SimpleNamespace(DIGEST_ONLY=Profile.STANDARD)),
    "BG-POL-008": _named,
    "BG-POL-009": lambda p: p.setattr(Device, "enroll", forgiving(Device.enroll, None)),
    "BG-POL-010": lambda p: p.setattr(consent, "purge", yielding((0, 0))),
    "BG-POL-011": lambda p: p.setattr(consent, "purge", yielding((0, 0))),
    "BG-POL-012": lambda p: p.setattr(storage, "incidents", yielding([])),
    "BG-POL-013": lambda p: p.setattr(rights, "personal_data", yielding({})),
    "BG-POL-014": lambda p: p.setattr(rights, "notice", yielding(SHORT_NOTICE)),
    "BG-POL-015": _without_records,
    "BG-POL-016": _reachable,
    "BG-POL-017": lambda p: p.setattr(Device, "erase", yielding("")),
    "BG-POL-018": lambda p: p.setattr(consent, "restrict", yielding(None)),
    "BG-POL-019": _with_template,
    "BG-POL-020": lambda p: p.setattr(consent, "object_to", yielding(None)),
    "BG-POL-021": lambda p: p.setattr(consent, "withdraw", yielding(())),
    "BG-POL-022": lambda p: p.setattr(rights, "decision_words", yielding(["score 0.973"])),
    "BG-POL-023": _easily_extended,
    "BG-POL-024": _of_age_anyway,
    "BG-POL-026": lambda p: p.setattr(consent, "set_policy", yielding(None)),
    "BG-STO-001": lambda p: p.setattr(storage, "_use", yielding("")),
    "BG-STO-002": lambda p: p.setattr(storage, "_use", yielding("")),
    "BG-STO-003": lambda p: p.setattr(storage, "_use", yielding("a wrong answer")),
    "BG-STO-004": lambda p: p.setattr(Device, "erase", yielding("")),
}
ELSEWHERE = {
    "BG-STA-001", "BG-STA-002", "BG-STA-003", "BG-STA-005", "BG-STA-006", "BG-SBX-001", "BG-SBX-002", "BG-SBX-003",
    "BG-LEK-001", "BG-LEK-002",
}  # fmt: skip
"""Checks whose broken variant has a test of its own below."""


def test_every_promise_has_a_check_and_every_check_has_a_broken_variant() -> None:
    assert [c.id for c in CLAUSES] == [f"POL-{i:02d}" for i in range(1, 28)]
    assert all(c.checks and c.control and c.promise for c in CLAUSES)
    checks = {check for c in CLAUSES for check in c.checks}
    assert checks == set(BROKEN) | ELSEWHERE
    assert set(BROKEN) == set(BY_ID)
    assert clause("POL-17").checks == ("BG-POL-017",)


@pytest.mark.parametrize("check_id", sorted(BY_ID))
def test_the_product_keeps_the_promise(check_id: str, lab: Lab, tmp_path: Path) -> None:
    check = conduct(BY_ID[check_id], lab, tmp_path)
    assert (check.status, check.details) == (Status.PASS, check.details)
    assert (tmp_path / f"{check_id}.json").is_file()
    assert check.clauses


@pytest.mark.parametrize("check_id", sorted(BROKEN))
def test_a_product_that_breaks_it_fails(check_id: str, lab: Lab, monkeypatch: Patch) -> None:
    BROKEN[check_id](monkeypatch)
    check = conduct(BY_ID[check_id], lab)
    assert check.status is Status.FAIL, check.details


def test_a_secure_world_that_is_not_there_is_unknown(lab: Lab, monkeypatch: Patch) -> None:
    def gone(*_args: Any, **_kwargs: Any) -> None:
        raise TeeUnavailable("the secure world died", hint="")

    monkeypatch.setattr(Device, "call", gone)
    check = conduct(BY_ID["BG-POL-005"], lab)
    assert (check.status, check.summary) == (Status.UNKNOWN, "could not run: the secure world died")


def test_trusted_syntax(tmp_path: Path, monkeypatch: Patch) -> None:
    assert static.trusted_syntax(tmp_path).status is Status.PASS
    bad = "import socket\nimport importlib\nx = __import__('so' + 'cket')\ny = ().__class__.__subclasses__\nopen('f')\n"
    found = {f.what for f in scan_source("trusted.bad", bad)}
    assert found == {
        "import of socket", "import of importlib", "name __import__", "attribute __subclasses__", "name open",
    }  # fmt: skip
    monkeypatch.setattr(static, "trusted_sources", lambda: iter([("trusted.bad", bad)]))
    assert static.trusted_syntax(tmp_path).status is Status.FAIL
    monkeypatch.setattr(static, "trusted_sources", lambda: iter([]))
    assert static.trusted_syntax(tmp_path).status is Status.UNKNOWN


def test_import_contracts(tmp_path: Path) -> None:
    assert static.import_contracts().status is Status.PASS
    assert static.import_contracts(tmp_path).status is Status.UNKNOWN
    package = tmp_path / "bad_product"
    package.mkdir()
    (package / "__init__.py").write_text("import socket\n", "utf-8")
    contract = (
        '[tool.importlinter]\nroot_packages = ["bad_product"]\ninclude_external_packages = true\n'
        '[[tool.importlinter.contracts]]\nname = "no network"\ntype = "forbidden"\n'
        'source_modules = ["bad_product"]\nforbidden_modules = ["socket"]\n'
    )
    (tmp_path / "pyproject.toml").write_text(contract, "utf-8")
    broken = static.import_contracts(tmp_path)
    assert broken.status is Status.FAIL
    assert broken.details == ("no network BROKEN",)


def test_closed_replies(tmp_path: Path, monkeypatch: Patch) -> None:
    assert static.closed_replies(tmp_path).status is Status.PASS

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Chatty(Record):
        text: Annotated[str, Text(4000)]

    monkeypatch.setattr(bioguard.commands.biometric, "CHAT", Command(99, Chatty, Chatty), raising=False)
    check = static.closed_replies(tmp_path)
    assert check.status is Status.FAIL
    assert "open: biometric.CHAT" in check.details


def test_bill_of_materials(tmp_path: Path) -> None:
    assert static.bill_of_materials(tmp_path, "2026-01-31T12:00:00Z", components()).status is Status.PASS
    assert static.bill_of_materials(tmp_path, "2026-01-31T12:00:00Z", components()[1:]).status is Status.UNKNOWN


def test_loaded_modules(monkeypatch: Patch) -> None:
    assert static.loaded_modules().status is Status.PASS
    monkeypatch.setattr(static, "NETWORK_MODULES", frozenset({"json"}))
    assert (static.loaded_modules().status, static.loaded_modules().details) == (Status.FAIL, ("json",))


@pytest.mark.parametrize(
    ("level", "status"),
    [
        (Level.ENFORCED_PLUS, Status.PASS),
        (Level.ENFORCED, Status.PASS),
        (Level.PARTIAL, Status.FAIL),
        (Level.NOT_ENFORCED, Status.FAIL),
        (Level.INCONCLUSIVE, Status.UNKNOWN),
    ],
)
def test_verdict(level: Level, status: Status, tmp_path: Path) -> None:
    assert confinement.verdict_check(Verdict(level=level, findings=(), reasons=()), tmp_path).status is status


def _egress(escaped: Outcome, packets: tuple[int, int] | None, *, base: Outcome = Outcome.ESCAPED) -> EgressReport:
    name = next(n for n, a in ATTEMPTS.items() if not a.residual)
    return EgressReport(
        levels=("0", "ALL"), cells={name: {"0": Cell(base), "ALL": Cell(escaped)}}, unavailable={},
        observed_packets=packets, seconds=1.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("report", "statuses"),
    [
        (_egress(Outcome.KILLED, (4, 0)), (Status.PASS, Status.PASS)),
        (_egress(Outcome.ESCAPED, (4, 0)), (Status.FAIL, Status.PASS)),
        (_egress(Outcome.KILLED, (4, 1)), (Status.PASS, Status.FAIL)),
        (_egress(Outcome.KILLED, (0, 0)), (Status.PASS, Status.UNKNOWN)),
        (_egress(Outcome.KILLED, None), (Status.PASS, Status.UNKNOWN)),
        (_egress(Outcome.KILLED, (4, 0), base=Outcome.REFUSED), (Status.UNKNOWN, Status.PASS)),
    ],
)
def test_battery(report: EgressReport, statuses: tuple[Status, Status], tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(confinement.egress, "run", yielding(report))
    assert tuple(c.status for c in confinement.battery_checks(tmp_path, quick=True)) == statuses


def test_leak_scan(lab: Lab, tmp_path: Path, monkeypatch: Patch) -> None:
    def statuses() -> list[Status]:
        return [c.status for c in confinement.leak_checks(lab, tmp_path, quick=True)]

    assert statuses() == [Status.PASS, Status.PASS]
    inner = lab.directory.parent / f"{lab.directory.name}-canaries"
    inner.rename(inner.with_name("first"))

    class LeakyLab(Lab):
        def __post_init__(self) -> None:
            Lab.__post_init__(self)
            canary = leaks.make_canaries(confinement.CANARY_SEED, with_key=False)
            self.frames.append(("from-secure", canary.embedding.to_bytes()))
            (self.directory / "upload.bin").write_bytes(b"x")

    monkeypatch.setattr(confinement, "Lab", LeakyLab)
    assert statuses() == [Status.FAIL, Status.FAIL]
