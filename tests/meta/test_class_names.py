"""One class, one name: within a world, a name is that of one class.

Whoever works in one world meets only its classes. The two worlds may use one word each for its own: a session's event
at the HAL and in the TEE's core. Protocols count: what implements one has a name of its own.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.meta.import_graph import Module, modules
from tests.meta.secure_world_size import manifests, measured

ROOT = Path(__file__).parents[2]
PRODUCT = modules(ROOT)
NOT_NORMAL = (
    "tee_sim.secure", "tee_sim.testing", "tee_sim.gp_api", "tee_sim.gp_objects", "tee_sim.cli",
    "bioguard.trusted", "bioguard.simulate", "bioguard.evidence",
)  # fmt: skip
"""The secure world, what applications other than ours use, and the tools that play both worlds (pyproject.toml,
contract `normal-world`). A folder that nobody named is the normal world's."""


def _below(name: str, folders: Iterable[str]) -> bool:
    return any(name == folder or name.startswith(folder + ".") for folder in folders)


def secure_world(names: Iterable[str]) -> set[str]:
    """The simulator's part and everything that the product's manifests measure."""
    applications = set[str]().union(*map(measured, manifests()))
    ours = ("tee_sim.secure", "tee_sim.shared", "bioguard.trusted")
    return {name for name in names if name in applications or _below(name, ours)}


def normal_world(names: Iterable[str]) -> set[str]:
    """Everything that no other world has for itself."""
    return {name for name in names if not _below(name, NOT_NORMAL)}


WORLDS = {"secure": secure_world, "normal": normal_world}


def doubles(world: Iterable[str], product: Mapping[str, Module]) -> dict[str, list[str]]:
    """Names that more than one class of a world has, and the modules of those; classes in functions count."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(world):
        for node in ast.walk(ast.parse(product[name].path.read_bytes())):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(name)
    return {name: where for name, where in found.items() if len(where) > 1}


@pytest.mark.parametrize("world", WORLDS)
def test_a_name_is_that_of_one_class(world: str) -> None:
    assert doubles(WORLDS[world](PRODUCT), PRODUCT) == {}


@pytest.mark.parametrize(
    ("world", "some", "least"),
    [
        ("secure", {"tee_sim.secure.core", "bioguard.trusted.biometric.app", "bioguard.match.thresholds"}, 130),
        ("normal", {"tee_sim.normal.client", "bioguard.serve.protocol", "bioguard.match.thresholds"}, 200),
    ],
)
def test_a_world_is_looked_at_whole(world: str, some: set[str], least: int) -> None:
    names = WORLDS[world](PRODUCT)
    assert some | {"tee_sim.shared.wire", "bioguard.commands.biometric"} <= names
    assert len(names) >= least


@pytest.mark.parametrize(
    ("world", "module", "name"),
    [
        ("secure", "tee_sim.secure.storage.ta_store", "Transaction"),
        ("secure", "bioguard.trusted.biometric.app", "Boot"),
        ("secure", "bioguard.match.thresholds", "DirectoryEntry"),
        ("normal", "bioguard.serve.protocol", "Enroll"),
        ("normal", "bioguard.new_room", "Session"),
    ],
)
def test_a_second_class_of_a_name_is_found(world: str, module: str, name: str, tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    old = PRODUCT[module].path.read_text("utf-8") if module in PRODUCT else ""
    source.write_text(f"{old}\n\ndef made():\n    class {name}: ...\n", "utf-8")
    changed = {**PRODUCT, module: Module(module, source)}
    found = doubles(WORLDS[world](changed), changed)
    assert list(found) == [name]
    assert module in found[name]


def test_each_world_may_have_a_session_event() -> None:
    secure, normal = (find(PRODUCT) for find in WORLDS.values())
    assert "tee_sim.secure.session" in secure - normal
    assert "bioguard.hal.session" in normal - secure
