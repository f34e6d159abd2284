"""Refuses by name a knob that would do nothing where it is set."""

from bioguard.errors import InputRefused
from bioguard.records.modality import Modality
from bioguard.simulate.knobs.grammar import acquired_code, int_sequence, next_enrollment
from bioguard.simulate.knobs.table import ACQUIRED, ActsOn, Form, Knob, ReadAt
from bioguard.simulate.knobs.values import refused


def require_on_device(knob: Knob) -> None:
    """Raises InputRefused for a knob of virtual sensors: those of a device are sealed."""
    if knob.acts_on is ActsOn.VIRTUAL_HAL:
        raise InputRefused(
            f"{knob.name} does nothing on a device: it describes a virtual sensor",
            hint="leave it out: what a device is made as is sealed",
            code="fault.no_effect",
        )


def require_on_sensor(knob: Knob, kind: Modality) -> None:
    """Raises InputRefused for a knob of devices, or of sensors of the other kind."""
    if knob.acts_on is ActsOn.DEVICE:
        raise InputRefused(
            f"{knob.name} acts on a device only: a virtual sensor has no disk, pipe or clock of its own",
            hint=f"run: bioguard fault set {knob.name}=VALUE, then a command on the device",
            code="fault.no_effect",
        )
    if kind not in knob.kinds:
        raise InputRefused(
            f"{knob.name} is no knob of a {kind.word} sensor",
            hint=f"add --sensor {knob.kinds[0].word}, or leave it out",
            code="fault.no_effect",
        )


def require_in_time(knob: Knob) -> None:
    """Raises InputRefused for a knob that was read before this step."""
    if knob.read_at is not ReadAt.USE:
        raise InputRefused(
            f"{knob.name} is read {knob.read_at.value}, before this step",
            hint="write it before the first step that is no knob",
            code="fault.too_late",
        )


def require_codes(knob: Knob, value: str, kind: Modality) -> None:
    """Raises InputRefused for an acquired code that this kind of sensor does not have."""
    if knob.form is Form.ENROLLMENT and value:
        codes = tuple(code for step in next_enrollment(value).steps for code in step.codes)
    else:
        codes = int_sequence(value) if knob.numbers is ACQUIRED else ()
    try:
        for code in codes:
            acquired_code(code, kind)
    except InputRefused as error:
        raise refused(knob, f"a {kind.word} sensor has other codes: {error.message}") from None
