"""The sensors of a device: which engine each was made with, and what the secure world is told to load for it.

A file of the normal world says what to load (`sensors.json`); what counts is sealed: the secure world takes captures of
the extractor that the device was made with, and of no other (`bioguard.trusted.biometric.taking`).
"""

import ast
import importlib.util
import site
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from bioguard.capture.picture_bounds import BOUNDS, framed
from bioguard.device.json_file import JsonFile
from bioguard.errors import BioguardError, InputRefused, TeeUnavailable, WrongUsage
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.sensor_manifest import SensorFile, SensorManifest

SENSORS_FILE: Final = "sensors.json"
HEAP_BYTES: Final = 2 << 30
"""Chosen: LEADER through OpenCV takes most of a GiB for one picture."""
TIME_MS: Final = 20_000
"""Chosen: ten times what the slowest engine takes here for one picture; below the caller's own deadline."""
MAX_SAMPLE_BYTES: Final = 4096
"""As `bioguard.commands.biometric`."""
_TEXTS: Final = ("engine", "argument", "folder")
_MODALITIES: Final = {modality.word: modality for modality in Modality}


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorChoice:
    """The engine of a modality.

    Attributes:
        engine: a word of `bioguard.capture.engines`, or `module:Class`.
        argument: what the engine takes, for `face` the absolute path of its TOML; empty for nothing.
        folder: where the code of one's own engine lies; empty where it is installed.
    """

    modality: Modality
    engine: str
    argument: str = ""
    folder: str = ""

    @classmethod
    def of(cls, text: str) -> "SensorChoice":
        """Out of `fingerprint=nbis`, `face=FILE.toml` or `fingerprint=package.module:Class`.

        Raises:
            WrongUsage: `device.sensor`, `capture.engine`, `capture.missing`.
        """
        word, _, value = text.partition("=")
        modality = _MODALITIES.get(word)
        if modality is None or not value:
            raise WrongUsage(
                f"{text[:60]!r} names no sensor",
                hint="write fingerprint=nbis, fingerprint=leader, face=FILE.toml or MODALITY=module:Class",
                code="device.sensor",
            )
        from bioguard.capture.engines import ENGINES, entry_of  # noqa: PLC0415 - loads arrays: few devices have sensors

        takes_file = next((e.name for e in ENGINES if e.modality is modality and e.argument), None)
        named = {e.name for e in ENGINES if not e.argument}
        if takes_file is None or value in named or (":" in value and not _is_file(Path(value))):
            choice = cls(modality=modality, engine=value, folder=_folder_of(value) if ":" in value else "")
        else:
            choice = cls(modality=modality, engine=takes_file, argument=str(Path(value).absolute()))
        entry = entry_of(choice.engine)
        if entry.modality not in (None, modality):
            raise WrongUsage(
                f"{choice.engine} is no engine of a {word} sensor",
                hint="bioguard doctor lists the engines",
                code="device.sensor",
            )
        if missing := choice.missing():
            raise WrongUsage(f"{missing} is not there", hint="run: bioguard doctor", code="capture.missing")
        return choice

    def missing(self) -> str:
        """What the engine needs and is not installed, or not there; empty if nothing."""
        from bioguard.capture.engines import entry_of  # noqa: PLC0415 - as above

        for package in entry_of(self.engine).packages:
            if not (_finds(Path(self.folder), package) if self.folder else importlib.util.find_spec(package)):
                return f"the package {package}"
        return self.argument if self.argument and not _is_file(Path(self.argument)) else ""

    def hindered(self) -> str:
        """Why nothing can be told to load it; empty if it can."""
        try:
            missing = self.missing()
            if missing:
                return f"{missing} is not there"
            self.manifest()
        except BioguardError as error:
            return error.message
        return ""

    def manifest(self) -> SensorManifest:
        """What the secure world is told to load, measure and bound."""
        from bioguard.capture.engines import entry_of, files_of  # noqa: PLC0415 - as above

        entry, top = entry_of(self.engine), self.engine.partition(":")[0].partition(".")[0]
        is_package = bool(self.folder) and (Path(self.folder) / top).is_dir()
        return SensorManifest(
            name=self.modality.word,
            entry="bioguard.capture.sensor:EngineSensor",
            code=((f"{top}.*",) if is_package else (top,)) if self.folder else (),
            arguments=(self.modality.word, self.engine, self.argument),
            packages=("bioguard",) if self.folder else tuple(dict.fromkeys(("bioguard", *entry.packages))),
            preload=_outside(Path(self.folder), top) if self.folder else (),
            files=tuple(
                SensorFile(path=str(file.path), sha256=file.sha256) for file in files_of(self.engine, self.argument)
            ),
            heap_bytes=HEAP_BYTES,
            time_ms=TIME_MS,
            max_picture_bytes=len(framed(b"", None)) + BOUNDS[self.modality].max_bytes,
            max_sample_bytes=MAX_SAMPLE_BYTES,
        )


