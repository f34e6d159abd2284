"""The codec, the filter tables and the kernels on aarch64, under qemu-user: they answer there as they do here.

`tests/aarch64/prepare.sh` makes the Python that is wanted, and .ci/run calls it. A locked secure world on aarch64 is
not claimed: qemu-user passes no seccomp filter of its guest on.
"""

import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.aarch64.play import play

HERE = Path(__file__).parent
CPU = "neoverse-n1"
"""Without SVE: qemu-user 7.2 multiplies matrices wrongly in OpenBLAS's SVE kernels (312 ones came out as 8.6e36)."""


@pytest.fixture(scope="module")
def there() -> dict[str, Any]:
    """What comes out on aarch64."""
    place = Path(os.environ.get("BIOGUARD_AARCH64", ""))
    if not (place / "_kernels.so").is_file():
        pytest.skip("no aarch64 Python (BIOGUARD_AARCH64, tests/aarch64/prepare.sh)")
    if shutil.which("qemu-aarch64") is None:
        pytest.skip("qemu-aarch64 is not installed")
    command = ["qemu-aarch64", "-cpu", CPU, "-L", str(place / "root"), str(place / "root/usr/bin/python3.11")]
    paths = {"PYTHONPATH": str(place / "site"), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(HERE / "play.py")],
        env=os.environ | paths,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def here() -> dict[str, Any]:
    """What comes out on this machine."""
    found: dict[str, Any] = json.loads(json.dumps(play()))
    return found


def test_it_is_another_machine_with_its_own_kernels(there: dict[str, Any]) -> None:
    assert there["machine"] == there["filters"]["machine"] == "aarch64"
    assert there["codes"]["kernel"] == "neon"
    assert there["fingers"]["kernel"] not in {"numpy", None}


def test_the_codec_writes_and_refuses_the_same(there: dict[str, Any], here: dict[str, Any]) -> None:
    assert there["codec"] == here["codec"]
    assert here["codec"]["refused"] > 500


def test_the_filters_are_the_same_programs_with_the_same_answers(there: dict[str, Any], here: dict[str, Any]) -> None:
    assert here["filters"].pop("machine") == platform.machine()
    assert {key: value for key, value in there["filters"].items() if key != "machine"} == here["filters"]


def test_code_searches_agree_to_the_last_bit(there: dict[str, Any], here: dict[str, Any]) -> None:
    assert there["codes"]["digest"] == here["codes"]["digest"]


def test_finger_scores_agree_but_for_rounding(there: dict[str, Any], here: dict[str, Any]) -> None:
    """Another order of additions moves a score by thousandths; a wrong kernel moves it by whole numbers."""
    for row, other in zip(there["fingers"]["scores"], here["fingers"]["scores"], strict=True):
        assert row == pytest.approx(other, abs=0.02)
    assert max(max(row) for row in here["fingers"]["scores"]) > 2


def test_face_searches_agree(there: dict[str, Any], here: dict[str, Any]) -> None:
    assert there["faces"]["places"] == here["faces"]["places"]
    for row, other in zip(there["faces"]["scores"], here["faces"]["scores"], strict=True):
        assert row == pytest.approx(other, abs=1e-4)
