"""Trusted code is compiled first and run later, from memory, without executing its parents early."""

import ast
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.device.applications import manifests
from tee_sim.secure import codeload
from tee_sim.secure.codeload import CodeTable, ForeignFileError
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


def test_what_two_applications_have_in_common_is_compiled_once_and_is_in_the_part_of_each(package: Path) -> None:
    one, other = manifest("trusted_sample.*"), replace(manifest("trusted_sample.sub.*"), uuid=bytes(range(1, 17)))
    table = CodeTable()
    assert [table.add(one), table.add(other)] == [CodeTable().add(one), CodeTable().add(other)]
    first, second = table.part(one).modules, table.part(other).modules
    assert first.keys() - second.keys() == {"trusted_sample"}
    assert all(first[name].code is second[name].code for name in second)
    (package / "sub" / "deep.py").write_text("VALUE = 6\n")
    assert table.add(other) == CodeTable().add(other)
    assert table.part(other).modules["trusted_sample.sub.deep"].code is not first["trusted_sample.sub.deep"].code


def test_modules_of_one_source_are_two_and_a_name_is_measured(package: Path) -> None:
    for name in ("first.py", "second.py"):
        (package / name).write_text("import json\n")
    table = CodeTable()
    measured = table.add(manifest("trusted_sample.*"))
    assert {Path(table.modules[f"trusted_sample.{name}"].path).stem for name in ("first", "second")} == {
        "first",
        "second",
    }
    (package / "second.py").rename(package / "third.py")
    assert CodeTable().add(manifest("trusted_sample.*")) != measured


def test_an_import_is_found_wherever_a_statement_may_stand() -> None:
    source = """
import a0
try: import a1
except E: import a2
else: import a3
finally: import a4
try: pass
except* E: import a5
match x:
    case 1:
        from a6 import name
for x in y: import a7
else: import a8
while x: import a9
with x: import a10
async def f(x=lambda: 0):
    async with x: import a11
    async for x in y: import a12
    if x: pass
    elif y: import a13
    else: import a14
    class C:
        def g(self): import a15
"""
    found = list(codeload._imported_names(compile(source, "a", "exec")))
    assert sorted(set(found)) == sorted(["a6.name", *(f"a{i}" for i in range(16) if i != 6)])


def named(source: str) -> set[str]:
    """What a syntax tree says that a source imports."""
    nodes = list(ast.walk(ast.parse(source)))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    parts = [node for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return whole | {f"{node.module}.{alias.name}" for node in parts for alias in node.names}


def many(count: int) -> str:
    """So many names and constants."""
    return "\n".join(f"n{i} = {i}.5" for i in range(count))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a.b.c as d, e", {"a.b.c", "e"}),
        ("from a import b as c, d\nfrom e import *", {"a.b", "a.d", "e.*"}),
        ("from . import a\nfrom .b import c\nfrom ..d import e", set()),
        ("from __future__ import annotations\nx: y", {"__future__.annotations"}),
        (f"{many(300)}\nimport a\nfrom b import c\nfrom .d import e", {"a", "b.c"}),
        (
            f"def f():\n class C:\n  async def g():\n   return [lambda: __import__('a')]\n  import b\n{many(300)}",
            {"b"},
        ),
    ],
    ids=["whole", "parts", "relative", "future", "many", "nested"],
)
def test_imports_are_those_of_the_syntax_tree(source: str, found: set[str]) -> None:
    assert set(codeload._imported_names(compile(source, "a", "exec"))) == named(source) == found


def test_an_import_beside_more_names_than_two_bytes_number() -> None:
    source = f"{many(65_600)}\nimport a\nfrom b import c\nfrom .d import e"
    assert list(codeload._imported_names(compile(source, "a", "exec"))) == ["a", "b.c"]


def test_imports_of_the_product_are_those_of_its_syntax_trees() -> None:
    table = CodeTable()
    for own in manifests():
        table.add(own)
    differ = [
        name for name, module in table.modules.items() if set(module.imports) != named(Path(module.path).read_text())
    ]
    assert (differ, len(table.modules) > 100) == ([], True)


