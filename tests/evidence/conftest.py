"""One lab and one small bundle for the whole folder: a real secure world, started once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioguard import __version__
from bioguard.evidence import confinement
from bioguard.evidence.device_records import write_checkpoint, write_records
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.evidence.policy_trials import TRIALS, conduct
from bioguard.evidence.run import signer_from, write_bundle, write_measurement
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.report import Fact, Report, Requirement
from tee_sim.normal.sandbox_verdict.verdict import Level

ANY_LEVEL = Level.NOT_ENFORCED
"""These tests are about rules and evidence; what a host enforces is tested in tests/lockdown."""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporaryDevice]:
    with TemporaryDevice(tmp_path_factory.mktemp("lab") / "device", ANY_LEVEL) as made:
        yield made


@pytest.fixture(scope="session")
def bundle(lab: TemporaryDevice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete bundle over a few quick checks."""
    stage = tmp_path_factory.mktemp("bundle") / "evidence"
    raw = stage / "raw"
    raw.mkdir(parents=True)
    write_checkpoint(stage, lab)
    quick = [t for t in TRIALS if t.id in {"BG-POL-005", "BG-POL-014", "BG-POL-016"}]
    checks = [confinement.verdict_check(lab.device.running.verdict, raw), *(conduct(t, lab, raw) for t in quick)]
    rows = tuple(Requirement(id=c.id, section=c.section, promise=c.promise, control=c.control) for c in CLAUSES)
    report = Report(
        kind="audit",
        title="Test evidence",
        headline="a few checks",
        tool=f"bioguard {__version__}",
        created="2026-01-31T12:00:00Z",
        facts=(Fact("Run", "test"),),
        checks=tuple(checks),
        requirements=rows,
        residual=("a simulator",),
    )
    signer = signer_from(b"s" * 32)
    write_measurement(stage, lab)
    write_records(stage, lab, signer.key)
    write_bundle(stage, report, lab, signer)
    return stage


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(bundle, tmp_path / "copy"))
