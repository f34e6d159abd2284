"""What a module of the product can reach outside of itself, by its syntax: files, programs, sockets, native code.

A life that is watched shows what the product did meanwhile; this shows what else it is written to do. Everything that
is not known to be pure is a word here, and each word has to be on the list of `normal_world_reach`, as often as it
occurs. What a listed module does with what it may reach is not decided by this: that is for a reader of its source.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import all_suffixes
from pathlib import Path

PURE_ROOTS = frozenset(
    {"__future__", "abc", "array", "ast", "base64", "binascii", "bisect", "collections", "contextlib", "dataclasses"}
    | {"datetime", "difflib", "enum", "errno", "functools", "hashlib", "heapq", "hmac", "itertools", "json", "keyword"}
    | {"math", "operator", "pathlib", "re", "secrets", "shlex", "stat", "string", "struct", "textwrap", "time"}
    | {"tomli_w", "tomllib", "types", "typing", "unicodedata", "uuid", "weakref", "zlib"}
    | {"bioguard", "tee_sim", "cbor2", "click", "confusable_homoglyphs", "cryptography", "markupsafe", "nacl", "numpy"}
)
"""Top-level modules whose import says nothing; what of them reaches out has a name below."""
REACHING_PARTS = (
    "bioguard.device.json_file",
    "bioguard.private_files",
    "bioguard.user_files",
    "tee_sim.normal.private_files",
    "bioguard.evidence",
    "bioguard.simulate",
    "tee_sim.testing",
    "numpy.ctypeslib",
    "numpy.f2py",
    "numpy.lib",
)
"""Modules below a pure root that write, or that are not scanned: who imports them is named."""
IN_PART: Mapping[str, frozenset[str]] = {
    "codecs": frozenset({"getincrementaldecoder", "lookup"}),
    "io": frozenset({"BytesIO", "StringIO", "UnsupportedOperation"}),
    "os": frozenset(
        {"PathLike", "access", "close", "defpath", "devnull", "fsdecode", "fsencode", "fspath", "fstat", "getegid"}
        | {"geteuid", "getgroups", "getpid", "getppid", "linesep", "name", "path", "sep", "stat", "stat_result"}
        | {"strerror"}
    ),
    "pkgutil": frozenset({"get_data"}),
    "sys": frozenset(
        {"argv", "byteorder", "exc_info", "executable", "exit", "maxsize", "platform", "stderr", "stdin", "stdout"}
        | {"stdlib_module_names", "version_info"}
    ),
}
"""Modules that are taken name by name, with the names that reach nothing; constants in capitals are none either."""
NOT_OF: Mapping[str, frozenset[str]] = {
    "click": frozenset({"File", "edit", "launch", "open_file"}),
    "numpy": frozenset(
        {"DataSource", "ctypeslib", "f2py", "fromfile", "genfromtxt", "lib", "load", "loadtxt", "memmap", "save"}
        | {"savetxt", "savez", "savez_compressed"}
    ),
    "operator": frozenset({"attrgetter", "methodcaller"}),
    "types": frozenset({"CodeType", "FunctionType"}),
}
"""Libraries that are taken as a whole, with the names that reach out."""
NAMES = frozenset({"__builtins__", "__import__", "breakpoint", "compile", "eval", "exec", "globals", "open", "vars"})
TAKEN = frozenset(
    {"atexit", "builtins", "codecs", "ctypes", "importlib", "io", "mmap", "os", "pkgutil", "shutil", "socket"}
    | {"sqlite3", "subprocess", "sys", "tempfile", "_io", "_os", "_sys"}
)
"""Modules that might be taken out of another one, which has imported them."""
ATTRIBUTES = TAKEN | frozenset(
    {"chmod", "hardlink_to", "lchmod", "mkdir", "open", "read_bytes", "read_text", "rename", "rmdir", "symlink_to"}
    | {"touch", "unlink", "write_bytes", "write_text", "fromfile", "memmap", "tofile", "modules"}
    | {"__builtins__", "__code__", "__dict__", "__getattribute__", "__globals__", "__loader__", "__subclasses__"}
)
"""Attributes, of whatever they are asked."""

COMPILED = "compiled code"
"""The word for a file that is no source: what it reaches is not seen."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One place that reaches out."""

    module: str
    line: int
    word: str


