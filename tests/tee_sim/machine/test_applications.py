"""Where the code of a manifest lies, and what stands for a manifest."""

import os
from pathlib import Path

import pytest

from tee_sim.normal.machine.applications import Application, code_folder
from tee_sim.normal.machine.errors import MachineError
from tee_sim.shared.errors import TeeError

MANIFEST = 'uuid = "0b2c8f64-6c39-5a56-9a0f-3d5d6a1a7c11"\nname = "s"\nentry = "a.b.app:App"\ncode = ["a.*"]\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a/__init__.py", "a/b/__init__.py", "a/b/app.py", "single.py", "other/a/readme"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("beside", "entry", "found"),
    [
        (".", "a.b.app:App", True),  # next to the package
        ("a", "a.b.app:App", True),  # in it
        ("a/b", "a.b.app:App", True),  # in a package of it
        (".", "single:App", True),
        ("a", "single:App", False),  # nothing above the manifest but what it is a package of
        ("a/b", "b.app:App", False),
        ("other", "a.b.app:App", False),  # a folder of the name that is no package
        ("other/a", "a.b.app:App", False),
        ("/", "a.b.app:App", False),
    ],
)
def test_the_folder_of_the_code(tree: Path, beside: str, entry: str, found: bool) -> None:
    place = tree / beside
    if entry.startswith("b."):
        assert code_folder(place, entry) == tree / "a", "b is a package of its own seen from a"
        return
    assert code_folder(place, entry) == (tree if found else None)


def test_a_manifest_is_read_with_the_way_to_its_code(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "a" / "manifest.toml").write_text(MANIFEST)
    monkeypatch.chdir(tree)
    for path in (Path("a"), Path("a/manifest.toml"), tree / "a"):
        application = Application.read(path)
        assert (application.folder, application.folder_bytes) == (tree, os.fsencode(tree))
        assert application.manifest.name == "s"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("absent", None, "there is no file absent"),
        (".", None, "there is no manifest.toml and no *.ta in ."),
        ("absent.ta", None, "there is no file absent.ta"),
        ("\xe9.ta", b"", r"'\xe9.ta' is no name of printable ASCII characters"),
        ("x.toml", b"\xff", "x.toml cannot be read: 'utf-8' codec can't decode byte 0xff in position 0"),
        ("x.toml", b"#" * 70_000, "x.toml cannot be read: it is larger than 65536 bytes"),
    ],
)
def test_what_is_no_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    with pytest.raises(MachineError) as caught:
        Application.read(Path(name))
    assert caught.value.code == "machine.path"
    assert caught.value.message.startswith(why)
    assert caught.value.hint


def test_a_manifest_that_is_wrong_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "manifest.toml"
    file.write_text(MANIFEST + "objekts = 3\n")
    with pytest.raises(TeeError) as caught:
        Application.read(tmp_path)
    assert caught.value.message.startswith(f"{file}:5: objekts: ")
