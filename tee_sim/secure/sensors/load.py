"""Measuring a sensor and making it, before the lock, in the process that will be it.

First everything that the manifest names is read and hashed: its own code, which is compiled as it was read, the files,
and each file of the packages. Only then is anything of it run. What is measured does not depend on what it does.

Does not promise: that a package is still what was measured when it is imported a moment later, nor anything about
packages that the manifest does not name under `packages`. Whoever can write there can write our own code as well.
"""

import hashlib
import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from tee_sim.secure.code_folders import CodeFolders
from tee_sim.secure.codeload import CodeTable, forget_file_importers, own_folder
from tee_sim.secure.sensors.local import MadeSensor
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.package_files import Listing
from tee_sim.shared.sensor_manifest import SensorManifest

MAX_FILE_BYTES = 1 << 30


class FileImporters:
    """What finds modules in files, as it is now: after `forget_file_importers` a sensor's loader has it again."""

    def __init__(self) -> None:
        self._finders, self._path, self._hooks = [*sys.meta_path], [*sys.path], [*sys.path_hooks]

    def bring_back(self) -> None:
        """Have modules found in files."""
        sys.meta_path[:], sys.path[:], sys.path_hooks[:] = self._finders, self._path, self._hooks


class _Unlisted:
    """Finder that refuses modules of the sensor's own packages which its manifest does not list: nobody measured them.

    Args:
        table: the code that was measured.
    """

    def __init__(self, table: CodeTable) -> None:
        self._tops = {name.partition(".")[0] for name in table.modules}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self._tops:
            raise ModuleNotFoundError(f"{fullname} is not listed under code", name=fullname)
        return None


class SensorLoader:
    """One sensor on its way.

    Args:
        manifest: of the sensor.
        folder: where its code lies, absolute; empty for installed code.
        importers: what is brought back to load it, where it was taken away.

    Attributes:
        made: the sensor, once it is.
    """

    def __init__(self, manifest: SensorManifest, folder: bytes = b"", importers: FileImporters | None = None) -> None:
        self.made: MadeSensor | None = None
        self._manifest = manifest
        self._folder = folder
        self._importers = importers
        self._table = CodeTable()
        self._files: dict[str, bytes] = {}

    def measure(self) -> bytes:
        """Read everything that the manifest names; SHA-256 over the manifest, the code and the packages.

        Raises:
            ImportError, OSError, SyntaxError: code or a package that is not there.
            ValueError: a file is not what the manifest states.
        """
        if self._importers is not None:
            self._importers.bring_back()
        named = self._manifest
        code = Manifest(
            uuid=hashlib.sha256(named.name.encode()).digest()[:16],
            name=named.name,
            entry=named.entry,
            code=named.code,
            preload=named.preload,
        )
        folders = CodeFolders([(code, self._folder)])
        sys.meta_path.insert(0, cast("Any", folders))
        try:
            measured = self._table.add(code)
        finally:
            sys.meta_path.remove(cast("Any", folders))
        self._files = {file.path: _content(Path(file.path), file.sha256) for file in named.files}
        listing = Listing.of({name: own_folder(name) for name in named.packages})
        parts = (
            hashlib.sha256(named.to_bytes()).digest(),
            measured,
            hashlib.sha256(listing.to_text().encode()).digest(),
        )
        return hashlib.sha256(b"".join((b"tee_sim sensor v1", *parts))).digest()

    def make(self) -> None:
        """Make it of what was measured. Call `measure` first; no file is looked for after it.

        Raises whatever its code raises.
        """
        if self._table.modules:
            sys.meta_path[:0] = cast("Any", [self._table, _Unlisted(self._table)])
            self._table.import_outside_code(self._manifest.preload)
        else:
            for package in self._manifest.preload:
                importlib.import_module(package)
        self.made = self.make_of_imported()
        forget_file_importers()
        if self._table.modules:
            sys.meta_path.insert(0, cast("Any", self._table))

    def make_of_imported(self) -> MadeSensor:
        """Make it of modules as they are imported here: in a test's process."""
        module, _, name = self._manifest.entry.partition(":")
        files, self._files = self._files, {}
        return MadeSensor.of(self._manifest, getattr(importlib.import_module(module), name), files)


def _content(path: Path, sha256: bytes) -> bytes:
    if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
        raise ValueError(f"{path} is no file of at most {MAX_FILE_BYTES} bytes")
    content = path.read_bytes()
    if hashlib.sha256(content).digest() != sha256:
        raise ValueError(f"{path} is not what the manifest states")
    return content
