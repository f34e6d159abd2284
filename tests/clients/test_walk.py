"""Each client's walk on a real device of the same seed: one transcript for all four languages."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.device.options import parse_clock
from tests.clients.recording import record
from tests.clients.toolchains import LANGUAGES

TRANSCRIPT = Path(__file__).parent / "transcript.txt"
LONG_NUMBER = re.compile(r"\d{6,}")
SEEDED = DeviceOptions(seed="clients", clock=parse_clock("fixed:2026-01-31T12:00:00Z"))
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device that nobody has used, for copies."""
    directory = tmp_path_factory.mktemp("clients") / "phone"
    Device.init(directory, SEEDED).close()
    return directory


@pytest.fixture(scope="module")
def frames(device: Path) -> Path:
    """What was said to a copy of it once, and what came."""
    copy = device.parent / "recorded"
    shutil.copytree(device, copy)
    path = device.parent / "frames"
    path.write_bytes(record(copy))
    return path


def named(transcript: str) -> str:
    """Challenges and ids by the order in which they first come: they are random, and which are equal is not."""
    seen: dict[str, str] = {}
    return LONG_NUMBER.sub(lambda found: seen.setdefault(found[0], f"#{len(seen) + 1}"), transcript)


def walk(command: list[str], *arguments: Path) -> tuple[list[str], str, int]:
    """What a client said beside the server's notes, its transcript and its exit code."""
    done = subprocess.run(
        [*command, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120
    )
    errors = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    return errors, named(done.stdout), done.returncode


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_walk_is_the_same_in_every_language(
    language: str, program: Callable[[str], list[str]], device: Path, frames: Path, tmp_path: Path
) -> None:
    shutil.copytree(device, tmp_path / "phone")
    assert walk(program(language), tmp_path / "phone", frames) == ([], TRANSCRIPT.read_text(), 0)
