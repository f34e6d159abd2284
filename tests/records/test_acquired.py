"""The codes that leave the secure world are numbers of Android's own."""

from bioguard.hal.aidl_codes import FaceAcquired, FingerprintAcquired
from bioguard.records.acquired import AcquiredCode


def test_the_numbers_are_those_of_aidl() -> None:
    fingerprint = [code for code in AcquiredCode if code is not AcquiredCode.TOO_DIFFERENT]
    assert [FingerprintAcquired[code.name] for code in fingerprint] == fingerprint
    assert FaceAcquired[AcquiredCode.TOO_DIFFERENT.name] == AcquiredCode.TOO_DIFFERENT
    assert AcquiredCode.TOO_DIFFERENT not in set(FingerprintAcquired)
