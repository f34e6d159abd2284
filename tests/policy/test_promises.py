"""27 of 27: every promise has a check, every check passes on the product and fails on a product that breaks it."""

import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

import bioguard.commands
from bioguard.device.facade import Device
from bioguard.errors import TeeUnavailable
from bioguard.evidence import confinement, leak_scan, static
from bioguard.evidence.escape_battery import ATTEMPTS, Cell, EgressReport, Outcome
from bioguard.evidence.leak_scan import Score, exercise_device
from bioguard.evidence.outside_watch import NotWatched, Sighting
from bioguard.evidence.policy_clauses import CLAUSES, clause
from bioguard.evidence.policy_trials import TRIALS, conduct
from bioguard.evidence.sbom import components, runtime_dependencies
from bioguard.evidence.source_scan import scan_source
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.report import Check, Status
from tee_sim.normal.sandbox_verdict.verdict import Level, Verdict
from tee_sim.shared.schema import Record, Text
from tee_sim.shared.ta_api import Command
from tests.broken_build import copy_with, install, interpreter
from tests.evidence.broken_products.breaks import BREAKS
from tests.policy.broken_products import BROKEN, yielding

Patch = pytest.MonkeyPatch
BY_ID = {t.id: t for t in TRIALS}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with TemporaryDevice(tmp_path_factory.mktemp("promises") / "device", Level.NOT_ENFORCED) as made:
        yield made


ELSEWHERE = {
    "BG-STA-001", "BG-STA-002", "BG-STA-003", "BG-STA-005", "BG-STA-006", "BG-SBX-001", "BG-SBX-002", "BG-SBX-003",
    "BG-SBX-004", "BG-SBX-005", "BG-LEK-001", "BG-LEK-002", "BG-STO-005", "BG-STA-007", "BG-STA-008", "BG-LOG-001",
}  # fmt: skip
"""Checks whose broken variant has a test of its own below."""
LONG = {*(f"BG-POL-{number:03d}" for number in (13, 14, 18, 20, 21, 26)), "BG-STO-001", "BG-STO-006"}
"""Trials of three seconds and more of rows that tests/evidence/broken_products breaks in the suite: their own variants
are played by `pytest -m campaign tests/policy` alone."""


def test_what_is_left_out_of_the_suite_is_of_rows_that_are_broken_there() -> None:
    broken = {row for name, product in BREAKS.items() if name != "not-encrypted" for row in product.rows}
    assert {clause.id for clause in CLAUSES if LONG & set(clause.checks)} <= broken


def test_every_promise_has_a_check_and_every_check_has_a_broken_variant() -> None:
    assert [c.id for c in CLAUSES] == [f"POL-{i:02d}" for i in range(1, 28)]
    assert all(c.checks and c.control and c.promise for c in CLAUSES)
    checks = {check for c in CLAUSES for check in c.checks}
    assert checks == set(BROKEN) | ELSEWHERE
    assert set(BROKEN) == set(BY_ID)
    assert clause("POL-17").checks == ("BG-POL-017", "BG-LOG-001")


@pytest.mark.campaign  # tests/evidence/test_run.py: the whole audit, and every trial passes
@pytest.mark.parametrize("check_id", sorted(BY_ID))
def test_the_product_keeps_the_promise(check_id: str, lab: TemporaryDevice, tmp_path: Path) -> None:
    check = conduct(BY_ID[check_id], lab, tmp_path)
    assert (check.status, check.details) == (Status.PASS, check.details)
    assert (tmp_path / f"{check_id}.json").is_file()
    assert check.clauses


@pytest.mark.parametrize(
    "check_id", [pytest.param(name, marks=[pytest.mark.campaign] if name in LONG else []) for name in sorted(BROKEN)]
)
def test_a_product_that_breaks_it_fails(
    check_id: str, lab: TemporaryDevice, tmp_path: Path, monkeypatch: Patch
) -> None:
    """It fails by the observation that is about the promise, not because something else went wrong."""
    broken = BROKEN[check_id]
    broken.put_in_place(monkeypatch, tmp_path)
    if broken.build:
        with TemporaryDevice(tmp_path / "device", Level.NOT_ENFORCED) as other:
            check = conduct(BY_ID[check_id], other)
    else:
        _forget_second_devices(lab)
        check = conduct(BY_ID[check_id], lab)
    assert check.status is Status.FAIL, check.details
    failed = [line.partition(": ")[2] for line in check.details if line.startswith("NOT as promised")]
    assert any(line.startswith(broken.shows) for line in failed), (check.summary, check.details)


def _forget_second_devices(lab: TemporaryDevice) -> None:
    """A trial that makes a device of its own makes it anew: one that is there already would be its failure."""
    for path in lab.directory.parent.glob(f"{lab.directory.name}-*"):
        shutil.rmtree(path)


def test_an_unchanged_build_passes(tmp_path: Path, monkeypatch: Patch) -> None:
    """So what fails above is the change, not the way the build is run."""
    install(monkeypatch, tmp_path / "build", ())
    with TemporaryDevice(tmp_path / "device", Level.NOT_ENFORCED) as other:
        check = conduct(BY_ID["BG-STO-003"], other)
    assert (check.status, check.details) == (Status.PASS, check.details)


