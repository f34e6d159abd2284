"""Trusted code from memory: compiled before the lock, run after it.

Before the lock the child can read files but must not run trusted code; after it, trusted code runs but no file can
be opened. So the sources named in the manifests are read and compiled first, and an importer serves them, and their
package data, from memory.

What that code imports from elsewhere is imported before the lock too: the standard library freely, anything else only
if the manifest's `preload` names it. The list is read off the sources, so it cannot be forgotten.

Also computed here: the measurement of each trusted application, SHA-256 over its manifest and the exact bytes it is
made of. Every source is read and hashed at every start. Where an earlier start has compiled it
(`tee_sim.secure.kept_code`), that code is taken instead of compiling it again, and its digest goes into the
measurement: such a start measures as another one than a start that compiled, and no code runs that is in none.

Does not promise: that libraries are what they were. The manifest that names them is measured, their files are not.
Whole packages, with what is compiled in them, are measured apart (`tee_sim.shared.package_files`).
"""

import hashlib
import importlib
import importlib.util
import io
import marshal
import os
import stat
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from importlib.machinery import EXTENSION_SUFFIXES, BuiltinImporter, FrozenImporter, ModuleSpec
from opcode import opmap
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Self, cast

from tee_sim.secure.kept_code import Kept, KeptModule
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest import Manifest


@dataclass(frozen=True, slots=True)
class _Top:
    """A top-level package, or a module that is in none. `folder`: where it lies, as named; `real`: without links."""

    origin: Path
    is_package: bool
    folder: Path
    real: Path

    @classmethod
    def of(cls, name: str) -> Self:
        """That of a module, without importing it. Raises ModuleNotFoundError."""
        head = name.partition(".")[0]
        spec = importlib.util.find_spec(head)
        if spec is None or not spec.origin:
            raise ModuleNotFoundError(f"no module named {head!r}")
        origin = Path(spec.origin)
        return cls(origin, bool(spec.submodule_search_locations), origin.parent, origin.parent.resolve())

    def source_file(self, name: str) -> tuple[Path, bool]:
        """Path of a module's source and whether it is a package."""
        _, *rest = name.split(".")
        if not rest:
            return self.origin, self.is_package
        path = (self.folder if self.is_package else self.origin).joinpath(*rest)
        package = path / "__init__.py"
        return (package, True) if package.is_file() else (path.with_suffix(".py"), False)


def own_folder(name: str) -> Path:
    """The folder that everything of a module's top-level package is below; a plain module's is where it is.

    Raises:
        ModuleNotFoundError: there is no such module.
    """
    return _Top.of(name).folder


class _Reader:
    """Reads the files of packages. Folders are looked at once: a package has a hundred files in a dozen of them."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def content(self, path: str, folder: Path, named: str) -> bytes:
        """Read one file of a package.

        Args:
            folder: of the package, without links.

        Raises:
            ForeignFileError: a link leads out of the folder.
            FileNotFoundError: it is no file; reading from a pipe or a device need not end.
        """
        # Links are resolved and then compared, and what was resolved is read: the launcher may read what the
        # application may not, the device's root secret among it.
        place, _, name = path.rpartition(os.sep)
        if place not in self._real:
            self._real[place] = os.path.realpath(place)
        found = f"{self._real[place]}{os.sep}{name}"
        with suppress(FileNotFoundError, NotADirectoryError):
            if stat.S_ISLNK(os.lstat(found).st_mode) or name in (os.pardir, os.curdir):
                found = os.path.realpath(found)
            if not Path(found).is_relative_to(folder):
                raise ForeignFileError(f"{named}: {path} leads out of {folder}, the folder of its package")
            if stat.S_ISREG(os.lstat(found).st_mode):
                with io.FileIO(found) as file:
                    return file.readall()
        raise FileNotFoundError(f"{named}: there is no file {path}")


class ForeignFileError(ImportError):
    """A name of a manifest that is of a file outside its package."""


_Place = tuple[str, bool]
"""Path of a module's source, and whether it is a package."""


def _expand(pattern: str, top: _Top) -> Iterator[tuple[str, _Place]]:
    """`a.b.*` is the package a.b and everything below it; anything else is itself."""
    path, is_package = top.source_file(pattern.removesuffix(".*"))
    if not pattern.endswith(".*"):
        yield pattern, (str(path), is_package)
        return
    package, folder = pattern.removesuffix(".*"), str(path.parent)
    for place, _, files in os.walk(folder):
        parent = ".".join((package, *Path(place).relative_to(folder).parts))
        for file in files:
            if file == "__init__.py":
                yield parent, (f"{place}{os.sep}{file}", True)
            elif file.endswith(".py"):
                yield f"{parent}.{file[:-3]}", (f"{place}{os.sep}{file}", False)


