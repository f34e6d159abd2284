"""What every handler is given: the device, its sessions, its faults, and the sensors by number."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bioguard.device import Device
from bioguard.device.recognition import Recognition
from bioguard.errors import InputRefused
from bioguard.formats import ImportWarning
from bioguard.hal.device_backend import DevicePicture, DeviceSample
from bioguard.hal.service import HalService
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SensorProps
from bioguard.serve import protocol as v1
from bioguard.serve.samples import read_sample
from bioguard.serve.v2.machine import PlaceEntry, SensorEntry
from bioguard.serve.v2.values import MAX_SAMPLE_BYTES, PresentedForm
from tee_sim.shared.schema import Record


class FaultPort(Protocol):
    """The faults of the device that runs (`bioguard.simulate.faults.live`)."""

    @property
    def seed(self) -> int: ...
    def values(self) -> Mapping[str, str]: ...
    def set(self, name: str, value: str) -> None: ...
    def clear(self, name: str | None = None) -> None: ...
    def report(self) -> tuple[str, ...]: ...
    def load(self, toml: bytes) -> None: ...


class ServedDevice:
    """One device and the sessions of one connection.

    Args:
        faults: None for a device that plays none.
        note: gets what the reader of sample files warns of: each code once, since a client may leave standard error
            unread.
    """

    def __init__(
        self, device: Device, hal: HalService, faults: FaultPort | None, note: Callable[[str], None] = lambda _: None
    ) -> None:
        self.device = device
        self.hal = hal
        self.faults = faults
        self.recognition = Recognition(device)
        self._note = note
        self._noted: set[str] = set()

    def warn(self, warning: ImportWarning) -> None:
        """Note what the reader of a sample warns of."""
        if warning.code not in self._noted:
            self._noted.add(warning.code)
            self._note(f"a sample: {warning.message} [{warning.code}]; further ones are not told")

    def presented(self, form: PresentedForm, data: bytes) -> DeviceSample | DevicePicture:
        """Read what is presented; a picture is left to the device's sensor. Raises InputRefused."""
        if form is PresentedForm.PICTURE:
            return DevicePicture(data)
        if len(data) > MAX_SAMPLE_BYTES:
            raise InputRefused(
                f"a sample that is no picture has at most {MAX_SAMPLE_BYTES} bytes",
                hint="send one sample, or a picture with form PICTURE",
                code="serve.sample",
            )
        return DeviceSample(*read_sample(v1.SampleForm(form), data, self.warn))

    def modality(self, sensor: int) -> Modality:
        """Of a sensor by its number. Raises InputRefused."""
        for facts in self.hal.sensors():
            if facts.sensor_id == sensor:
                return facts.kind
        raise InputRefused(f"there is no sensor {sensor}", hint="use one that hello names", code="sensor.unknown")

    @property
    def most_sessions(self) -> int:
        """Open at once: one of each modality."""
        return len({facts.kind for facts in self.hal.sensors()})

    @property
    def lockout_cascade(self) -> bool:
        """Whether a lockout locks weaker sensors too."""
        return self.device.configuration.lockout_cascade

    @property
    def sensors(self) -> tuple[SensorEntry, ...]:
        """All of them, by number."""
        return tuple(map(_entry, self.device.configuration.sensor_table))


def _entry(props: SensorProps) -> SensorEntry:
    place = props.location
    return SensorEntry(
        sensor=props.sensor_id,
        modality=props.kind,
        strength=props.strength,
        max_enrollments=props.max_enrollments,
        sensor_type=props.sensor_type,
        detect_interaction=props.detect_interaction,
        navigation_gestures=props.navigation_gestures,
        handles_display_touches=props.handles_display_touches,
        controls_illumination=props.controls_illumination,
        place=PlaceEntry(x=place.x, y=place.y, radius=place.radius) if place is not None else None,
    )


Handler = Callable[[ServedDevice, Any], Record | None]
"""What a method does, given its request; None is an answer without fields. Raises BioguardError to refuse."""
