"""Read off a source what it calls by name that the locked world does not have."""

import ast
import builtins
from collections.abc import Collection, Iterator

from tee_sim.testing.forbidden_names import FORBIDDEN, LOADS_LATE, NOTHING_THERE, UNLESS

INSTEAD = "keep data in env.store, randomness in env.rng, time in env.clock (docs/writing-a-ta.md)"
_REASONS = FORBIDDEN | NOTHING_THERE
_BUILT_IN = {
    "open": "open(): the lock kills for a file",
    "input": "input(): there is nothing to read from",
    "breakpoint": "breakpoint(): there is no terminal; run the test with pytest, without --tee",
}
"""Built-in functions that have nothing to work on."""
_PATH = "pathlib.Path"
_PATH_METHODS = frozenset(
    ("read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "is_file", "is_dir", "mkdir", "rmdir", "touch")
)
"""Methods of a path whose names nothing else has: they are found at a variable too, whose type is not known here."""
_SAME = {"posix": "os", "_io": "io", "_signal": "signal", "posixpath": "os.path"}
"""Modules that hold functions of another one, which is the one that is known."""
_BY_STRING = frozenset(("importlib.import_module", "builtins.__import__"))


def reason(name: str) -> str:
    """Why something of this full name is of no use after the lock; empty if it is."""
    module, _, rest = name.partition(".")
    known = f"{_SAME.get(module, module)}.{rest}"
    return "" if known in UNLESS else _REASONS.get(known, "")


def useless_calls(tree: ast.Module, loaded: Collection[str]) -> Iterator[tuple[int, str, str]]:
    """Line, problem and hint of each use of a name that the locked world does not have.

    Args:
        loaded: modules that are in memory before the lock.
    """
    names = _bound(tree)
    has_paths = any(name.partition(".")[0] == "pathlib" for name in names.values())
    harmless = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_harmless(node, names)}
    for node in ast.walk(tree):
        found = None
        if isinstance(node, ast.Call):
            found = _built_in(node, _full_name(node.func, names), loaded)
        elif isinstance(node, ast.Name | ast.Attribute) and id(node) not in harmless:
            method = node.attr if has_paths and isinstance(node, ast.Attribute) else ""
            found = _used(_full_name(node, names), method, loaded)
        if found is not None:
            yield getattr(node, "lineno", 1), *found


def _built_in(node: ast.Call, called: str, loaded: Collection[str]) -> tuple[str, str] | None:
    if called in _BY_STRING:
        wanted = node.args[0] if node.args else None
        if isinstance(wanted, ast.Constant) and wanted.value in loaded:
            return None
        what = f"{called.removeprefix('builtins.')}(): after the lock there is no module that was not loaded before it"
        return what, "write an import statement, or name the module under preload"
    what = _BUILT_IN.get(called.removeprefix("builtins."), "") if called.startswith("builtins.") else ""
    return (what, INSTEAD) if what else None


def _used(name: str, method: str, loaded: Collection[str]) -> tuple[str, str] | None:
    late = LOADS_LATE.get(name, "")
    if late and late not in loaded:
        return f"{name} loads {late} when it is called, and after the lock it is not found", f'add "{late}" to preload'
    if not name and method in _PATH_METHODS:
        name = f"{_PATH}.{method}"
    return (f"{name}: {_REASONS[name]}", INSTEAD) if name in _REASONS else None


def _full_name(node: ast.AST, names: dict[str, str]) -> str:
    """What an expression names, by the imports; of a call what it calls, for the methods of what that makes."""
    if isinstance(node, ast.Name):
        return names.get(node.id) or (f"builtins.{node.id}" if hasattr(builtins, node.id) else "")
    if isinstance(node, ast.Attribute):
        base = _full_name(node.value, names)
        return f"{base}.{node.attr}" if base else ""
    return _full_name(node.func, names) if isinstance(node, ast.Call) else ""


def _is_harmless(node: ast.Call, names: dict[str, str]) -> bool:
    unless = UNLESS.get(_full_name(node.func, names))
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    return unless in {ast.unparse(part).rpartition(".")[2] for argument in given for part in ast.walk(argument)}


def _bound(tree: ast.Module) -> dict[str, str]:
    """What each name that an import binds means, but for those whose import is a finding already."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            tops = [(a.asname, a.name) if a.asname else (a.name.partition(".")[0],) * 2 for a in node.names]
            names.update((bound, _SAME.get(name, name)) for bound, name in tops)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names.update(_from(node.module or "", alias))
    return names


def _from(module: str, alias: ast.alias) -> Iterator[tuple[str, str]]:
    module = _SAME.get(module, module)
    if alias.name == "*":
        every = (name for name in (*_REASONS, *LOADS_LATE) if name.rpartition(".")[0] == module)
        yield from ((name.rpartition(".")[2], name) for name in every)
    elif not reason(f"{module}.{alias.name}"):
        yield alias.asname or alias.name, f"{module}.{alias.name}"