def modules(root: Path, package: str, apart: frozenset[str]) -> Iterator[tuple[str, Path]]:
    """Every file below a package that Python could import, without the parts named. Caches are not looked at."""
    for path in sorted(root.rglob("*")):
        suffix = next((s for s in sorted(all_suffixes(), key=len, reverse=True) if path.name.endswith(s)), None)
        if suffix is None or "__pycache__" in path.parts or not path.is_file():
            continue
        parts = [package, *path.relative_to(root).parts[:-1], path.name.removesuffix(suffix)]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if not any(name == a or name.startswith(a + ".") for a in apart):
            yield name, path


def reached(module: str, path: Path) -> Iterator[Reached]:
    """What one file reaches. Raises OSError, SyntaxError, UnicodeDecodeError."""
    if path.suffix == ".py":
        return reached_by(module, path.read_text("utf-8"))
    return iter([Reached(module, 0, COMPILED)])


def reached_by(module: str, source: str) -> Iterator[Reached]:
    """What one source reaches. Raises SyntaxError."""
    nodes = list(ast.walk(ast.parse(source)))
    parts: dict[str, set[str]] = defaultdict(set)
    for alias in (alias for node in nodes if isinstance(node, ast.Import) for alias in node.names):
        name = alias.name if alias.asname else alias.name.partition(".")[0]
        if name in IN_PART or name in NOT_OF:
            parts[alias.asname or name].add(name)
    asked = {id(n.value): n for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}
    called = {id(n.func): n for n in nodes if isinstance(n, ast.Call)}
    for node in nodes:
        line = getattr(node, "lineno", 0)
        words: Iterator[str] = iter(())
        match node:
            case ast.Import() | ast.ImportFrom():
                words = _imported(node)
            case ast.Name():
                words = _named(node, parts, asked.get(id(node)), called.get(id(node)))
            case ast.Attribute():
                words = _attribute(node, parts, called.get(id(node)))
        yield from (Reached(module, line, word) for word in words)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (f"import {alias.name}" for alias in node.names if _loud(alias.name))
        return
    if node.level or not node.module:
        yield "relative import"
        return
    if _loud(node.module):
        yield f"import {node.module}"
        return
    for alias in node.names:
        whole = f"{node.module}.{alias.name}"
        if _beyond(node.module, alias.name):
            yield whole
        elif alias.name in TAKEN or alias.name == "*" or _loud(whole):
            yield f"import {whole}"


def _loud(name: str) -> bool:
    if any(name == part or name.startswith(part + ".") for part in REACHING_PARTS):
        return True
    return name.partition(".")[0] not in PURE_ROOTS | IN_PART.keys()


def _beyond(module: str, name: str) -> bool:
    """Whether this name of a module reaches out."""
    if module in IN_PART:
        return name not in IN_PART[module] and not name.isupper()
    return name in NOT_OF.get(module, ())


def _named(
    node: ast.Name, parts: Mapping[str, set[str]], asked: ast.Attribute | None, call: ast.Call | None
) -> Iterator[str]:
    """A name that reaches out, a whole module handed on, or an attribute that is asked for by name."""
    if node.id in NAMES:
        yield node.id
    if node.id in parts and asked is None and isinstance(node.ctx, ast.Load):
        yield from (f"{name} itself" for name in sorted(parts[node.id]))
    if node.id in {"getattr", "setattr"}:
        named = call.args[1] if call and len(call.args) > 1 else None
        if not (isinstance(named, ast.Constant) and isinstance(named.value, str)):
            yield node.id
        elif named.value in ATTRIBUTES:
            yield f".{named.value}"


def _attribute(node: ast.Attribute, parts: Mapping[str, set[str]], call: ast.Call | None) -> Iterator[str]:
    of = parts.get(node.value.id, set()) if isinstance(node.value, ast.Name) else set()
    if found := sorted(module for module in of if _beyond(module, node.attr)):
        yield from (f"{module}.{node.attr}" for module in found)
    elif of & IN_PART.keys():
        return
    elif node.attr in ATTRIBUTES or (node.attr == "replace" and _of_a_path(call)):
        yield f".{node.attr}"


def _of_a_path(call: ast.Call | None) -> bool:
    """Whether `x.replace` can be that of a path, which takes one argument: text, dates and records take others."""
    return call is None or (len(call.args) == 1 and not call.keywords)