def test_a_secure_world_that_is_not_there_is_unknown(lab: TemporaryDevice, monkeypatch: Patch) -> None:
    def gone(*_args: Any, **_kwargs: Any) -> None:
        raise TeeUnavailable("the secure world died", hint="")

    monkeypatch.setattr(Device, "ask", gone)
    check = conduct(BY_ID["BG-POL-005"], lab)
    assert (check.status, check.summary) == (Status.UNKNOWN, "could not run: the secure world died")


def test_trusted_syntax(tmp_path: Path, monkeypatch: Patch) -> None:
    assert static.trusted_syntax(tmp_path).status is Status.PASS
    bad = "import socket\nimport importlib\nx = __import__('so' + 'cket')\ny = ().__class__.__subclasses__\nopen('f')\n"
    found = {f.what for f in scan_source("trusted.bad", bad)}
    assert found == {
        "import of socket", "import of importlib", "name __import__", "attribute __subclasses__", "name open",
    }  # fmt: skip
    assert (
        scan_source("trusted.good", "import pkgutil\npkgutil.get_data('a', 'b')\nfrom pkgutil import get_data\n") == []
    )
    part = (
        "import pkgutil\npkgutil.resolve_name('socket')\nimport pkgutil as p\nfrom pkgutil import resolve_name as r\n"
        "x = pkgutil\nimport bioguard.match.thresholds as t\nt.pkgutil.resolve_name('socket')\n"
        "from bioguard.match.thresholds import pkgutil as q\n"
    )
    assert [(f.line, f.what) for f in sorted(scan_source("trusted.bad", part), key=lambda f: f.line)] == [
        (2, "use of pkgutil beside pkgutil.get_data"), (3, "import of pkgutil as p"),
        (4, "import of pkgutil.resolve_name"), (5, "use of pkgutil beside pkgutil.get_data"),
        (7, "attribute pkgutil"), (8, "import of bioguard.match.thresholds.pkgutil"),
    ]  # fmt: skip
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
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in project["dependencies"]}
    assert set(runtime_dependencies()) == wanted, "installed before pyproject.toml changed: pip install --no-deps -e ."
    assert static.bill_of_materials(tmp_path, "2026-01-31T12:00:00Z", components()).status is Status.PASS
    for name in sorted(wanted):
        rest = [part for part in components() if part.normal_name != name]
        check = static.bill_of_materials(tmp_path, "2026-01-31T12:00:00Z", rest)
        assert check.status is Status.UNKNOWN
        assert f"missing: {name}" in check.details


def test_loaded_modules(tmp_path: Path, monkeypatch: Patch) -> None:
    assert static.loaded_modules().status is Status.PASS
    first = "from typing import TYPE_CHECKING\n"
    changes = (("src/bioguard/device/__init__.py", first, f"import socket\n{first}"),)
    paths = copy_with(tmp_path, changes)
    start = tmp_path / "start.py"
    start.write_text(f"import sys\nsys.path[:0] = {paths!r}\nexec(sys.argv[1])\n", "utf-8")
    interpreter(monkeypatch, tmp_path, f'"{start}" "$4"')
    check = static.loaded_modules()
    assert (check.status, check.details) == (Status.FAIL, ("_socket", "socket"))


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
    monkeypatch.setattr(confinement.escape_battery, "run", yielding(report))
    assert tuple(c.status for c in confinement.battery_checks(tmp_path, quick=True)) == statuses


def _leaks(folder: Path) -> dict[str, Check]:
    (folder / "raw").mkdir(parents=True)
    return {check.id: check for check in confinement.leak_checks(folder, folder / "raw", quick=True)}


def test_a_device_that_does_not_live_to_its_end_is_unknown(tmp_path: Path, monkeypatch: Patch) -> None:
    seen = Sighting(status=3, left_running=False, events=(), packets=(), controlled=True)
    monkeypatch.setattr(exercise_device, "watched", yielding((seen, b"", b"no room")))
    checks = _leaks(tmp_path / "life").values()
    assert {check.status for check in checks} == {Status.UNKNOWN}
    assert all(check.summary.endswith("did not live to its end: no room") for check in checks)


def test_a_host_that_cannot_be_watched_is_unknown(tmp_path: Path, monkeypatch: Patch) -> None:
    def refuse(*_args: Any) -> None:
        raise NotWatched("no namespaces here", hint="")

    monkeypatch.setattr(exercise_device, "watched", refuse)
    monkeypatch.setattr(leak_scan, "prove", yielding((Score("planted", 1, 1),)))  # tests/evidence/test_run.py: really
    statuses = {name: check.status for name, check in _leaks(tmp_path / "life").items()}
    assert statuses == {
        "BG-LEK-001": Status.PASS, "BG-STO-005": Status.PASS,
        "BG-LEK-002": Status.UNKNOWN, "BG-SBX-004": Status.UNKNOWN,
    }  # fmt: skip
