"""The codes that leave the secure world are numbers of Android's own."""

from bioguard.hal.aidl_codes import FaceAcquired, FingerprintAcquired
from bioguard.records.acquired import FACE_OFFSET, AcquiredCode, acquired_of


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
