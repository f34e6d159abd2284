"""Measure this installation: the files of the product, and whether they are what runs.

The secure world lists the files it finds when it starts. Looked at here, in the process that runs the audit: that the
normal world has the same files; that what Python keeps in its caches is of the sources; that each module was loaded
from where it should be; that libraries are as their distributions recorded them; what runs before any of it.

Does not promise: that a product that lies about its files is found out. It measures itself, on a real device a root of
trust does. The interpreter and its standard library are the machine's; they are not measured.
"""

import base64
import hashlib
import importlib.util
import marshal
import re
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

import bioguard
import tee_sim
from bioguard.evidence.reference import START, Measurement, Otherwise, otherwise
from bioguard.evidence.sbom import required_distributions
from tee_sim.shared.package_files import CACHE, Listing

Row = tuple[str, Otherwise]
_CODE = re.compile(r"import[ \t]")
"""A line of a .pth file that `site` executes; any other one is a folder to search."""
_IMPORTED = re.compile(r"import\s+([\w.]+)|__import__\(\s*['\"]([\w.]+)")
_UNCHECKED, _HASHED = 0b01, 0b11
"""Flags in the head of a cached module (PEP 552): made of a hash; and the hash is to be compared."""


def folders_of(checkout: Path | None = None) -> dict[str, Path]:
    """Where the packages of the product lie: those of this process, or of a checkout."""
    if checkout is not None:
        return {"bioguard": checkout / "src" / "bioguard", "tee_sim": checkout / "tee_sim"}
    return {module.__name__: Path(str(module.__file__)).parent for module in (bioguard, tee_sim)}


def measure(secure: Listing) -> Measurement:
    """Measure this installation.

    Args:
        secure: the files of the product as the secure world found them.

    Raises:
        OSError: a file of the product cannot be read.
    """
    folders = folders_of()
    here = Listing.of(folders).files
    other = (name for name in {*here, *secure.files} if here.get(name) != secure.files.get(name))
    rows: list[Row] = [(name, Otherwise.NORMAL_WORLD) for name in other]
    rows += foreign_caches([folders, _isolated_folders()])
    rows += _modules(folders)
    rows += _libraries()
    return Measurement(secure, start_code(), otherwise(rows))


def _isolated_folders() -> dict[str, Path]:
    """Where a Python finds the product that is started as the secure world is; nowhere, if it finds none."""
    probe = "import bioguard, tee_sim; print(bioguard.__file__, tee_sim.__file__, sep='\\n')"
    line = [sys.executable, "-I", "-B", "-c", probe]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
    found = [Path(name).parent for name in done.stdout.splitlines()]
    return dict(zip(("bioguard", "tee_sim"), found, strict=True)) if len(found) == 2 else {}


# -- caches --------------------------------------------------------------------------------------------------------


def foreign_caches(places: Iterable[Mapping[str, Path]]) -> Iterator[Row]:
    """Sources that this Python would run from a cache that is not of them."""
    seen = dict.fromkeys((name, folder) for folders in places for name, folder in folders.items())
    for package, folder in seen:
        for source in sorted(folder.rglob("*.py")):
            if any(_foreign(source, cache, level) for cache, level in _caches(source)):
                yield "/".join((package, *source.relative_to(folder).parts)), Otherwise.CACHE


def _caches(source: Path) -> Iterator[tuple[Path, int]]:
    """Where this Python looks for a cached form of a source, with the level of optimization."""
    for level in (0, 1, 2):
        name = importlib.util.cache_from_source(str(source), optimization=level or "")
        yield Path(name), level
        if sys.pycache_prefix:  # of this process; the secure world knows none
            yield source.parent / CACHE / Path(name).name, level


def _foreign(source: Path, cache: Path, level: int) -> bool:
    try:
        head, body = (data := cache.read_bytes())[:16], data[16:]
    except OSError:
        return False
    text, found = source.read_bytes(), source.stat()
    flags = int.from_bytes(head[4:8], "little")
    stamp = b"".join((int(value) & 0xFFFF_FFFF).to_bytes(4, "little") for value in (found.st_mtime, found.st_size))
    taken = {
        0: head[8:] == stamp,
        _UNCHECKED: True,
        _HASHED: head[8:] == importlib.util.source_hash(text),
    }.get(flags, False)
    if head[:4] != importlib.util.MAGIC_NUMBER or not taken:
        return False  # Python makes it anew
    try:
        return bool(marshal.loads(body) != compile(text, str(source), "exec", dont_inherit=True, optimize=level))  # noqa: S302 - as an import would
    except (ValueError, EOFError, TypeError, SyntaxError):
        return True


# -- modules and libraries -----------------------------------------------------------------------------------------


def _file(module: ModuleType) -> Path | None:
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None) or getattr(module, "__file__", None)
    return Path(origin).resolve() if isinstance(origin, str) and origin not in {"built-in", "frozen"} else None


