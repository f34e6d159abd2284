"""The page docs/verify-without-us.md is run as written, on a real bundle and on a tampered one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bioguard.audit.lab import Lab
from bioguard.audit.run import signer_from, write_bundle
from bioguard.audit.trials import TRIALS, conduct
from bioguard.device import consent
from bioguard.report import Report
from tee_sim.lockdown.verdict import Level

PAGE = Path(__file__).parents[2] / "docs" / "verify-without-us.md"


def _steps() -> list[tuple[str, str]]:
    return re.findall(r"```(python|sh)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def _run(folder: Path) -> list[int]:
    codes = []
    for kind, text in _steps():
        command = [sys.executable, "-c", text] if kind == "python" else ["sh", "-c", text]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if "print(" in text:
            (folder / "sums").write_text(done.stdout, "utf-8")
        codes.append(done.returncode)
    return codes


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    raw = tmp_path / "bundle" / "raw"
    raw.mkdir(parents=True)
    with Lab(tmp_path / "device", Level.NOT_ENFORCED) as lab:
        (raw.parent / "checkpoint-before.txt").write_text(consent.signed_log(lab.device).checkpoint, "utf-8")
        trial = next(t for t in TRIALS if t.id == "BG-POL-016")
        report = Report(
            kind="audit", title="t", headline="h", tool="bioguard 0.1.0", created="2026-01-31T12:00:00Z",
            checks=(conduct(trial, lab, raw),),
        )  # fmt: skip
        write_bundle(raw.parent, report, lab, signer_from(b"s" * 32))
    return raw.parent


def test_the_page_verifies_a_bundle_and_refuses_a_tampered_one(bundle: Path) -> None:
    assert len(_steps()) == 6
    assert _run(bundle) == [0] * 6
    for name, position, failing in (
        ("statement.dsse.json", 40, 0),
        ("report.html", 900, 2),
        ("attestation.cbor", 60, 3),
        ("log.json", 900, 4),
    ):
        path = bundle / name
        whole = path.read_bytes()
        bent = bytearray(whole)
        bent[position] ^= 1
        path.write_bytes(bent)
        assert _run(bundle)[failing] != 0, name
        path.write_bytes(whole)
