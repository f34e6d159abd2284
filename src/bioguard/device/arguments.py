"""What a caller says of a sample or a record, as the secure world takes it, and what it says back of each sample."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bioguard.commands.biometric import Enrolled
from bioguard.commands.configuration import Configuration
from bioguard.device.captures import SensorSample
from bioguard.device.fingers import UNNAMED, finger_position
from bioguard.errors import InputRefused
from bioguard.records.acquired import AcquiredCode
from bioguard.records.modality import Modality
from bioguard.text import hex_bytes

if TYPE_CHECKING:
    from bioguard.records import Features


def sample_of(value: object) -> "Features":
    """The features of one sample. Raises InputRefused for anything else."""
    from bioguard.records import FaceEmbedding, FingerprintTemplate  # noqa: PLC0415 - few commands have samples

    if not isinstance(value, FaceEmbedding | FingerprintTemplate):
        raise InputRefused(
            f"a {type(value).__name__} is no sample",
            hint="give a FaceEmbedding or a FingerprintTemplate; bioguard.formats.load_features reads them from files",
            code="request.argument",
        )
    return value


def position_of(modality: Modality, finger: str | None) -> int:
    """ISO/IEC 19794-2 finger position, 0 for a face and for a finger that is called unnamed.

    Raises:
        InputRefused: a finger that is missing or unknown.
    """
    if modality is Modality.FACE:
        if finger is not None:
            raise InputRefused("these are face views, not a finger", hint="name no finger", code="enroll.modality")
        return 0
    if finger is None:
        raise InputRefused(
            "a fingerprint needs the finger's name",
            hint="say which one it is, for instance right-index",
            code="enroll.finger",
        )
    return 0 if finger == UNNAMED else finger_position(finger)


def sensor_of(device: Configuration, kind: Modality, sensor: int | None) -> int:
    """The id of a sensor of a kind; None for the first one.

    Raises:
        InputRefused: the device has no such sensor (`sensor.unknown`), or it is of another kind (`sensor.kind`).
    """
    if sensor is not None and type(sensor) is not int:
        raise InputRefused(f"a {type(sensor).__name__} is no sensor", hint="give its number", code="request.argument")
    found = device.first(kind) if sensor is None else device.props(sensor)
    if found is None:
        what = f"no {kind.word} sensor" if sensor is None else f"no sensor {sensor}"
        known = ", ".join(f"{props.sensor_id} {props.kind.word}" for props in device.sensor_table)
        raise InputRefused(f"this device has {what}", hint=f"it has {known}", code="sensor.unknown")
    if found.kind is not kind:
        raise InputRefused(
            f"sensor {sensor} is of {found.kind.word}, not of {kind.word}",
            hint="name a sensor of the kind of the sample",
            code="sensor.kind",
        )
    return found.sensor_id


def modality_of(samples: "Sequence[Features | SensorSample]") -> Modality:
    """What the samples are of. Raises InputRefused for none, for both kinds, and for what is no sample."""
    if not isinstance(samples, Sequence):
        raise InputRefused(
            f"a {type(samples).__name__} is no list of samples", hint="give a list or a tuple", code="request.argument"
        )
    kinds = {s.modality if isinstance(s, SensorSample) else sample_of(s).modality for s in samples}
    if not samples:
        raise InputRefused("no sample given", hint="give at least one file", code="enroll.no_sample")
    if len(kinds) > 1:
        raise InputRefused("faces and fingerprints are mixed", hint="enroll them one by one", code="enroll.modality")
    return kinds.pop()


def describe_acquired(answer: Enrolled, samples: "Sequence[Features | SensorSample]") -> str:
    """Describe the samples that are not good; the flaw of a vector is found here as well as in the secure world."""
    from bioguard.records import FaceEmbedding  # noqa: PLC0415 - as above
    from bioguard.records.centering import flaw_of  # noqa: PLC0415

    described = []
    for number, (code, sample) in enumerate(zip(answer.acquired, samples, strict=False), 1):
        if code is AcquiredCode.GOOD:
            continue
        flaw = flaw_of(sample.vector) if isinstance(sample, FaceEmbedding) else None
        described.append(f"sample {number} is {flaw.value if flaw else code.word.replace('_', ' ')}")
    return ", ".join(described)


def record_id_of(text: str) -> bytes:
    """The 16 bytes of a record id in hex. Raises InputRefused."""
    try:
        return hex_bytes(text, 16)
    except ValueError:
        raise InputRefused(
            f"{str(text)[:40]!r} is not a record id", hint="32 hexadecimal digits; run: bioguard list", code="record.id"
        ) from None
