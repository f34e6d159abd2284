"""The program of tests/clients/rows, run on a device: its verdicts, what it leaves, what was said on standard error."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients.toolchains import TESTS, tool

ROWS = TESTS / "rows"
MOST_S = 240
SCRIPTS = Path(sys.executable).parent
"""Where this environment has the `bioguard` that the program starts."""


@dataclass(frozen=True)
class Played:
    """verdicts: by row. left: what a group without rows told. said: on standard error."""

    verdicts: dict[str, str] = field(default_factory=dict)
    left: dict[str, Any] | None = None
    said: str = ""


def play(device: Path, *groups: str) -> Played:
    """Play groups of rows on a closed device."""
    tool("node")
    command = ["node", str(ROWS / "play.mjs"), str(device), *groups]
    env = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MOST_S, env=env)
    verdicts: dict[str, str] = {}
    left = None
    for line in done.stdout.splitlines():
        name, _, verdict = line.partition("\t")
        if name:
            assert name not in verdicts, name
            verdicts[name] = verdict
        else:
            left = json.loads(verdict)
    return Played(verdicts, left, done.stderr)