def _modules(folders: Mapping[str, Path]) -> Iterator[Row]:
    """Modules of the product and of the standard library that were not loaded from where these lie."""
    base = Path(sys.base_exec_prefix, sys.platlibdir, f"python{sys.version_info[0]}.{sys.version_info[1]}")
    standard = {Path(sysconfig.get_path("stdlib")).resolve(), base.resolve()}
    shimmed = {Path(place).resolve() / "setuptools" for place in _site_folders()}  # it brings its own `distutils`
    for name, module in [*sys.modules.items()]:
        top, *rest = name.split(".")
        file = _file(module) if isinstance(module, ModuleType) else None
        if file is None or name.startswith("__"):
            continue
        if top in folders:
            base_path = folders[top].resolve().joinpath(*rest)
            endings = (".py", *EXTENSION_SUFFIXES)
            expected = {base_path / "__init__.py", *(base_path.with_name(base_path.name + e) for e in endings)}
            if file not in expected:
                yield "/".join((top, *rest)) + ".py", Otherwise.ELSEWHERE
        elif top in sys.stdlib_module_names and not any(file.is_relative_to(p) for p in (*standard, *shimmed)):
            yield name, Otherwise.ELSEWHERE


def _libraries() -> Iterator[Row]:
    """Files of the libraries that the product runs on, against the records of their distributions."""
    recorded, tops = set[Path](), set[str]()
    for distribution in required_distributions().values():
        for file in distribution.files or ():
            if file.parts[0] == "..":  # a command, written anew where an environment is moved
                continue
            path = Path(str(distribution.locate_file(file)))
            recorded.add(path.resolve())
            if not file.parts[0].endswith((".dist-info", ".libs")):
                tops.add(file.parts[0].partition(".")[0])
            if file.hash is not None and file.hash.mode == "sha256" and not _is(path, file.hash.value):
                yield _ascii(str(file)), Otherwise.LIBRARY
    for name, module in [*sys.modules.items()]:
        found = _file(module) if isinstance(module, ModuleType) else None
        if found is not None and name.partition(".")[0] in tops and found not in recorded:
            yield _ascii(name), Otherwise.ELSEWHERE


def _is(path: Path, recorded: str) -> bool:
    """Whether a file has the hash that a RECORD gives it: URL-safe base64 without padding."""
    try:
        digest = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return False
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == recorded


def _ascii(name: str) -> str:
    return name.encode("unicode_escape").decode("ascii")


# -- what runs first -----------------------------------------------------------------------------------------------


def _site_folders() -> list[str]:
    users = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return list(dict.fromkeys([*site.getsitepackages(), *users]))


def start_code() -> dict[str, str]:
    """Name and SHA-256 of what Python runs by itself when it starts, without the folders of the product in it.

    Those are .pth files with code and the modules that they import, .pth files that add a folder in which neither the
    product nor a distribution lies, and `sitecustomize` and `usercustomize` outside the standard library.
    """
    found = dict[str, Path]()
    ours = {folder.parent for folder in folders_of().values()}
    for place in map(Path, _site_folders()):
        for pth in sorted(place.glob("*.pth")):
            lines = pth.read_bytes().decode("utf-8", "replace").splitlines()
            code = [line for line in lines if _CODE.match(line)]
            searched = [line.strip() for line in lines if line.strip() and line[:1] != "#" and not _CODE.match(line)]
            if code or any(_unknown(place / line, ours) for line in searched):
                found[pth.name] = pth
            for name in (a or b for line in code for a, b in _IMPORTED.findall(line)):
                module = place.joinpath(*name.split("."))
                for path in (module.with_name(f"{module.name}.py"), module / "__init__.py"):
                    if path.is_file():
                        found[path.relative_to(place).as_posix()] = path
    for name in ("sitecustomize", "usercustomize"):
        file = _file(sys.modules[name]) if name in sys.modules else None
        if file is not None and not file.is_relative_to(Path(sysconfig.get_path("stdlib")).resolve()):
            found[file.name] = file
    paths = sorted((str(folder).encode() for folder in ours), key=len, reverse=True)
    return {START + _ascii(name).replace(" ", "\\x20"): _without(path, paths) for name, path in sorted(found.items())}


def _unknown(folder: Path, ours: set[Path]) -> bool:
    return folder.resolve() not in {path.resolve() for path in ours} and not any(folder.glob("*.dist-info"))


def _without(path: Path, folders: list[bytes]) -> str:
    """An editable installation writes the folder of the checkout into its start code."""
    content = path.read_bytes()
    for folder in folders:
        content = content.replace(folder, b"@")
    return hashlib.sha256(content).hexdigest()


def of_no_distribution(start: Iterable[str]) -> tuple[str, ...]:
    """Names of start code that no installed distribution brought, or not as it is now."""
    names, found = {name.removeprefix(START) for name in start}, set[str]()
    for place in map(Path, _site_folders()):
        for record in place.glob("*.dist-info/RECORD"):
            rows = (line.split(",") for line in record.read_text("utf-8", "replace").splitlines())
            named = (row for row in rows if len(row) == 3 and row[0] in names and row[1].startswith("sha256="))
            found |= {name for name, digest, _ in named if _is(place / name, digest.removeprefix("sha256="))}
    return tuple(f"{START}{name}" for name in sorted(names - found))
