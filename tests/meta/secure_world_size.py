"""What runs in the secure world, counted: the modules that the manifests measure, and the simulator's own part.

`python -m tests.meta.secure_world_size` prints the table of docs/architecture.md.
"""

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from tee_sim.secure.codeload import CodeTable
from tee_sim.shared.manifest import Manifest
from tests.meta.import_graph import Graph, compiled, graph, modules

ROOT = Path(__file__).parents[2]
LAUNCHER = "tee_sim.secure.launcher"


NATIVE = ("tee_sim.gp_api", "tee_sim.gp_objects")
"""Rooms that are loaded into a world with a native application, and into no other."""


def is_native(name: str) -> bool:
    """Whether a module lies in one of them."""
    return name in NATIVE or name.startswith(tuple(room + "." for room in NATIVE))


def manifests() -> list[Manifest]:
    """Those of the product."""
    paths = sorted((ROOT / "src/bioguard/trusted").rglob("manifest.toml"))
    return [Manifest.from_toml(path.read_text("utf-8")) for path in paths]


def measured(manifest: Manifest) -> set[str]:
    """The modules that count in an application's measurement."""
    table = CodeTable()
    table.add(manifest)
    return set(table.modules)


def reached(arrows: Graph, start: Iterable[str]) -> set[str]:
    """Everything that is imported on the way from some modules, the faces of parent packages included."""
    found: set[str] = set()
    open_ends = [*start]
    while open_ends:
        name = open_ends.pop()
        if name not in found and name in arrows:
            found.add(name)
            open_ends += [*arrows[name], name.rpartition(".")[0]]
    return found


def entries(manifest: Manifest) -> set[str]:
    """Where an application begins: its entry and its warm-up."""
    return {manifest.entry.partition(":")[0], manifest.warmup} - {""}


def product_graph() -> Graph:
    """The import graph of the checkout."""
    return graph(modules(ROOT), compiled(ROOT))


def lines(names: Iterable[str]) -> int:
    """Lines of source, comments and blank lines included."""
    known = modules(ROOT)
    return sum(len(known[name].path.read_text("utf-8").splitlines()) for name in names if name in known)


def native_lines() -> int:
    """Lines of C behind the compiled modules that the applications preload."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["ext-modules"]
    files = {path for module in table for path in (*module["sources"], *module.get("depends", ()))}
    return sum(len((ROOT / path).read_text("utf-8").splitlines()) for path in files)


def sizes() -> dict[str, tuple[int, int]]:
    """Modules and lines, by row of the table."""
    each = {manifest.name: measured(manifest) for manifest in manifests()}
    own = {name for name in reached(product_graph(), [LAUNCHER]) if name.startswith("tee_sim")}
    own = {name for name in own if not is_native(name)}
    rows = {**each, "all three together": set[str]().union(*each.values()), "the simulator's part": own}
    return {row: (len(names), lines(names)) for row, names in rows.items()}


def table() -> str:
    """The rows of docs/architecture.md."""
    rows = [f"| {row} | {count} | {total} |" for row, (count, total) in sizes().items()]
    return "\n".join(["| what | Python modules | lines |", "|---|---|---|", *rows])


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n\n{native_lines()} lines of C\n")
