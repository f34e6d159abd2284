"""The page docs/verify-without-us.md is run as written: on a real bundle, and on tampered twins that must fail."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cbor2
import pytest

from bioguard.evidence.device_records import write_checkpoint, write_records
from bioguard.evidence.policy_trials import TRIALS, conduct
from bioguard.evidence.run import signer_from, write_bundle, write_measurement
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.report import Report
from tee_sim.normal.sandbox_verdict.verdict import Level

ENVIRONMENT = {**os.environ, "CHECKOUT": str(Path(__file__).parents[2])}
PAGE = Path(__file__).parents[2] / "docs" / "verify-without-us.md"
STEPS: list[tuple[str, str]] = re.findall(r"```(python|sh)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
STATEMENT, LIST, SUMS, TOKEN, LOG, OPENSSL, PROOFS, ERASED, RECORDS, FILES, CHECKOUT = range(11)


def _run(folder: Path) -> list[int]:
    """Exit codes of the page's commands, in order."""
    codes = []
    for kind, text in STEPS:
        command = [sys.executable, "-c", text] if kind == "python" else ["sh", "-c", text]
        done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, check=False)
        codes.append(done.returncode)
    return codes


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bundle, never written to."""
    place = tmp_path_factory.mktemp("without-us")
    raw = place / "bundle" / "raw"
    raw.mkdir(parents=True)
    with TemporaryDevice(place / "device", Level.NOT_ENFORCED) as lab:
        write_checkpoint(raw.parent, lab)
        trials = [t for t in TRIALS if t.id in {"BG-POL-005", "BG-POL-016"}]
        report = Report(
            kind="audit", title="t", headline="h", tool="bioguard 0.1.0", created="2026-01-31T12:00:00Z",
            checks=tuple(conduct(trial, lab, raw) for trial in trials),
        )  # fmt: skip
        signer = signer_from(b"s" * 32)
        write_measurement(raw.parent, lab)
        write_records(raw.parent, lab, signer.key)
        write_bundle(raw.parent, report, lab, signer)
    return raw.parent


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


def _flip(name: str, after: str) -> Callable[[Path], None]:
    """Change one character 20 behind the first `after` of a file."""

    def damage(folder: Path) -> None:
        path = next(folder.glob(name))
        data = bytearray(path.read_bytes())
        position = data.index(after.encode()) + len(after) + 20
        data[position] = ord("0") if data[position] != ord("0") else ord("1")
        path.write_bytes(data)

    return damage


def _no_subjects(folder: Path) -> None:
    """A statement over nothing: signed by nobody, so the first step does not write it out."""
    path = folder / "statement.dsse.json"
    envelope = json.loads(path.read_bytes())
    envelope["payload"] = base64.b64encode(b"{}").decode()
    path.write_text(json.dumps(envelope), "utf-8")


def _bend_token(folder: Path) -> None:
    path = folder / "attestation.cbor"
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)


def _kept_in_the_store(folder: Path) -> None:
    """The digest of what was erased is still somewhere in the file."""
    erasure = json.loads((folder / "receipt.json").read_bytes())["erasures"][0]
    with (folder / "storage.db").open("ab") as file:
        file.write(cbor2.loads(bytes.fromhex(erasure["entry"]))[8])


def _one_more_file(folder: Path) -> None:
    path = folder / "measurement.json"
    measured = json.loads(path.read_bytes())
    measured["files"]["bioguard/evil.py"] = "0" * 64
    path.write_text(json.dumps(measured), "utf-8")


def _other_root(folder: Path) -> None:
    """The earlier checkpoint names a later root: text and hash agree with the log, the signature does not."""
    path = folder / "checkpoint-before.txt"
    now, _, _ = json.loads((folder / "log.json").read_bytes())["checkpoint"].rpartition("\n\n")
    path.write_text(now + "\n\n" + path.read_text("utf-8").rpartition("\n\n")[2], "utf-8")


def test_a_real_bundle_holds(copy: Path) -> None:
    assert len(STEPS) == 11
    assert _run(copy) == [0] * 11
    assert list((copy / "log-proofs").iterdir()), "there was a proof to follow"


TWINS = [
    (STATEMENT, _flip("statement.dsse.json", '"payload":"')),
    (STATEMENT, _flip("statement.dsse.json", '"sig":"')),
    (STATEMENT, _flip("keys.json", "/evidence+")),
    (LIST, _no_subjects),
    (SUMS, _flip("report.html", "<title>")),
    (SUMS, _flip("raw/BG-POL-016.json", '"check"')),
    (TOKEN, _bend_token),
    (TOKEN, _no_subjects),
    (LOG, _flip("log.json", '"items": [')),
    (LOG, _flip("checkpoint-before.txt", "/log\n")),
    (OPENSSL, _flip("log.json", "/log ")),
    (OPENSSL, _other_root),
    (PROOFS, _flip("log-proofs/*.tlog-proof", "index ")),
    (ERASED, _flip("receipt.json", '"path": [\n    "')),
    (ERASED, _flip("receipt.json", '"lower_path": [\n     "')),
    (ERASED, _flip("receipt.json", '"higher": "')),
    (ERASED, _flip("receipt.json", '"entry": "')),
    (ERASED, _kept_in_the_store),
    (RECORDS, _flip("receipt.json", "/records ")),
    (FILES, _flip("measurement.json", '"tee_sim/secure/core.py": "')),
    (FILES, _one_more_file),
    (CHECKOUT, _flip("measurement.json", '"bioguard/device/facade.py": "')),
]


@pytest.mark.parametrize(("step", "damage"), TWINS)
def test_a_tampered_one_does_not(copy: Path, step: int, damage: Callable[[Path], None]) -> None:
    damage(copy)
    assert _run(copy)[step] != 0


def test_every_step_has_a_twin_that_fails() -> None:
    assert {step for step, _ in TWINS} == set(range(len(STEPS)))
