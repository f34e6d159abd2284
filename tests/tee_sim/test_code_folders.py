"""A folder that is handed over gives the packages that a manifest lists, and nothing else."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from tee_sim.secure.code_folders import CodeFolders
from tee_sim.secure.codeload import CodeTable
from tee_sim.shared.manifest import Manifest


def manifest(*code: str, number: int = 1) -> Manifest:
    return Manifest(uuid=bytes(15) + bytes([number]), name="s", entry="x:Y", code=code)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the package `handed_over`, the module `loose`, and what looks like NumPy and like the standard library."""
    for name in ("handed_over", "numpy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('it ran')\n")
    (tmp_path / "handed_over" / "app.py").write_text("VALUE = 1\n")
    (tmp_path / "loose.py").write_text("VALUE = 2\n")
    (tmp_path / "decimal.py").write_text("VALUE = 3\n")
    return tmp_path


def test_the_listed_packages_are_read_and_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finder = CodeFolders([(manifest("handed_over.*", "loose"), os.fsencode(folder))])
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    table = CodeTable()
    table.add(manifest("handed_over.*", "loose"))
    assert sorted(table.modules) == ["handed_over", "handed_over.app", "loose"]
    for name in ("handed_over", "loose"):
        with pytest.raises(ImportError, match=f"^{name} is trusted code: it runs after the lock, and not before$"):
            importlib.import_module(name)
        assert name not in sys.modules


def test_nothing_that_is_not_listed_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finder = CodeFolders([(manifest("handed_over.*"), os.fsencode(folder))])
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    assert importlib.util.find_spec("loose") is None
    spec = importlib.util.find_spec("numpy")
    assert spec is not None
    assert spec.origin is not None
    assert not Path(spec.origin).is_relative_to(folder)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("numpy", r"^code numpy is at .*/numpy/__init__.py and installed at .*: give one another name$"),
        ("decimal", r"^code decimal at .*/decimal.py has the name of a module of the standard library$"),
    ],
)
def test_a_name_with_two_meanings_is_refused(folder: Path, name: str, why: str) -> None:
    with pytest.raises(ImportError, match=why):
        CodeFolders([(manifest(name), os.fsencode(folder))])


def test_two_folders_with_one_name_are_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "loose.py").write_text("VALUE = 4\n")
    given = [(manifest("loose"), os.fsencode(folder)), (manifest("loose", number=2), os.fsencode(other))]
    with pytest.raises(ImportError, match=r"^code loose is at .*/other/loose.py and at .*/loose.py$"):
        CodeFolders(given)
    assert CodeFolders([given[0], given[0]]).find_spec("loose") is not None


def test_installed_code_stays_where_it_is(folder: Path) -> None:
    assert CodeFolders([(manifest("tee_sim.shared.*"), os.fsencode(folder))]).find_spec("tee_sim") is None
    assert CodeFolders([(manifest("loose"), b"")]).find_spec("loose") is None
    checkout = Path(__file__).parents[2]
    assert CodeFolders([(manifest("tee_sim.shared.*"), os.fsencode(checkout))]).find_spec("tee_sim") is None
