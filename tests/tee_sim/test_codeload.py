"""Trusted code is compiled first and run later, from memory, without executing its parents early."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tee_sim.secure.codeload import CodeTable
from tee_sim.shared.manifest import Manifest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "trusted_sample"
    (root / "sub").mkdir(parents=True)
    (root / "__init__.py").write_text("RAN = True\n")
    (root / "sub" / "__init__.py").write_text("import pkgutil\nDATA = pkgutil.get_data(__name__, 'table.bin')\n")
    (root / "sub" / "deep.py").write_text("from trusted_sample.sub import DATA\nVALUE = len(DATA)\n")
    (root / "sub" / "table.bin").write_bytes(b"12345")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield root
    for name in [n for n in sys.modules if n.startswith("trusted_sample")]:
        del sys.modules[name]


def manifest(*code: str, resources: tuple[str, ...] = ("trusted_sample.sub:table.bin",)) -> Manifest:
    return Manifest(uuid=bytes(range(16)), name="s", entry="x:Y", code=code, resources=resources)


def test_nothing_runs_before_it_is_imported_and_no_file_is_needed_then(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = CodeTable()
    table.add(manifest("trusted_sample.*"))
    assert not [n for n in sys.modules if n.startswith("trusted_sample")]
    for path in package.rglob("*.*"):
        path.unlink()
    monkeypatch.setattr(sys, "meta_path", [table, *sys.meta_path])
    assert importlib.import_module("trusted_sample.sub.deep").VALUE == 5
    assert sys.modules["trusted_sample"].RAN is True


def test_measurement_covers_every_byte(package: Path) -> None:
    first = CodeTable().add(manifest("trusted_sample.*"))
    assert CodeTable().add(manifest("trusted_sample.*")) == first
    for path, text in (
        (package / "sub" / "deep.py", "VALUE = 6\n"),
        (package / "sub" / "table.bin", "12346"),
        (package / "__init__.py", "RAN = 1\n"),
    ):
        path.write_text(text)
        changed = CodeTable().add(manifest("trusted_sample.*"))
        assert changed != first
        first = changed
    assert CodeTable().add(manifest("trusted_sample.sub")) != first


def test_missing_code_and_undeclared_data_are_errors(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        CodeTable().add(manifest("trusted_sample.absent"))
    with pytest.raises(ModuleNotFoundError, match="no module named 'absent_package'"):
        CodeTable().add(manifest("absent_package"))
    table = CodeTable()
    table.add(manifest("trusted_sample.*", resources=()))
    monkeypatch.setattr(sys, "meta_path", [table, *sys.meta_path])
    with pytest.raises(OSError, match="is not a resource of any manifest"):
        importlib.import_module("trusted_sample.sub")
    assert pkgutil.get_data("bioguard.trusted.biometric", "manifest.toml")