def load_extension(name: str) -> ModuleType | None:
    """Load a compiled module under its full name without running its parent packages.

    Returns None when it was not built: trusted code then uses its portable twin.
    """
    stem, _ = _Top.of(name).source_file(name)
    for suffix in EXTENSION_SUFFIXES:
        path = stem.with_name(name.rpartition(".")[2] + suffix)
        if path.is_file():
            spec = importlib.util.spec_from_file_location(name, path)
            if spec is None or spec.loader is None:
                return None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            sys.modules[name] = module
            return module
    return None


@dataclass(slots=True)
class _Module:
    """One module.

    Attributes:
        imports: of its whole source.
        kept: what it is taken from, if it was not compiled; most processes never make a code object of it.
    """

    path: str
    is_package: bool
    imports: tuple[str, ...]
    kept: bytes = b""
    made: CodeType | None = None

    @property
    def code(self) -> CodeType:
        """To be executed."""
        if self.made is None:
            self.made = marshal.loads(self.kept)  # noqa: S302 - authenticated before BOOT, and measured
        return self.made


@dataclass
class CodeTable:
    """Importer over compiled code: finder and loader. Put it first in `sys.meta_path`.

    It has not the base classes of `importlib.abc`, which load a quarter of the standard library with them.

    Attributes:
        kept: what an earlier start has compiled.
    """

    kept: Kept = field(default_factory=dict)
    modules: dict[str, _Module] = field(default_factory=dict)
    data: dict[str, bytes] = field(default_factory=dict)
    compiled: set[str] = field(default_factory=set)
    imports: dict[str, str] = field(default_factory=dict)
    parts: dict[bytes, "CodeTable"] = field(default_factory=dict)
    _read: dict[bytes, _Module] = field(default_factory=dict)
    _tops: dict[str, _Top] = field(default_factory=dict)
    _listed: dict[str, tuple[tuple[str, _Place], ...]] = field(default_factory=dict)
    _reader: _Reader = field(default_factory=_Reader)

    def part(self, manifest: Manifest) -> "CodeTable":
        """What this manifest names, and nothing of the others."""
        return self.parts[manifest.uuid]

    def add(self, manifest: Manifest) -> bytes:
        """Read and compile everything a manifest names; return the measurement (SHA-256)."""
        measured = hashlib.sha256(manifest.to_bytes())
        taken: list[bytes] = []
        own = self.parts[manifest.uuid] = CodeTable()
        self.compiled.update(manifest.compiled)
        named = {name: place for pattern in manifest.code for name, place in self._named(pattern)}
        for name, (path, is_package) in sorted(named.items()):
            source = self._reader.content(path, self._top(name).real, name)
            digest = hashlib.sha256(name.encode() + b"\0" + source).digest()
            measured.update(digest)
            if digest not in self._read:  # every start waits for this, and applications have much code in common
                self._read[digest] = self._taken(digest, path, is_package) or _compiled(source, path, is_package)
            module = self.modules[name] = own.modules[name] = self._read[digest]
            self.imports.update(dict.fromkeys(module.imports, name))
            if module.kept:
                taken.append(hashlib.sha256(" ".join(module.imports).encode() + b"\0" + module.kept).digest())
        for resource in sorted(manifest.resources):
            package, _, filename = resource.partition(":")
            source_file, is_package = self._top(package).source_file(package)
            if not is_package and "." not in package:
                # Its folder is anybody's: the manifest's own, with a machine in it, or that of the standard library.
                raise ForeignFileError(f"{resource}: {package} is a module and has no folder of its own")
            path = str(source_file.parent / filename)
            content = self._reader.content(path, source_file.parent.resolve(), resource)
            measured.update(hashlib.sha256(resource.encode() + b"\0" + content).digest())
            self.data[path] = own.data[path] = content
        if not taken:
            return measured.digest()
        return hashlib.sha256(b"".join((b"tee_sim taken code v1", measured.digest(), *taken))).digest()

    def _top(self, name: str) -> _Top:
        head = name.partition(".")[0]
        if head not in self._tops:
            self._tops[head] = _Top.of(head)
        return self._tops[head]

    def _named(self, pattern: str) -> tuple[tuple[str, _Place], ...]:
        """Modules that a pattern stands for, listed once: applications name the same packages."""
        if pattern not in self._listed:
            self._listed[pattern] = tuple(_expand(pattern, self._top(pattern)))
        return self._listed[pattern]

    def _taken(self, digest: bytes, path: str, is_package: bool) -> _Module | None:
        """The module as an earlier start has compiled this very source, in this very place."""
        kept = self.kept.get(digest)
        if kept is None or kept.path != path:
            return None
        return _Module(kept.path, is_package, kept.imports, kept.code)

    def to_keep(self) -> list[tuple[bytes, KeptModule]]:
        """Everything compiled, for the next start; nothing if all of it was taken from an earlier one."""
        if all(module.kept for module in self._read.values()):
            return []
        return [
            (digest, KeptModule(module.path, module.imports, module.kept or marshal.dumps(module.code)))
            for digest, module in self._read.items()
        ]

    def import_outside_code(self, allowed: Collection[str]) -> None:
        """Import everything the code refers to that is not part of it, and the compiled modules that are.

        Raises:
            ImportError: a module is neither of the standard library nor below a name in `allowed`.
        """
        outside = (n for n in self.imports if n not in self.modules and n.rpartition(".")[0] not in self.modules)
        own = {module.partition(".")[0] for module in self.modules}
        for name in dict.fromkeys([*allowed, *outside]):
            top = name.partition(".")[0]
            if top in own:
                # What runs here is what the verdict knows of (`Manifest.early_code`): no import, and no
                # manifest of another application, may name more.
                if name in self.compiled:
                    load_extension(name)
                continue
            if top not in sys.stdlib_module_names and not any(f"{name}.".startswith(f"{a}.") for a in allowed):
                raise ImportError(f"{self.imports[name]} imports {name}, which no manifest names under preload")
            parent, _, last = name.rpartition(".")
            if parent and hasattr(importlib.import_module(parent), last):
                continue
            importlib.import_module(name)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        module = self.modules.get(fullname)
        if module is None:
            return None
        spec = ModuleSpec(fullname, cast("Any", self), origin=module.path, is_package=module.is_package)
        spec.has_location = True
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.modules[module.__name__].code, module.__dict__)  # noqa: S102 - this is an importer

    def get_data(self, path: str) -> bytes:
        """Package data, for `pkgutil.get_data`. Raises OSError for anything not in a manifest."""
        try:
            return self.data[path]
        except KeyError:
            raise OSError(f"{path} is not a resource of any manifest") from None


