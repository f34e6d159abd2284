"""What the code around an engine answers, without a process: each reading is one that the core takes for one."""

from types import SimpleNamespace

import numpy as np
import pytest
from stub_engine import Stub, picture

from bioguard.capture.engine import Extraction, Picture
from bioguard.capture.picture_bounds import framed
from bioguard.capture.sensor import EngineSensor
from bioguard.commands.configuration import Configuration
from bioguard.device.captures import capture
from bioguard.records.acquired import AcquiredCode
from bioguard.records.modality import Modality
from tee_sim.normal.captured import Captured
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.sensor_api import Reading

MOST_BYTES = 4096


def sensor() -> EngineSensor:
    return EngineSensor((Modality.FINGERPRINT.word, "stub_engine:Stub", ""), {})


@pytest.mark.parametrize("data", [framed(picture(1), None), framed(picture(1)[:-1], 500), b"\0", b""])
def test_what_cannot_be_decoded_is_insufficient_and_no_fault_of_the_engine(data: bytes) -> None:
    reading = sensor().read(data)
    assert reading == Reading(AcquiredCode.INSUFFICIENT, 0, b"")
    assert reading.fits(MOST_BYTES)


def test_a_good_picture_is_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = sensor().read(framed(picture(1), 500))
    assert reading.fits(MOST_BYTES)
    assert reading.payload
    sample = Stub().extract(Picture(np.zeros((64, 64), np.uint8), 500)).sample
    dry = Extraction(acquired=AcquiredCode.TOO_BRIGHT, sample=sample)
    monkeypatch.setattr(Stub, "extract", lambda *_: dry)
    assert sensor().read(framed(picture(1), 500)) == Reading(AcquiredCode.TOO_BRIGHT, 0, b"")


def test_good_without_a_sample_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lying:
        acquired, sample, quality = AcquiredCode.GOOD, None, 50

    monkeypatch.setattr(Stub, "extract", lambda *_: Lying())
    with pytest.raises(ValueError, match="no sample"):
        sensor().read(framed(picture(1), 500))


@pytest.mark.parametrize(("modality", "dots"), [(Modality.FACE, 0), (Modality.FINGERPRINT, 500)])
def test_a_face_goes_to_its_sensor_without_dots_an_inch(modality: Modality, dots: int) -> None:
    """A face has none: what was said with it was sent on, and of more than two bytes it ended the command."""
    sent: list[bytes] = []

    def see(_: Modality, data: bytes) -> Captured:
        sent.append(data)
        return Captured(capture_id=bytes(16), acquired=AcquiredCode.GOOD, host_end=HostEnd.NONE, bits=0)

    device = SimpleNamespace(configuration=Configuration(sensors=(modality,)))
    capture(device, see, modality, picture(1), 70_000 if modality is Modality.FACE else 500)
    assert sent == [framed(picture(1), dots)]
