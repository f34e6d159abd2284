"""The example from installation to a verified token runs as written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "verified_token.sh"


@pytest.mark.slow
def test_from_nothing_to_a_verified_token() -> None:
    environment = os.environ | {"PYTHON": sys.executable, "BIOGUARD": f"{sys.executable} -m bioguard.cli"}
    done = subprocess.run(
        ["sh", str(SCRIPT)], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    answer = said.index("match: alice")
    assert said[answer + 1 : answer + 3] == [
        "the rate is synthetic by comparison profile mobilefacenet-128",
        "verified",
    ]
    assert "challenge:                000000000000002a" in said
    assert said[-1] == "the secure world did not make this token in this boot"
