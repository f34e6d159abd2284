"""Find the code of a manifest in a folder that was handed over, for packages that are not installed.

The launcher runs isolated: neither the current folder nor an environment variable adds a place that modules come from.
So that a package can be tried where it is written, BOOT names its folder, and only the top-level packages that the
manifest lists under `code` are looked for there. Nothing else in the folder is ever found: a module `numpy` next to
the manifest is no NumPy. What is found is read and measured, and not run: importing it before the lock is refused.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from tee_sim.shared.manifest import Manifest


def _origin(name: str, folder: Path) -> Path | None:
    """The file that makes `name` importable from a folder; None if it is not there."""
    package, module = folder / name / "__init__.py", folder / f"{name}.py"
    return next((path for path in (package, module) if path.is_file()), None)


def _is_installed(name: str, origin: Path) -> bool:
    """Whether the same file is found without the folder. Raises ImportError where it is another one then."""
    if name in sys.stdlib_module_names:
        raise ImportError(f"code {name} at {origin} has the name of a module of the standard library")
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.origin:
        return False
    if not (Path(spec.origin).exists() and Path(spec.origin).samefile(origin)):
        raise ImportError(f"code {name} is at {origin} and installed at {spec.origin}: give one another name")
    return True


class CodeFolders:
    """Finder of the given packages, for `importlib.util.find_spec`.

    Args:
        given: each manifest with its folder, absolute, as bytes; empty for installed code.

    Raises:
        ImportError: a name means one thing in a folder and another elsewhere, or in two folders.
    """

    def __init__(self, given: Iterable[tuple[Manifest, bytes]]) -> None:
        self._origins: dict[str, Path] = {}
        for manifest, folder in given:
            for name in sorted({pattern.partition(".")[0] for pattern in manifest.code}) if folder else ():
                origin = _origin(name, Path(os.fsdecode(folder)))
                if origin is None or _is_installed(name, origin):
                    continue
                if self._origins.setdefault(name, origin) != origin:
                    raise ImportError(f"code {name} is at {origin} and at {self._origins[name]}")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        origin = self._origins.get(fullname)
        if origin is None:
            return None
        folders = [str(origin.parent)] if origin.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            fullname, origin, loader=cast("Any", self), submodule_search_locations=folders
        )

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        raise ImportError(f"{spec.name} is trusted code: it runs after the lock, and not before", name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        raise ImportError(f"{module.__name__} is trusted code: it runs after the lock, and not before")
