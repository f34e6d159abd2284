"""One byte of any file of a bundle, changed: the command exits 7 and names the file, in words and as JSON."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from bioguard.cli.__main__ import run
from tests.evidence.test_bundle import POSITIONS, _positions

PER_FILE = 2


def _files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def _bend(path: Path, rng: random.Random) -> bytes:
    """Give one byte another value; return the file as it was."""
    whole = path.read_bytes()
    bent = bytearray(whole)
    bent[rng.randrange(len(bent))] ^= rng.randrange(1, 256)
    path.write_bytes(bent)
    return whole


def test_the_library_test_reaches_every_file(copy: Path) -> None:
    places = _positions(copy)
    assert len(places) >= POSITIONS - 100 >= 500
    assert {name for name, _ in places} == set(_files(copy))


def test_the_command_exits_7_and_names_each_file(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "verify", str(copy), "--signatures-only"]) == 0
    rng = random.Random(11)
    for name in _files(copy):
        for _ in range(PER_FILE):
            whole = _bend(copy / name, rng)
            capsys.readouterr()
            assert run(["audit", "verify", str(copy)]) == 7, name
            assert f"error[integrity.bundle]: {name}:" in capsys.readouterr().err
            assert run(["audit", "verify", str(copy), "--json"]) == 7, name
            assert json.loads(capsys.readouterr().out)["error"]["message"].startswith(f"{name}:")
            (copy / name).write_bytes(whole)
    assert run(["audit", "verify", str(copy), "--signatures-only"]) == 0


@pytest.mark.parametrize("name", ["statement.dsse.json", "attestation.cbor", "report.html"])
def test_the_process_exits_7(copy: Path, name: str) -> None:
    _bend(copy / name, random.Random(12))
    line = [sys.executable, "-m", "bioguard.cli", "audit", "verify", str(copy)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (7, "")
    assert done.stderr.startswith(f"bioguard: error[integrity.bundle]: {name}:")
