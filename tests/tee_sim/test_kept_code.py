"""Code that an earlier start compiled: taken for exactly the source it was made of, and measured as what it is."""

import hashlib
import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tee_sim.secure import kept_code
from tee_sim.secure.codeload import CodeTable
from tee_sim.secure.kept_code import Kept
from tee_sim.shared.limits import CACHE_MAC_BYTES
from tee_sim.shared.manifest import Manifest

MANIFEST = Manifest(uuid=bytes(range(16)), name="s", entry="x:Y", code=("kept_sample.*",))
OPTIMIZED = SimpleNamespace(optimize=7)
OTHER = replace(MANIFEST, uuid=bytes(range(1, 17)), code=("kept_sample", "kept_sample.one"))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "kept_sample"
    root.mkdir()
    (root / "__init__.py").write_text("import json\n")
    (root / "one.py").write_text("VALUE = 1\n")
    (root / "two.py").write_text("from kept_sample.one import VALUE\nVALUE += 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield root
    for name in [n for n in sys.modules if n.startswith("kept_sample")]:
        del sys.modules[name]


def started(kept: Kept | None = None) -> tuple[CodeTable, bytes]:
    table = CodeTable(kept=kept or {})
    return table, table.add(MANIFEST)


def kept_by(table: CodeTable) -> Kept:
    return dict(table.to_keep())


def value_of(table: CodeTable, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "meta_path", [table, *sys.meta_path])
    value: int = importlib.import_module("kept_sample.two").VALUE
    return value


def written(path: Path, content: bytes, mac: bytes = bytes(CACHE_MAC_BYTES)) -> tuple[bytes, bytes]:
    path.write_bytes(mac + content)
    return str(path).encode(), hashlib.sha256(content).digest()


def test_the_next_start_takes_all_of_it_does_the_same_and_measures_that_it_took_it(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, measured = started()
    other = table.add(OTHER)
    kept = kept_code.read(*written(tmp_path / "code", kept_code.write(table.to_keep())))
    assert kept == kept_by(table)
    warm, warm_measured = started(kept)
    assert warm.to_keep() == []
    assert warm.imports == table.imports
    assert len({measured, other, warm_measured, warm.add(OTHER)}) == 4
    assert started(kept)[1] == warm_measured
    assert value_of(warm, monkeypatch) == 2


def test_of_another_source_nothing_is_taken_and_what_is_taken_besides_is_kept_again(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = kept_by(started()[0])
    (package / "one.py").write_text("VALUE = 4\n")
    table, measured = started(older)
    assert measured not in {started()[1], started(older | kept_by(table))[1]}
    assert kept_by(table).keys() - older.keys() == kept_by(started()[0]).keys() - older.keys()
    assert len(kept_by(table)) == 3
    assert value_of(table, monkeypatch) == 5


def test_a_module_that_moved_is_compiled(package: Path) -> None:
    elsewhere = {digest: replace(one, path="/elsewhere.py") for digest, one in kept_by(started()[0]).items()}
    assert started(elsewhere)[1] == started()[1]


def test_swapped_or_foreign_code_is_in_the_measurement(package: Path) -> None:
    """Only who has the root secret can bring it so far: even then it measures as no other code does."""
    kept = kept_by(started()[0])
    first, second, third = kept
    swapped = kept | {second: replace(kept[second], code=kept[third].code)}
    fewer = {first: kept[first]}
    imports = kept | {second: replace(kept[second], imports=("antigravity",))}
    assert len({started(each)[1] for each in (kept, swapped, fewer, imports, {})}) == 5


@pytest.mark.parametrize("at", [0, 40, -1])
def test_a_byte_that_differs_from_what_was_authenticated_leaves_nothing(package: Path, tmp_path: Path, at: int) -> None:
    content = kept_code.write(started()[0].to_keep())
    path, digest = written(tmp_path / "code", content)
    assert kept_code.read(path, digest)
    touched = bytearray(content)
    touched[at] ^= 1
    written(tmp_path / "code", bytes(touched))
    assert kept_code.read(path, digest) == {}


def test_another_interpreter_takes_nothing(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, digest = written(tmp_path / "code", kept_code.write(started()[0].to_keep()))
    others = (sys, "version", "4"), (sys, "flags", OPTIMIZED), (sys.implementation, "cache_tag", "cpython-399")
    for owner, name, value in others:
        with monkeypatch.context() as there:
            there.setattr(owner, name, value)
            assert kept_code.read(path, digest) == {}
    assert kept_code.read(path, digest)


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x82\x01\x02", b"\xff"])
def test_what_is_authentic_and_no_table_is_nothing(tmp_path: Path, content: bytes) -> None:
    assert kept_code.read(*written(tmp_path / "code", content)) == {}


def test_a_link_a_folder_a_pipe_or_no_file_is_nothing(package: Path, tmp_path: Path) -> None:
    content = kept_code.write(started()[0].to_keep())
    digest = written(tmp_path / "code", content)[1]
    (tmp_path / "link").symlink_to("code")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "kept_sample", "pipe", "nowhere"):
        assert kept_code.read(str(tmp_path / name).encode(), digest) == {}
