"""The program of tests/clients/rows, run on a device: its verdicts, what it leaves, what was said on standard error."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.broken_build import FAST_PINS
from tests.broken_tree import plant
from tests.clients.toolchains import TESTS, tool

ROWS = TESTS / "rows"
MOST_S = 240


@dataclass(frozen=True)
class Played:
    """verdicts: by row. left: what a group without rows told. said: on standard error."""

    verdicts: dict[str, str] = field(default_factory=dict)
    left: dict[str, Any] | None = None
    said: str = ""


def product(folder: Path) -> Path:
    """Where the `bioguard` lies that the program starts: the product, with PINs that cost nothing."""
    python = plant(folder, (FAST_PINS,))  # the rows give the PIN a hundred times
    script = python.with_name("bioguard")
    script.write_text(f"#!{python}\nfrom bioguard.cli.__main__ import main\nmain()\n", "utf-8")
    script.chmod(0o755)
    return script.parent


def play(scripts: Path, device: Path, *groups: str) -> Played:
    """Play groups of rows on a closed device, with the product in `scripts`."""
    tool("node")
    command = ["node", str(ROWS / "play.mjs"), str(device), *groups]
    env = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
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
