"""Find a trusted application by the path of its manifest: what it is, and in which folder its packages lie.

A native one, a `.ta` file, has its manifest in itself.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self
from uuid import UUID

from tee_sim.normal.machine.errors import MachineError
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest import MAX_OBJECT_BYTES, Manifest, Replies
from tee_sim.shared.sensor_manifest import SensorManifest

MANIFEST_FILE = "manifest.toml"
SENSOR_FILE = "sensor.toml"
NATIVE_SUFFIX = ".ta"
_MOST_BYTES = 65_536
_NATIVE_ENTRY = "native:ta"
_NATIVE_OBJECTS = 10_000
"""At most, of one application that no manifest bounds."""
_NAME_CHARS, _MOST_NAME_CHARS = 32, 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A manifest that was read, with the way to its code.

    Attributes:
        path: of the manifest, or of the file of a native one.
        folder: where the top-level package of its entry lies, or the file of a native one; None for installed code.
    """

    manifest: Manifest
    path: Path
    folder: Path | None

    @classmethod
    def read(cls, path: Path, *, unlocked: bool = False) -> Self:
        """Read a manifest file, the one in a folder, or a native application.

        Args:
            unlocked: a native one will run without a lock, and may have what it needs for that
                (`tee_sim.shared.native.elf.check`).

        Raises:
            ManifestError: for a manifest that is none, with file, key and line.
            NativeRefused: for a native application that is not taken.
            MachineError: there is nothing to read.
        """
        if path.suffix == NATIVE_SUFFIX and not path.is_dir():
            return cls(manifest=_native_manifest(path, unlocked=unlocked), path=path, folder=path.absolute().parent)
        file = manifest_file(path)
        manifest = Manifest.from_toml(_text(file), file=str(file))
        return cls(manifest=manifest, path=file, folder=code_folder(file.absolute().parent, manifest.entry))

    @property
    def folder_bytes(self) -> bytes:
        """As BOOT carries it."""
        return b"" if self.folder is None else os.fsencode(self.folder)

    @property
    def manifest_text(self) -> str:
        """The manifest as it is written; empty for a native application."""
        return "" if self.manifest.native else self.path.read_text("utf-8")


def read_applications(path: Path, *, unlocked: bool = False) -> list[Application]:
    """The applications that a PATH means: of a folder its manifest.toml and every `.ta` file in it, by name.

    Raises:
        TeeError: as `Application.read`.
    """
    found = sorted(path.glob(f"*{NATIVE_SUFFIX}")) if path.is_dir() else []
    if found and (path / MANIFEST_FILE).is_file():
        found.insert(0, path)
    return [Application.read(one, unlocked=unlocked) for one in found or [path]]


def acquainted(applications: Sequence[Application]) -> tuple[Application, ...]:
    """The same, where each native one may call all others: its file says nothing of that, nor does GlobalPlatform."""
    uuids = [application.manifest.uuid for application in applications]
    return tuple(
        replace(a, manifest=replace(a.manifest, calls=tuple(u for u in uuids if u != a.manifest.uuid)))
        if a.manifest.native
        else a
        for a in applications
    )


def _native_manifest(path: Path, *, unlocked: bool) -> Manifest:
    """What a native application says of itself. Raises as `Application.read`."""
    from tee_sim.shared.native.elf import check  # noqa: PLC0415 - loads pyelftools, which nothing else needs
    from tee_sim.shared.native.head import TaHead  # noqa: PLC0415
    from tee_sim.shared.native.image import MAX_FILE_BYTES  # noqa: PLC0415
    from tee_sim.shared.native.refusal import NativeRefused  # noqa: PLC0415

    if not path.is_file():
        hint = "build it first, or give the folder it is in; in C: TA_DEV_KIT_DIR=$(tee-sim dev-kit) make"
        raise MachineError("machine.path", f"there is no file {path}", hint=hint)
    if not (path.name.isascii() and path.name.isprintable() and len(path.name) <= _MOST_NAME_CHARS):
        hint = "rename it: UUID.ta, as `make` calls it"
        raise MachineError("machine.path", f"{path.name!a} is no name of printable ASCII characters", hint=hint)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        hint = "give a file that you can read"
        raise MachineError("machine.path", f"{path} cannot be read: {error.strerror}", hint=hint) from error
    try:
        check(content, unlocked=unlocked)
        head = TaHead.read(content)
    except NativeRefused as error:
        raise error.at(str(path)) from None
    return Manifest(
        uuid=head.uuid.bytes,
        name=_name(path, head.uuid),
        entry=_NATIVE_ENTRY,
        code=(),
        flags=head.flags,
        max_objects=_NATIVE_OBJECTS,
        max_object_bytes=MAX_OBJECT_BYTES,
        heap_bytes=head.data_bytes,
        replies=Replies.FREE,
        native=path.name,
        abi=head.abi,
        stack_bytes=head.stack_bytes,
        properties=head.properties,
    )


def _name(path: Path, uuid: UUID) -> str:
    """For people: the name of the file, or of one that is called by its UUID the digits of that, which fit."""
    stem = path.stem
    return uuid.hex if stem.lower() == str(uuid) or len(stem) > _NAME_CHARS else stem


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
    file = path / MANIFEST_FILE if path.is_dir() else path
    if not file.is_file():
        inside = f"there is no {MANIFEST_FILE} and no *{NATIVE_SUFFIX} in {path}"
        missing = inside if path.is_dir() else f"there is no file {path}"
        hint = "give a manifest, a .ta file, or the folder it is in; to make a new one: tee-sim new NAME"
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
