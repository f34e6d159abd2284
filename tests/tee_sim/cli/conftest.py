"""A folder of one's own, the command in it, and what it says."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tee_sim.cli.main import play

EXAMPLES = Path(__file__).parents[3] / "docs/examples"


@dataclass
class Said:
    """Exit status, standard output and standard error."""

    status: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder: it holds the counter, and nothing imported from it stays."""
    shutil.copytree(EXAMPLES / "counter", tmp_path / "counter")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if "docs/examples" not in p])
    before = set(sys.modules)
    for name in [n for n in sys.modules if n.partition(".")[0] == "counter"]:
        monkeypatch.delitem(sys.modules, name)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {"counter", "vault"}:
            del sys.modules[name]


@pytest.fixture
def tee_sim(here: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """`tee_sim(*words)`: the command, in this process."""

    def command(*words: object) -> Said:
        capfd.readouterr()
        status = play([str(word) for word in words])
        said = capfd.readouterr()
        return Said(int(status), said.out, said.err)

    return command


def image(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, except what Python and a lock leave."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.name != "lock"
    }
