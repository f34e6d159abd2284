"""The import graph of the product, read off the syntax: who imports whom, without running anything.

Every import counts, also one inside a function and one for types only: what a reader must know to understand a module
is the same. `from package import Name` leads to the face of the package, `from package import module` to the module.
A compiled module has no source and so no arrows of its own. That Python runs the faces of all parent packages first is
not drawn: it would tie every module to its own folder. That the two outermost faces import
nothing is a rule of its own in test_architecture.py.
"""

import ast
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bioguard.evidence.source_scan import uses_beside

ROOTS = {"bioguard": "src/bioguard", "tee_sim": "tee_sim"}
"""The two packages of the product and where they stand in the checkout."""
Graph = dict[str, set[str]]
DYNAMIC = frozenset(
    {"import_module", "__import__", "find_spec", "spec_from_file_location", "run_module", "run_path", "resolve_name"}
    | {"module_from_spec", "load_module", "exec_module", "find_loader", "get_loader", "walk_packages", "get_importer"}
)
"""Functions that load a module by a string, which no graph of imports sees."""
FROM_TEXT = frozenset({"exec", "eval", "compile", "__builtins__", "__loader__", "__spec__"})
"""What runs text or reaches what does. By these names alone: `re.compile` is another."""
LOADERS = frozenset(
    {"importlib", "_imp", "_frozen_importlib", "_frozen_importlib_external", "imp", "zipimport", "pkgutil", "builtins"}
    | {"runpy", "code", "codeop", "pydoc", "timeit", "pickle", "marshal", "shelve"}
)
"""Modules of the standard library that load or run what they are given: to import one is to be able to load."""
DATA_ONLY = {"pkgutil": "get_data"}
"""The one function of a loader that loads no module: `import pkgutil` is free where nothing else of it is named."""


@dataclass(frozen=True, slots=True)
class Module:
    """One source file under its dotted name."""

    name: str
    path: Path

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


def modules(top: Path, roots: Mapping[str, str] = ROOTS) -> dict[str, Module]:
    """Every source file of the product below a checkout, by dotted name."""
    found = {}
    for package, folder in roots.items():
        base = top / folder
        for path in sorted(base.rglob("*.py")):
            if "__pycache__" not in path.parts:
                parts = path.relative_to(base).with_suffix("").parts
                name = ".".join((package, *(part for part in parts if part != "__init__")))
                found[name] = Module(name, path)
    return found


def _targets(module: Module, node: ast.stmt) -> Iterator[tuple[str, str]]:
    """(module, name in it) for each import statement; the name is empty for `import a.b`."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = module.name.split(".")
            kept = parts[: len(parts) - node.level + module.is_package]
            base = ".".join([*kept, *([node.module] if node.module else [])])
        yield from ((base, alias.name) for alias in node.names)


def imported(module: Module) -> tuple[tuple[str, str], ...]:
    """Every import anywhere in a module."""
    return _imported(module, module.path.read_bytes())


@cache
def _imported(module: Module, source: bytes) -> tuple[tuple[str, str], ...]:
    statements = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt))
    return tuple(target for node in statements for target in _targets(module, node))


def compiled(top: Path) -> set[str]:
    """The names of the compiled modules, from pyproject.toml: they stand in no source file."""
    table = tomllib.loads((top / "pyproject.toml").read_text("utf-8"))
    return {module["name"] for module in table["tool"]["setuptools"]["ext-modules"]}


def graph(known: Mapping[str, Module], native: Collection[str] = ()) -> Graph:
    """The modules of the product that each module of it imports; `native` are modules without arrows of their own."""
    arrows: Graph = {name: set() for name in (*known, *native)}
    for name, module in known.items():
        for base, item in imported(module):
            target = f"{base}.{item}" if f"{base}.{item}" in arrows else base
            if target in arrows and target != name:
                arrows[name].add(target)
    return arrows


def circles(arrows: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Groups of nodes that reach each other (Tarjan's strongly connected components of more than one node)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in arrows.get(node, ()):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in arrows:
        if node not in index:
            visit(node)
    return found


def siblings(arrows: Graph, folder: str) -> Graph:
    """The arrows between the direct children of one folder, each child standing for all that is below it."""
    prefix = folder + "."
    depth = folder.count(".") + 1
    between: Graph = {}
    for name, targets in arrows.items():
        if name.startswith(prefix):
            child = name.split(".")[depth]
            inside = {target.split(".")[depth] for target in targets if target.startswith(prefix)}
            between.setdefault(child, set()).update(inside - {child})
    return between


def _loads(node: ast.AST) -> bool:
    match node:
        case ast.Import(names):
            return any(
                alias.name.partition(".")[0] in LOADERS - set(DATA_ONLY)
                or (alias.asname is not None and alias.name in {"sys", *DATA_ONLY})
                for alias in names
            )
        case ast.ImportFrom(module=str(base), names=names, level=0):
            taken = {alias.name for alias in names}
            top = base.partition(".")[0]
            return bool(
                (top in LOADERS and taken != {DATA_ONLY.get(top)})
                or (top == "sys" and taken & {"modules", "meta_path", "path_hooks", "*"})
                or taken & DYNAMIC
            )
        case ast.Attribute(value=ast.Name("sys"), attr=attribute):
            return attribute in {"modules", "meta_path", "path_hooks"}
        case ast.Attribute(attr=attribute):
            return attribute in DYNAMIC
        case ast.Name(name):
            return name in DYNAMIC | FROM_TEXT
    return False


def dynamic_loads(module: Module) -> int:
    """How often a module loads another by a string, or could: by the names of the functions and modules that do it.

    Does not promise: to see a name that is put together when it runs, as in `getattr(sys, "mod" + "ules")`.
    """
    return _dynamic_loads(module.path.read_bytes())


@cache
def _dynamic_loads(source: bytes) -> int:
    tree = ast.parse(source)
    return sum(map(_loads, ast.walk(tree))) + len(uses_beside(tree, DATA_ONLY))
