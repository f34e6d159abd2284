"""Pictures on the command line: seen by the device's sensor, one by one. No command keeps one."""

from collections.abc import Sequence
from pathlib import Path

from bioguard.capture.picture_bounds import BOUNDS
from bioguard.capture.picture_headers import FORMATS
from bioguard.device import Device
from bioguard.device.captures import SensorSample
from bioguard.errors import BioguardError, InputRefused
from bioguard.formats import ImportOptions
from bioguard.records.modality import Modality
from bioguard.user_files import open_input, read_input

_LONGEST = max(map(len, FORMATS))


def are_pictures(paths: Sequence[Path]) -> bool:
    """Whether these files are pictures, by their first bytes.

    Raises:
        InputRefused: some are and some are not, or one cannot be read.
    """
    are = {path: _is_picture(path) for path in paths}
    if len(set(are.values())) > 1:
        one, other = (next(path for path in paths if are[path] is kind) for kind in (True, False))
        raise InputRefused(
            f"{one} is a picture and {other} is none", hint="give files of one kind", code="input.several_kinds"
        )
    return any(are.values())


def _is_picture(path: Path) -> bool:
    try:
        with open_input(path) as stream:
            first = stream.read(_LONGEST)
    except OSError as error:
        raise InputRefused(
            f"{path}: {error.strerror or 'cannot be read'}", hint="check the path", code="input.unreadable"
        ) from error
    return first.startswith(tuple(FORMATS))


def capture_all(
    device: Device, paths: Sequence[Path], modality: Modality, options: ImportOptions
) -> list[SensorSample]:
    """Have the sensor see each picture, in order; the first that gives no sample ends it.

    Args:
        options: of these only the resolution counts.

    Raises:
        InputRefused, NotAcquired: as `Device.capture`, with the file's name.
    """
    dpi = picture_dpi(options)
    found = []
    for path in paths:
        picture = read_input(path, most_bytes=BOUNDS[modality].max_bytes)
        try:
            found.append(device.capture(modality, picture, dpi=dpi))
        except BioguardError as error:
            raise type(error)(f"{path}: {error.message}", hint=error.hint, code=error.code) from error
    return found


def picture_dpi(options: ImportOptions) -> int | None:
    """Whole dots an inch, both ways. Raises InputRefused for anything else."""
    if options.dpi is None:
        return None
    x, y = options.dpi
    if x != y or x != int(x):
        raise InputRefused(
            "a picture has one whole number of dots an inch", hint="write for instance --dpi 500", code="picture.dpi"
        )
    return int(x)


def modality_for(device: Device, *, face: bool, on_sensor: int | None) -> Modality:
    """What a picture is of: a face if that is said, what the named sensor sees, or a face if nothing else could be."""
    configuration = device.configuration
    named = None if on_sensor is None else configuration.props(on_sensor)
    if named is not None and not face:
        return named.kind
    return Modality.FACE if face or configuration.sensors == (Modality.FACE,) else Modality.FINGERPRINT
