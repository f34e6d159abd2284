"""Read off a source what it imports, and which of it the locked world does not have."""

import ast
import importlib.util
import sys
from collections.abc import Collection, Iterator

from tee_sim.cli.calls import INSTEAD, reason

USELESS = {
    "socket": "a socket", "ssl": "a socket", "http": "a socket", "urllib.request": "a socket", "asyncio": "a socket",
    "smtplib": "a socket", "ftplib": "a socket", "socketserver": "a socket", "xmlrpc": "a socket",
    "subprocess": "a process", "multiprocessing": "a process", "pty": "a process",
    "concurrent.futures": "a thread",
    "tempfile": "a file", "shutil": "a file", "glob": "a file", "fileinput": "a file", "sqlite3": "a file",
    "dbm": "a file", "shelve": "a file",
}  # fmt: skip
"""Modules whose use the lock kills for, and what they would open."""


def wanted_by(node: ast.AST, module: str, *, is_package: bool) -> Iterator[tuple[str, str]]:
    """Each module that a statement imports, and what of it."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = module.split(".") if is_package else module.split(".")[:-1]
            above = above[: len(above) - node.level + 1]
            base = ".".join([*above, *([base] if base else [])])
        yield from ((base, alias.name) for alias in node.names)


def import_problem(modules: Collection[str], allowed: tuple[str, ...], wanted: str, of: str) -> tuple[str, str] | None:
    """What is wrong with an import and what to do about it; None if it is fine.

    Args:
        modules: those of the application.
        allowed: its preload.
        wanted, of: the module, and what of it.
    """
    top = wanted.partition(".")[0]
    if any(name.partition(".")[0] == top for name in modules) and top != "tee_sim":
        full = f"{wanted}.{of}" if of else wanted
        if wanted in modules or full in modules or _allowed(wanted, allowed):
            return None
        return f"imports {wanted}, which is not under code", f'add "{wanted}" to code, or take all: "{top}.*"'
    why = reason(f"{wanted}.{of}")
    if why:
        return f"imports {wanted}.{of}: {why}", INSTEAD
    useless = next((USELESS[name] for name in (f"{wanted}.{of}", wanted, top) if name in USELESS), None)
    if useless is not None:
        return f"imports {wanted}: the lock kills for {useless}", INSTEAD
    if top in sys.stdlib_module_names or _allowed(f"{wanted}.{of}" if of else wanted, allowed):
        return None
    return f"imports {wanted}, which is not under preload", f'add "{top}" to preload'


def _allowed(name: str, preload: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{allowed}.") for allowed in preload)


def loaded_late(tree: ast.Module, preload: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Submodules of packages, reached as attributes (`np.random`), that importing the package does not load."""
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if "." not in alias.name and alias.name in preload and alias.name != "tee_sim"
    }
    seen: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            wanted = f"{names[node.value.id]}.{node.attr}"
            if wanted in seen or wanted in sys.modules or wanted in preload:
                continue
            seen.add(wanted)
            try:
                late = importlib.util.find_spec(wanted) is not None
            except (ImportError, ValueError):
                late = False
            if late:
                yield wanted, node.lineno
