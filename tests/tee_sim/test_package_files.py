"""The files of a package: what `sha256sum` says of them, by kind, and nothing that does not end."""

import hashlib
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tee_sim
from tee_sim.shared.package_files import NO_FILE, FileKind, Listing

HERE = Path(tee_sim.__file__).parent


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "sample"
    (folder / "sub" / "__pycache__").mkdir(parents=True)
    for name in ("__init__.py", "sub/__init__.py", "sub/table.bin", "sub/fast.c", "sub/fast.abi3.so"):
        (folder / name).write_text(name, "utf-8")
    (folder / "sub/__pycache__/__init__.cpython-311.pyc").write_bytes(b"cache")
    return folder


def _names(folder: Path) -> list[str]:
    return list(Listing.of({"sample": folder}).files)


ALL = ["sample/__init__.py", "sample/sub/__init__.py", "sample/sub/fast.abi3.so", "sample/sub/fast.c"]


def test_every_file_is_listed_but_the_cache_of_a_source_that_is_there(package: Path) -> None:
    assert _names(package) == [*ALL, "sample/sub/table.bin"]
    (package / "sub/__pycache__/other.cpython-311.pyc").write_bytes(b"of no source")
    (package / "sub/__pycache__/__init__.py").write_bytes(b"not compiled")
    (package / "sub/__pycache__/.pyc").write_bytes(b"of no name")
    (package / "loose.pyc").write_bytes(b"Python imports this one without a source")
    (package / "sub/__init__.pyc").write_bytes(b"and this one, whatever lies above")
    (package / ".hidden").write_bytes(b"")
    (package / "sub/.py").write_bytes(b"")
    new = {"sample/.hidden", "sample/loose.pyc", "sample/sub/__init__.pyc", "sample/sub/.py"} | {
        f"sample/sub/__pycache__/{name}" for name in ("other.cpython-311.pyc", "__init__.py", ".pyc")
    }
    assert set(_names(package)) == {*ALL, "sample/sub/table.bin", *new}


def test_a_cache_that_is_a_link_is_listed(package: Path, tmp_path: Path) -> None:
    cache = package / "sub/__pycache__/__init__.cpython-311.pyc"
    cache.rename(tmp_path / "elsewhere")
    cache.symlink_to(tmp_path / "elsewhere")
    assert "sample/sub/__pycache__/__init__.cpython-311.pyc" in _names(package)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a/b.py", FileKind.SAME),
        ("a/thresholds.json", FileKind.SAME),
        ("a/b.so.py", FileKind.SAME),
        ("a/b.abi3.so", FileKind.COMPILED),
        ("a/lib.so.1.2", FileKind.COMPILED),
        ("a/b.pyd", FileKind.COMPILED),
        ("a/b.c", FileKind.SAME),
        ("a/b.pyc", FileKind.SAME),
    ],
)
def test_kinds(name: str, kind: FileKind) -> None:
    assert FileKind.of(name) is kind


def test_what_does_not_end_is_not_read_and_links_are_followed_to_files_only(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside").write_bytes(b"outside")
    (package / "link.py").symlink_to(tmp_path / "outside")
    (package / "nowhere.py").symlink_to(tmp_path / "absent")
    (package / "circle.py").symlink_to(package / "circle.py")
    (package / "linked_package").symlink_to(tmp_path)
    os.mkfifo(package / "pipe.py")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(package)  # a short name: the whole one may be too long for a socket
        listener.bind("socket.py")
        found = Listing.of({"sample": package}).files
    assert found["sample/link.py"] == hashlib.sha256(b"outside").hexdigest()
    for name in ("nowhere.py", "circle.py", "linked_package", "pipe.py", "socket.py"):
        assert found[f"sample/{name}"] == NO_FILE


@pytest.mark.parametrize(
    "name", ["two\nlines", "a  b", " first", "last ", "tab\t", "\x1b[2J", "\udcff", "back\\slash", "\N{SNOWMAN}"]
)
def test_a_name_cannot_make_a_line_of_its_own(package: Path, name: str) -> None:
    (package / name).write_bytes(b"x")
    listing = Listing.of({"sample": package})
    assert listing.to_text().isascii()
    assert len(listing.files) == len(ALL) + 2
    assert Listing.parse(listing.to_text()) == listing


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not on this host")
def test_sha256sum_reads_the_listing_and_writes_it() -> None:
    listing = Listing.of({"tee_sim": HERE})
    assert len(listing.files) > 100
    check = ["sha256sum", "--check", "--strict", "--quiet"]
    subprocess.run(check, input=listing.to_text(), text=True, cwd=HERE.parent, check=True)
    find = "find tee_sim -type f ! -path '*/__pycache__/*.pyc' | LC_ALL=C sort | xargs sha256sum"
    made = subprocess.run(["sh", "-c", find], capture_output=True, text=True, cwd=HERE.parent, check=True)
    assert made.stdout == listing.to_text()
    assert dict(listing.components())["tee_sim"] == hashlib.sha256(made.stdout.encode()).digest()


def test_a_package_has_one_digest_whatever_was_compiled_in_it(package: Path) -> None:
    def components() -> dict[str, bytes]:
        return dict(Listing.of({"sample": package}).components())

    first = components()
    assert list(first) == ["sample", "sample/sub/fast.abi3.so"]
    (package / "sub/fast.abi3.so").write_bytes(b"other")
    assert components()["sample"] == first["sample"]
    assert components()["sample/sub/fast.abi3.so"] == hashlib.sha256(b"other").digest()
    (package / "sub/fast.abi3.so").unlink()
    assert components() == {"sample": first["sample"]}
    (package / "sub/fast.c").write_bytes(b"other")
    assert components()["sample"] != first["sample"]


@given(st.text(alphabet="0af \n/\\ab", max_size=200))
def test_any_text_is_a_listing_or_refused(text: str) -> None:
    try:
        assert Listing.parse(text).to_text() == text
    except ValueError as error:
        assert "listing" in str(error)


LINE = "0" * 64 + "  a/b\n"


@pytest.mark.parametrize(
    "text", [LINE + LINE, LINE[:-1], LINE.replace("a/b", "b") + LINE, "\n", LINE.replace("  ", " "), LINE + "x"]
)
def test_what_is_not_written_so_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="listing"):
        Listing.parse(text)


def test_a_folder_that_is_not_there_is_no_empty_package(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Listing.of({"sample": tmp_path / "absent"})
