"""The figures of docs/protection.md, "What an answer tells", are those of the product, and so is who needs a PIN."""

import math

import pytest

from bench.oracle.told import COMPARING
from bioguard.commands import biometric, policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.configuration import Configuration
from bioguard.commands.status import ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit
from bioguard.evidence.attack.target import Target
from bioguard.match.thresholds import builtin_profile
from bioguard.records.consent import Purpose
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality, Profile
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.simulate.people import finger_impressions
from bioguard.trusted.biometric.levels import Kind
from bioguard.trusted.sensor.exposure import CLOSED, LIMIT
from bioguard.trusted.sensor.lockout import ANDROID_13


def test_the_figures_of_the_page_are_those_of_the_product() -> None:
    row = COMPARING["AUTHENTICATE"]
    fingers, faces = (props.max_enrollments for props in Configuration().sensor_table)
    for records, words in ((faces, "1.6 (two faces)"), (fingers, "2.6 (five fingers)")):
        assert words.split()[0] == f"{math.log2(1 + records):.1f}"
        assert words in row.bits
    assert (
        COMPARING["IDENTIFY"].bits
        == f"log2(1 + N): {math.log2(11):.1f} for ten records, {math.log2(100_001):.1f} for 100 000"
    )
    assert (ANDROID_13.timed_every, ANDROID_13.permanent_at) == (5, 20)
    for name in ("AUTHENTICATE", "IDENTIFY"):
        assert "5 misses, then a wait; 20, then the PIN" in COMPARING[name].counted
    assert f"{LIMIT} near decisions" in row.bounded
    assert f"after {CLOSED} near decisions" in COMPARING["IDENTIFY"].bounded


@pytest.mark.parametrize(("profile", "most_bits"), [(Profile.STANDARD, 2e-5), (Profile.DIGEST_ONLY, 1e-4)])
def test_an_enrollment_of_a_strangers_finger_is_told_this_little(profile: Profile, most_bits: float) -> None:
    kind = Kind(builtin_profile(Modality.FINGERPRINT), protected=profile is Profile.DIGEST_ONLY)
    yes = kind.strong_fmr * Configuration().sensor_table[0].max_enrollments
    assert -(yes * math.log2(yes) + (1 - yes) * math.log2(1 - yes)) < most_bits
    assert most_bits < 20 * yes * -math.log2(yes)
    assert f"{most_bits:.0e}".replace("e-0", "e-") in COMPARING["ENROLL"].bits


@pytest.mark.parametrize("require_pin", [True, False])
def test_an_enrollment_asks_for_a_pin_where_the_page_says_so(require_pin: bool) -> None:
    """A user without a PIN is asked for nothing on a device that allows it, and no question is counted."""
    kit = Kit(Target(manifests()), configuration=Configuration(require_pin=require_pin))
    user = b"u" * 16
    target = kit.target
    kit.need(
        target.call(BIOMETRIC_UUID, biometric.ADD_USER, biometric.AddUser(user=user, label=bytes(32))).status, "user"
    )
    for purpose in Purpose:
        grant = policy.GrantConsent(
            user=user, modalities=(Modality.FINGERPRINT,), purposes=(purpose,), days=30, of_age=True, token=b""
        )
        kit.need(target.call(BIOMETRIC_UUID, policy.GRANT, grant).status, "consent")
    touches = [t.to_bytes() for t in finger_impressions(3, person=0, count=6)]

    def enroll(position: int, samples: list[bytes]) -> ReplyStatus:
        request = biometric.Enroll(
            user=user, sensor=SENSOR_IDS[Modality.FINGERPRINT], position=position, samples=tuple(samples), token=b""
        )
        return target.call(BIOMETRIC_UUID, biometric.ENROLL, request).status

    wanted = (
        [ReplyStatus.OK, *[ReplyStatus.DUPLICATE_FINGER] * 25] if not require_pin else [ReplyStatus.PIN_REQUIRED] * 26
    )
    assert [enroll(2, touches[:3]), *(enroll(3, touches[3:]) for _ in range(25))] == wanted
    lock = sensor.SensorRequest(user=user, sensor=SENSOR_IDS[Modality.FINGERPRINT])
    assert target.call(BIOMETRIC_UUID, sensor.LOCK_STATUS, lock).lock is Lock.NONE
