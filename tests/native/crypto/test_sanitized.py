"""All published answers through C once more, watched by AddressSanitizer; nothing is locked there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.native.builds import ABIS, TAS, Builds

ROOT = Path(__file__).parents[3]
ALL = """
from types import SimpleNamespace

from tee_sim.normal.connect import connect
from tests.native.crypto import test_vectors_in_c as tests

tee, count = SimpleNamespace(context=connect()), 0
for file, test in (
    ("digests", tests.test_digest),
    ("ciphers", tests.test_cipher),
    ("macs", tests.test_mac),
    ("authenticated", tests.test_authenticated_encryption),
    ("signatures", tests.test_signature),
    ("derivations", tests.test_derivation),
):
    for row in tests.vectors(file):
        test(tee, row)
        count += 1
print(count > 70)
"""


@pytest.mark.parametrize("abi", ABIS)
def test_the_sanitizer_has_nothing_to_say(builds: Builds, abi: int) -> None:
    found = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout
    if not found.startswith("/"):
        pytest.skip("no sanitizer runtime")
    ta = builds.ta(TAS / "vectors", abi, CFG_TA_ASAN="y")
    words = [Path(sys.executable).with_name("tee-sim"), "run", "--asan", ta, "--", sys.executable, "-c", ALL]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, cwd=ROOT, timeout=200)
    assert (ran.returncode, ran.stdout) == (0, "True\n"), ran.stderr
    assert "AddressSanitizer" not in ran.stderr