def test_an_import_in_instructions_that_are_not_known_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codeload, "_LOADS", (0, None))
    with pytest.raises(ImportError, match="a: this Python compiles an import to instructions that are not known here"):
        list(codeload._imported_names(compile("import b", "a", "exec")))


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


def linked(package: Path, kind: str) -> Manifest:
    """A manifest one of whose names is a link to a file beside the package."""
    secret = package.parent / "secret.py"
    secret.write_text("HUK = 5\n")
    if kind == "code":
        (package / "stolen.py").symlink_to(secret)
        return manifest("trusted_sample.*")
    if kind == "file":
        (package / "stolen.bin").symlink_to(Path("..", "secret.py"))
        return manifest("trusted_sample.*", resources=("trusted_sample:stolen.bin",))
    (package / "folder").symlink_to(package.parent, target_is_directory=True)
    return manifest("trusted_sample.*", resources=("trusted_sample:folder/secret.py",))


@pytest.mark.parametrize("kind", ["code", "file", "folder"])
def test_a_link_out_of_the_package_is_refused(package: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = linked(package, kind)
    with pytest.raises(ForeignFileError, match=f"leads out of {package}, the folder of its package"):
        CodeTable().add(hostile)
    # Without the comparison the file is in the application's memory: it is what refuses.
    monkeypatch.setattr(Path, "is_relative_to", lambda *_: True)
    table = CodeTable()
    table.add(hostile)
    assert b"HUK = 5\n" in table.data.values() or "trusted_sample.stolen" in table.modules


def test_a_link_within_the_package_is_no_harm(package: Path) -> None:
    (package / "again.bin").symlink_to(package / "sub" / "table.bin")
    table = CodeTable()
    table.add(manifest("trusted_sample.*", resources=("trusted_sample:again.bin",)))
    assert list(table.data.values()) == [b"12345"]


def test_a_plain_module_has_no_folder_for_resources(package: Path) -> None:
    """Its folder may be that of a machine, or of the standard library."""
    (package.parent / "plain_sample.py").write_text("")
    for name in ("plain_sample:secret.py", "os:LICENSE.txt"):
        with pytest.raises(ForeignFileError, match="is a module and has no folder of its own"):
            CodeTable().add(manifest("trusted_sample", resources=(name,)))


def test_what_is_no_file_is_not_read(package: Path) -> None:
    os.mkfifo(package / "endless.bin")
    for name in ("endless.bin", "sub", "absent.bin"):
        with pytest.raises(FileNotFoundError, match=f"trusted_sample:{name}: there is no file"):
            CodeTable().add(manifest("trusted_sample", resources=(f"trusted_sample:{name}",)))


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of compiled modules of applications that were run, which happens before the lock."""
    names: list[str] = []
    monkeypatch.setattr(codeload, "load_extension", names.append)
    return names


@pytest.mark.parametrize("imported", ["trusted_sample.sub.native.quick", "trusted_sample.quick"])
def test_an_import_of_its_own_runs_nothing_before_the_lock(package: Path, loaded: list[str], imported: str) -> None:
    """Only `preload` does, which holds the verdict down: else a folder without sources would hide such code from it."""
    (package / "sub" / "deep.py").write_text(f"import {imported}\n")
    table = CodeTable()
    one = manifest("trusted_sample.sub.deep")
    table.add(one)
    table.import_outside_code(one.preload)
    assert loaded == []
    assert one.early_code == ()


def test_nor_does_a_name_under_the_preload_of_another(package: Path, loaded: list[str]) -> None:
    """Neither manifest alone would say that it ran."""
    (package.parent / "trusted_other.py").write_text("")
    importlib.invalidate_caches()
    name = "trusted_sample.quick"
    own = manifest("trusted_sample.*")
    other = replace(own, uuid=bytes(range(1, 17)), code=("trusted_other",), resources=(), preload=(name,))
    for both, early in (((own, other), []), ((replace(own, preload=(name,)), other), [name])):
        table = CodeTable()
        for one in both:
            table.add(one)
        table.import_outside_code([name])
        assert loaded == early
        assert [n for one in both for n in one.early_code] == early