def _compiled(source: bytes, path: str, is_package: bool) -> _Module:
    code = compile(source, path, "exec", dont_inherit=True)
    return _Module(path, is_package, tuple(dict.fromkeys(_imported_names(code))), made=code)


_IMPORT, _EXTENDED = opmap["IMPORT_NAME"], opmap["EXTENDED_ARG"]
_LOADS = opmap["LOAD_CONST"], opmap.get("LOAD_SMALL_INT")
"""A constant of the code object, and, from Python 3.14 on, a number as it stands."""


def _imported_names(code: CodeType) -> Iterator[str]:
    """Dotted names of modules, and of things in modules, that code imports anywhere in it.

    Read off the instructions: every start waits for it, and a syntax tree takes as long again as the compiler.

    Raises:
        ImportError: an import is compiled to other instructions than those of Python 3.11 to 3.14.
    """
    opcodes = code.co_code[::2]
    at = opcodes.find(_IMPORT)
    while at >= 0:
        place, index = _operand(code, at)
        place, wanted = _constant(code, place)
        _, level = _constant(code, place)
        module = code.co_names[index]
        if wanted is None:
            yield module
        elif not level:
            yield from (f"{module}.{name}" for name in cast("tuple[str, ...]", wanted))
        at = opcodes.find(_IMPORT, at + 1)
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _imported_names(part)


def _operand(code: CodeType, at: int) -> tuple[int, int]:
    """Of the instruction at an index: the index of the one before it, and its argument."""
    raw, argument, shift = code.co_code, code.co_code[2 * at + 1], 8
    while at and raw[2 * at - 2] == _EXTENDED:
        at -= 1
        argument |= raw[2 * at + 1] << shift
        shift += 8
    return at - 1, argument


def _constant(code: CodeType, at: int) -> tuple[int, object]:
    """Of the instruction at an index: the index of the one before it, and what it loads."""
    opcode = code.co_code[2 * at] if at >= 0 else None
    if opcode is None or opcode not in _LOADS:
        raise ImportError(f"{code.co_filename}: this Python compiles an import to instructions that are not known here")
    before, argument = _operand(code, at)
    return before, argument if opcode == _LOADS[1] else code.co_consts[argument]


def forget_file_importers() -> None:
    """Leave only built-in, frozen and in-memory modules: a missing one is then an ImportError, not a killed process."""
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter]
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
