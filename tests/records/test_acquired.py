"""The codes that leave the secure world are numbers of Android's own."""

import pytest

from bioguard.hal.aidl_codes import FaceAcquired, FingerprintAcquired, acquired_info
from bioguard.records.acquired import FACE_OFFSET, AcquiredCode, acquired_of
from bioguard.records.modality import Modality

ALIKE = {("TOO_FAST", "TOO_MUCH_MOTION"), ("IMMOBILE", "TOO_SIMILAR")}


def test_the_numbers_are_those_of_aidl() -> None:
    """A finger's where it has the name, else a face's; moved by the offset only where the finger's number is taken."""
    fingers, faces = FingerprintAcquired.__members__, FaceAcquired.__members__
    for code in set(AcquiredCode) - {AcquiredCode.SEVERAL_FACES}:
        own = fingers[code.name] if code.name in fingers else faces[code.name]
        taken = code.name not in fingers and own in set(FingerprintAcquired)
        assert code == own + FACE_OFFSET * taken, code
    assert not {AcquiredCode.SEVERAL_FACES, AcquiredCode.SEVERAL_FACES - FACE_OFFSET} & {
        *fingers.values(),
        *faces.values(),
    }


def test_what_a_sensor_answers_is_a_code_or_a_fault_of_it() -> None:
    assert [acquired_of(code) for code in AcquiredCode] == list(AcquiredCode)
    assert {acquired_of(n) for n in (0, 4, 128, 255, 256, -1)} == {AcquiredCode.VENDOR}


@pytest.mark.parametrize("code", AcquiredCode)
@pytest.mark.parametrize("modality", Modality)
def test_each_code_has_a_word_of_its_interface_or_is_a_vendors(code: AcquiredCode, modality: Modality) -> None:
    known = FingerprintAcquired if modality is Modality.FINGERPRINT else FaceAcquired
    info, vendor = acquired_info(code, modality)
    assert known(info).name == code.name or (code.name, known(info).name) in ALIKE or info == known.VENDOR
    assert vendor == (int(code) if info == known.VENDOR and code is not AcquiredCode.VENDOR else 0)


def test_what_the_interfaces_have_words_for_is_no_vendors() -> None:
    finger = {code for code in AcquiredCode if acquired_info(code, Modality.FINGERPRINT)[1]}
    assert finger == {code for code in AcquiredCode if code >= AcquiredCode.TOO_DIFFERENT}
    face = {code for code in AcquiredCode if acquired_info(code, Modality.FACE)[1]}
    assert face == {AcquiredCode.PARTIAL, AcquiredCode.SEVERAL_FACES}
