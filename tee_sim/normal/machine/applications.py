"""Find a trusted application by the path of its manifest: what it is, and in which folder its packages lie."""

import os
from pathlib import Path
from typing import Self

from tee_sim.normal.machine.errors import MachineError
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.sensor_manifest import SensorManifest

MANIFEST_FILE = "manifest.toml"
SENSOR_FILE = "sensor.toml"
_MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A manifest that was read, with the way to its code.

    Attributes:
        path: of the manifest.
        folder: where the top-level package of its entry lies; None for installed code.
    """

    manifest: Manifest
    path: Path
    folder: Path | None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a manifest file, or the one in a folder.

        Raises:
            ManifestError: for a manifest that is none, with file, key and line.
            MachineError: there is nothing to read.
        """
        file = manifest_file(path)
        manifest = Manifest.from_toml(_text(file), file=str(file))
        return cls(manifest=manifest, path=file, folder=code_folder(file.absolute().parent, manifest.entry))

    @property
    def folder_bytes(self) -> bytes:
        """As BOOT carries it."""
        return b"" if self.folder is None else os.fsencode(self.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSource:
    """A sensor's manifest that was read, with the way to its code; attributes as of `Application`."""

    manifest: SensorManifest
    path: Path
    folder: Path | None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a manifest file. Raises as `Application.read`."""
        manifest = SensorManifest.from_toml(_text(path), file=str(path))
        return cls(manifest=manifest, path=path, folder=code_folder(path.absolute().parent, manifest.entry))

    @property
    def folder_bytes(self) -> bytes:
        """As BOOT carries it."""
        return b"" if self.folder is None else os.fsencode(self.folder)


def manifest_file(path: Path) -> Path:
    """The manifest that a PATH means.

    Raises:
        MachineError: `machine.path`.
    """
    if path.suffix == ".ta":
        raise MachineError(
            "machine.path",
            f"{path} is a compiled trusted application, which this version does not host",
            hint="give a manifest of a trusted application in Python: a .toml file, or a folder with a manifest.toml",
        )
    file = path / MANIFEST_FILE if path.is_dir() else path
    if not file.is_file():
        missing = f"there is no {MANIFEST_FILE} in {path}" if path.is_dir() else f"there is no file {path}"
        hint = "give a manifest file or the folder it is in; to make a new one: tee-sim new NAME"
        raise MachineError("machine.path", missing, hint=hint)
    return file


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            raw = opened.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES} bytes")
        return raw.decode("utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise MachineError("machine.path", f"{file} cannot be read: {why}", hint="give a TOML file in UTF-8") from error


def code_folder(beside: Path, entry: str) -> Path | None:
    """The folder that the package of an entry is imported from, for a manifest in `beside`.

    That is `beside` itself, or the one that `beside` is a package of: of `a.b.app:App`, the manifest may lie next to
    `a`, in `a`, or in `a/b`. None if the package is in none of them: then it has to be installed.
    """
    parts = entry.partition(":")[0].split(".")
    for depth in range(len(parts)):
        folder = beside.parents[depth - 1] if depth else beside
        inside = beside.relative_to(folder).parts == tuple(parts[:depth])
        origins = (folder / parts[0] / "__init__.py", folder / f"{parts[0]}.py")
        if inside and any(origin.is_file() for origin in origins):
            return folder
        if depth >= len(beside.parents):
            break
    return None
