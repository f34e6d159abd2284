"""Give a secure world in a test's process modules of its own, made anew at each start, out of what a manifest names.

A locked world begins with no module of an application in memory, finds only what its manifest lists, and its global
variables are gone with it. A test that imports the same files for its commands has other modules of the same names.
"""

import linecache
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from tee_sim.secure.code_folders import CodeFolders
from tee_sim.secure.codeload import CodeTable
from tee_sim.secure.native.unlocked import UnlockedCode
from tee_sim.shared.wire import Boot


class OwnModules(MetaPathFinder):
    """The code of one start.

    Attributes:
        measurements: SHA-256 of each application, by name.
        native: the applications in machine code, which run in processes of their own; None if there are none.

    Raises:
        ImportError, OSError, SyntaxError: as the launcher meets them: code that is not there, a package that no
            manifest names under `preload`.
    """

    def __init__(self, boot: Boot) -> None:
        self._table = CodeTable()
        given = list(zip(boot.manifests, boot.folders or (b"",) * len(boot.manifests), strict=True))
        folders = CodeFolders(given)
        sys.meta_path.insert(0, folders)
        self.native = UnlockedCode(boot.native) if any(manifest.native for manifest in boot.manifests) else None
        try:
            measured = {
                manifest.name: self.native.add(manifest, folder)
                if self.native is not None and manifest.native
                else self._table.add(manifest)
                for manifest, folder in given
            }
            self._table.import_outside_code(list(dict.fromkeys(n for m in boot.manifests for n in m.preload)))
        finally:
            sys.meta_path.remove(folders)
        self.measurements = {name: digest.hex() for name, digest in measured.items()}
        self._mine: dict[str, ModuleType] = {}
        for module in self._table.modules.values():
            linecache.getlines(module.path)  # for the text of a panic: inside, no file can be opened

    def _is_ours(self, name: str) -> bool:
        """Whether a module belongs to an application: it is listed, or lies in a package that is."""
        return any(name == own or name.startswith(f"{own}.") for own in self._table.modules)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = self._table.find_spec(fullname, path, target)
        if spec is None and self._is_ours(fullname):
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return spec

    @contextmanager
    def inside(self) -> Iterator[None]:
        """While this lasts the names of the application's modules mean its own."""
        others = self._swap(self._mine)
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
            self._mine = self._swap(others)

    def forget(self) -> None:
        """Have the next instance begin with modules of its own, as in another process."""
        self._mine = {}

    def _swap(self, modules: dict[str, ModuleType]) -> dict[str, ModuleType]:
        before = {name: module for name, module in sys.modules.items() if name in self._table.modules}
        for name in before:
            del sys.modules[name]
        sys.modules.update(modules)
        return before
