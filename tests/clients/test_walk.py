"""Each client on a real device: the scenario of that device again, then its walk; one transcript for all languages."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.toolchains import LANGUAGES, ROOT

TRANSCRIPT = Path(__file__).parent / "transcript.txt"
LONG_NUMBER = re.compile(r"\d{6,}")
BIN = Path(sys.executable).parent
SCENARIO = ROOT / "docs" / "examples" / "scenarios" / "enroll-and-unlock.toml"
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}


def bioguard(*arguments: str | Path) -> None:
    subprocess.run([BIN / "bioguard", *arguments], check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device that nobody has used, for copies."""
    directory = tmp_path_factory.mktemp("clients") / "phone"
    bioguard("--device", directory, "device", "init", "--scenario", SCENARIO)
    return directory


@pytest.fixture(scope="module")
def frames(device: Path) -> Path:
    """What is said in the scenario, and what comes."""
    path = device.parent / "frames"
    bioguard("scenario", "frames", SCENARIO, "--out", path)
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
