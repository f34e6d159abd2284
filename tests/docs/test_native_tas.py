"""docs/native-tas.md as a newcomer reads it: every command is run, every change made, every answer compared."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.docs.test_writing_a_ta import Newcomer, matches

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/native-tas.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
STEP = re.compile(
    r"^(?:<!-- (?P<verb>replace) (?P<file>\S+)\n(?P<old>.*?)-->\n)?^```(?P<kind>console|c)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SIX = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_every_step_works_as_it_is_written(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    steps = [*STEP.finditer(PAGE)]
    assert len(steps) + 1 == len(re.findall(r"^```\w+$", PAGE, re.MULTILINE)), "a block is of no step"
    shutil.copytree(ROOT / "docs/examples/safe", tmp_path / "safe")
    newcomer = Newcomer(tmp_path / "safe", tmp_path_factory.mktemp("bin"))
    for step in steps:
        if step["kind"] == "c":
            assert step["verb"], f"no file is named for:\n{step['text']}"
            newcomer.change(step["verb"], step["file"], step["old"].rstrip("\n"), step["text"].rstrip("\n"))
            continue
        for block in re.split(r"^\$ ", step["text"], flags=re.MULTILINE)[1:]:
            line, *expected = block.splitlines()
            said = newcomer.type(line)
            assert len(said) == len(expected), f"$ {line}\n" + "\n".join(said)
            for wanted, got in zip(sorted(expected), sorted(said), strict=True):
                assert matches(wanted, got), f"$ {line}\nexpected {wanted}\nprinted  {got}"


def test_six_commands_lead_to_a_locked_run_and_the_readme_says_the_same() -> None:
    (six,) = SIX.findall(PAGE)
    assert len(six.splitlines()) == 6
    assert six in README
