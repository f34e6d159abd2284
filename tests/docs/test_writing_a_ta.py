"""docs/writing-a-ta.md as a newcomer reads it: every command is run, every change made, every answer compared."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/writing-a-ta.md"
STEP = re.compile(
    r"^(?:<!-- (?P<verb>append|replace) (?P<file>\S+)\n?(?P<old>.*?)-->\n)?"
    r"^```(?P<kind>console|python)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def steps() -> list[re.Match[str]]:
    return [*STEP.finditer(PAGE.read_text("utf-8"))]


class Newcomer:
    """Types what the page says, in a folder of their own."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.commands = 0
        runs = {"tee-sim": "-m tee_sim.cli", "python": "", "pytest": "-m pytest -p no:cacheprovider"}
        for name, words in runs.items():
            (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
            (programs / name).chmod(0o755)
        self.environment = {"PATH": f"{programs}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

    def change(self, verb: str, file: str, old: str, text: str) -> None:
        path = self.folder / file
        before = path.read_text("utf-8")
        if verb == "append":
            path.write_text(before + text, "utf-8")
            return
        assert before.count(old) == 1, f"{file} has {before.count(old)} times: {old}"
        path.write_text(before.replace(old, text), "utf-8")

    def type(self, line: str) -> list[str]:
        """What a command prints, and its exit status in brackets if it is not 0."""
        self.commands += 1
        if line.startswith("cd "):
            self.folder /= line.removeprefix("cd ")
            return []
        done = subprocess.run(
            ["/bin/sh", "-c", line], cwd=self.folder, env=self.environment, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        said = [*done.stdout.splitlines(), *done.stderr.splitlines()]
        if line.startswith("pytest"):
            said = [text for text in said if " passed" in text or " failed" in text]
        return [*said, *([f"[{done.returncode}]"] if done.returncode else [])]


def matches(expected: str, said: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), said) is not None


def test_a_line_of_the_page_is_compared_word_for_word() -> None:
    assert matches("4 passed in …", "4 passed in 1.2s")
    assert not matches("4 passed in …", "5 passed in 1.2s")
    assert not matches("value = 4", "value = 40")


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
def test_every_step_works_as_it_is_written(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert len(steps()) == len(re.findall(r"^```\w+$", PAGE.read_text("utf-8"), re.MULTILINE)), "a block is of no step"
    newcomer = Newcomer(tmp_path, tmp_path_factory.mktemp("bin"))
    for step in steps():
        if step["kind"] == "python":
            assert step["verb"], f"no file is named for:\n{step['text']}"
            newcomer.change(step["verb"], step["file"], step["old"], step["text"])
            continue
        for block in re.split(r"^\$ ", step["text"], flags=re.MULTILINE)[1:]:
            line, *expected = block.splitlines()
            said = newcomer.type(line)
            assert len(said) == len(expected), f"$ {line}\n" + "\n".join(said)
            for wanted, got in zip(expected, said, strict=True):
                assert matches(wanted, got), f"$ {line}\nexpected {wanted}\nprinted  {got}"
    assert newcomer.commands <= 25, "a newcomer types no more than this"


def test_what_it_takes_is_in_the_extra_that_the_page_names() -> None:
    """The newcomer of these tests is handed a pytest; the one who reads the page is not."""
    named = re.search(r"^pip install '\.\[(\w+)\]'$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert named is not None
    extras = tomllib.loads((PAGE.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert any(re.match(r"pytest\b(?!-)", requirement) for requirement in extras[named[1]])
