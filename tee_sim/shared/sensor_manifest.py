"""Declares a sensor to the secure world, before it starts (docs/formats/manifest.md, "Sensors"):

[sensor]
name = "camera"
entry = "package.camera:Camera"           # made before the lock, in the sensor's own process
code = ["package.*"]                      # optional; read, measured and compiled as an application's code is
arguments = ["wide"]                      # text for the class
preload = ["cv2"]                         # packages that are imported before the lock
packages = ["cv2"]                        # packages whose every file goes into the measurement
heap_bytes = 268435456                    # memory of a process beyond what it has when it is made
time_ms = 10000                           # of one picture
spares = 3                                # processes that stand ready for when one dies
max_picture_bytes = 4194304
max_sample_bytes = 65536
[[sensor.files]]                          # read before the lock, refused if they are not what is stated
path = "/usr/share/models/net.onnx"
sha256 = "..."
"""

import re
from typing import Annotated, Self, cast

from tee_sim.shared import manifest_values as values
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.limits import MAX_PICTURE_BYTES, MAX_SAMPLE_BYTES
from tee_sim.shared.manifest_file import Key, read_record, tables
from tee_sim.shared.manifest_values import ManifestError, Misfit
from tee_sim.shared.schema import Fixed, Items, Record, Text, UpTo

MAX_FILES = 8
MAX_PACKAGES = 8
MAX_ARGUMENTS = 16
MAX_HEAP_BYTES = 1 << 38
MIN_HEAP_BYTES = 1 << 20
MAX_TIME_MS = 600_000
MAX_SPARES = 8
_DOTTED = r"[A-Za-z_]\w*(\.\w+)*"
_NAME = r"[a-z0-9][a-z0-9_-]{0,31}"
_NAME_TEXT = Text(128)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorFile(Record):
    """A file that a sensor is given, its content: `path` as it is opened before the lock, and its SHA-256."""

    path: Annotated[str, Text(1024)]
    sha256: Annotated[bytes, Fixed(32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorManifest(Record):
    """A parsed manifest; travels to the secure world in the BOOT message."""

    name: Annotated[str, Text(32)]
    entry: Annotated[str, _NAME_TEXT]
    code: Annotated[tuple[str, ...], Items(256, _NAME_TEXT)] = ()
    arguments: Annotated[tuple[str, ...], Items(MAX_ARGUMENTS, Text(1024))] = ()
    preload: Annotated[tuple[str, ...], Items(64, _NAME_TEXT)] = ()
    packages: Annotated[tuple[str, ...], Items(MAX_PACKAGES, Text(64))] = ()
    files: Annotated[tuple[SensorFile, ...], Items(MAX_FILES)] = ()
    heap_bytes: Annotated[int, UpTo(MAX_HEAP_BYTES)] = 256 << 20
    time_ms: Annotated[int, UpTo(MAX_TIME_MS)] = 10_000
    spares: Annotated[int, UpTo(MAX_SPARES)] = 3
    max_picture_bytes: Annotated[int, UpTo(MAX_PICTURE_BYTES)] = 4 << 20
    max_sample_bytes: Annotated[int, UpTo(MAX_SAMPLE_BYTES)] = 64 << 10

    def __post_init__(self) -> None:
        patterns = (
            ("name", (self.name,), _NAME, "a name of a-z, 0-9, _ and -"),
            ("entry", (self.entry,), rf"{_DOTTED}:[A-Za-z_]\w*", "module:Class"),
            ("code", self.code, rf"{_DOTTED}(\.\*)?", "the name of a module"),
            ("preload", self.preload, _DOTTED, "the name of a module"),
            ("packages", self.packages, r"[A-Za-z_]\w*", "the name of a package"),
        )
        for key, named, pattern, what in patterns:
            for one in named:
                if not re.fullmatch(pattern, one, re.ASCII):
                    raise _bad(key, f"{values.shown(one)} is not {what}")
        if len({file.path for file in self.files}) < len(self.files):
            raise _bad("files", "names one file twice")
        lowest = (
            ("heap_bytes", self.heap_bytes, MIN_HEAP_BYTES),
            ("time_ms", self.time_ms, 1),
            ("max_picture_bytes", self.max_picture_bytes, 1),
            ("max_sample_bytes", self.max_sample_bytes, 1),
        )
        for key, value, least in lowest:
            if value < least:
                raise ManifestError(Misfit.OUT_OF_RANGE, f"expected at least {least}", key=f"sensor.{key}")

    @classmethod
    def from_toml(cls, text: str, *, file: str = "") -> Self:
        """Parse a manifest file; `file` is how errors call it.

        Raises:
            ManifestError: with file, key and line.
        """
        return read_record(cls, text, file, _KEYS)


def _bad(key: str, why: str) -> ManifestError:
    return ManifestError(Misfit.WRONG_VALUE, why, key=f"sensor.{key}")


def _digest(value: object) -> bytes:
    """64 hexadecimal digits."""
    return bytes.fromhex(cast("str", values.text(64, r"[0-9a-fA-F]{64}", "a SHA-256 in 64 hexadecimal digits")(value)))


_FILE = (
    Key(("path",), "path", values.text(1024), '"/usr/share/models/net.onnx"', required=True),
    Key(("sha256",), "sha256", _digest, f'"{"0" * 64}"', required=True),
)
_MODULE = values.text(128)


def _key(name: str, read: values.Read, example: str, *, required: bool = False) -> Key:
    return Key(("sensor", name), name, read, example, required=required)


_KEYS = (
    _key("name", values.text(32), '"camera"', required=True),
    _key("entry", _MODULE, '"package.camera:Camera"', required=True),
    _key("code", values.each(256, _MODULE), '["package.*"]'),
    _key("arguments", values.each(MAX_ARGUMENTS, values.text(1024)), '["wide"]'),
    _key("preload", values.each(64, _MODULE), '["cv2"]'),
    _key("packages", values.each(MAX_PACKAGES, values.text(64)), '["cv2"]'),
    _key("files", tables(MAX_FILES, _FILE, SensorFile), '[{ path = "net.onnx", sha256 = "..." }]'),
    _key("heap_bytes", values.number(MIN_HEAP_BYTES, MAX_HEAP_BYTES), "268435456"),
    _key("time_ms", values.number(1, MAX_TIME_MS), "10000"),
    _key("spares", values.number(0, MAX_SPARES), "3"),
    _key("max_picture_bytes", values.number(1, MAX_PICTURE_BYTES), "4194304"),
    _key("max_sample_bytes", values.number(1, MAX_SAMPLE_BYTES), "65536"),
)
