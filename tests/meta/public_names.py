"""The public names of the product: what its four faces promise, with the public attributes of each class.

`python -m tests.meta.public_names` prints them, one a line.
"""

import importlib
import inspect
import sys
from collections.abc import Iterator

FACES = ("bioguard.match", "bioguard.formats", "bioguard.records", "bioguard.device")


def _own_attributes(thing: type) -> Iterator[str]:
    """Public attributes that are ours: not those of int, Enum, Protocol or Exception."""
    for base in thing.__mro__:
        if base.__module__.partition(".")[0] in {"bioguard", "tee_sim"}:
            yield from (name for name in (*vars(base), *vars(base).get("__annotations__", ())) if name[0] != "_")


def public_names() -> list[str]:
    """Every name, sorted: `face.Name` and `face.Name.attribute`."""
    names = set()
    for face in FACES:
        module = importlib.import_module(face)
        for name in module.__all__:
            names.add(f"{face}.{name}")
            thing = getattr(module, name)
            if inspect.isclass(thing):
                names.update(f"{face}.{name}.{attribute}" for attribute in _own_attributes(thing))
    return sorted(names)


if __name__ == "__main__":
    sys.stdout.write("\n".join(public_names()) + "\n")