def _is_file(path: Path) -> bool:
    with suppress(OSError):  # a name that is too long, a folder that is not ours
        return path.is_file()
    return False


def _finds(folder: Path, package: str) -> bool:
    with suppress(OSError):
        return any(folder.glob(f"{package}*"))
    return False


def _outside(folder: Path, top: str) -> tuple[str, ...]:
    """The packages that code of one's own imports: the secure world loads none that it was not told of."""
    found = set[str]()
    for source in sorted([*folder.glob(f"{top}.py"), *(folder / top).rglob("*.py")]):
        try:
            nodes = list(ast.walk(ast.parse(source.read_bytes())))
        except (SyntaxError, ValueError):  # the secure world says so when it compiles it
            continue
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.partition(".")[0])
    return tuple(sorted(found - sys.stdlib_module_names - {top}))


def _folder_of(engine: str) -> str:
    """Where the code of one's own engine lies, unless it is installed: the secure world looks nowhere else."""
    top = engine.partition(":")[0].partition(".")[0]
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None or top == __name__.partition(".")[0]:
        return ""
    lies = Path(spec.origin).absolute().parent
    folder = lies.parent if spec.submodule_search_locations else lies
    return "" if str(folder) in site.getsitepackages() else str(folder)


def _parse(plain: Any) -> tuple[SensorChoice, ...]:
    choices = tuple(
        SensorChoice(modality=_MODALITIES[one["modality"]], **{key: str(one[key]) for key in _TEXTS}) for one in plain
    )
    if not _one_each(choices):
        raise ValueError
    return choices


def _one_each(choices: Sequence[SensorChoice]) -> bool:
    return len({choice.modality for choice in choices}) == len(choices)


def _plain(choices: Sequence[SensorChoice]) -> object:
    return [{"modality": one.modality.word, **{key: getattr(one, key) for key in _TEXTS}} for one in choices]


FILE: Final = JsonFile(
    name=SENSORS_FILE,
    field="sensors",
    parse=_parse,
    plain=_plain,
    code="device.sensors_file",
    hint="put it back as it was; the device goes by what is sealed, and takes no captures without it",
)


def chosen(texts: Sequence[str]) -> tuple[SensorChoice, ...]:
    """The sensors of a new device. Raises WrongUsage."""
    choices = tuple(map(SensorChoice.of, texts))
    if not _one_each(choices):
        raise WrongUsage("two sensors are of one modality", hint="name one of each at most", code="device.sensor")
    return choices


def sensors_of(directory: Path, note: Callable[[str], None]) -> tuple[SensorChoice, ...]:
    """What to load for the device in a directory. One whose engine is gone is left out: records can still be erased.

    Args:
        note: is told which.

    Raises:
        IntegrityFailure: the file is damaged.
    """
    found = []
    for choice in FILE.load(directory) or ():
        if why := choice.hindered():
            note(f"the {choice.modality.word} sensor does not start: {why}; run: bioguard doctor")
        else:
            found.append(choice)
    return tuple(found)


def no_sensor(modality: Modality) -> InputRefused:
    """The error for a picture where nothing could see it."""
    return InputRefused(
        f"this device has no {modality.word} sensor: it cannot take pictures",
        hint="give a file of features (bioguard capture makes one), or make a device with a sensor: "
        f"bioguard device init --sensor {modality.word}={'nbis' if modality is Modality.FINGERPRINT else 'FILE.toml'}",
        code="sample.no_sensor",
    )


def gone(modality: Modality) -> TeeUnavailable:
    """The error for a sensor that the device was made with and that does not run."""
    return TeeUnavailable(
        f"the {modality.word} sensor of this device does not run",
        hint="run: bioguard doctor, which says what is missing",
        code="tee.sensor",
    )
