"""Attacks by those who may enroll: fingers of others that move what is decided about somebody."""

from collections.abc import Callable, Sequence

import numpy as np

from bioguard.commands import policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.status import SensorStatus
from bioguard.evidence.attack.kit import Attack, Kit, Person, SetupError
from bioguard.evidence.attack.target import Target
from bioguard.records import FingerprintTemplate
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.simulate.people import finger_impressions

OURS = "docs/fingerprint-matching.md, the device cohort"
ACCOUNTS = 6
"""Of the attacker: one more than a decision looks at."""
TOUCHES = 3
FRESH = 5
"""Touches of the owner that were accepted before anybody else was enrolled."""
SEED = 20_240_611
OWNER = 1
BESIDE = 4
"""How many minutiae below the border of what is accepted are tried: each is worth up to 0.9 of a score."""


def _touches(person: int) -> list[FingerprintTemplate]:
    """Touches that may be enrolled together: one, and most of it."""
    (touch,) = finger_impressions(SEED, person=person, count=1)
    return [_part(touch, len(touch) - 2 * missing) for missing in range(TOUCHES)]


def _enrolled(kit: Kit, touches: Sequence[FingerprintTemplate]) -> Person:
    """A user with a finger."""
    someone = kit.person()
    grant = policy.GrantConsent(
        user=someone.user, modalities=(Modality.FINGERPRINT,), purposes=(Purpose.UNLOCK,), days=365, of_age=True
    )
    kit.ask(BIOMETRIC_UUID, policy.GRANT, grant)
    token = kit.pin_token(someone, kit.challenge(someone, Modality.FINGERPRINT))
    samples = [touch.to_bytes() for touch in touches]
    kit.need(kit.enroll(someone, token, samples=samples, modality=Modality.FINGERPRINT), "enrollment")
    return someone


def _matches(kit: Kit, person: Person, touch: FingerprintTemplate) -> bool:
    """One claim; a lockout is ended before it."""
    request = sensor.ResetLockout(
        user=person.user, sensor=SENSOR_IDS[Modality.FINGERPRINT], token=kit.pin_token(person)
    )
    if kit.target.call(BIOMETRIC_UUID, sensor.RESET_LOCKOUT, request).status is not SensorStatus.OK:
        raise SetupError("the right PIN does not end a lockout")
    return kit.authenticate(person, touch.to_bytes()).match


def _part(touch: FingerprintTemplate, kept: int) -> FingerprintTemplate:
    """The minutiae nearest to the middle of a touch."""
    x, y = touch.x_px500.astype(float), touch.y_px500.astype(float)
    near = np.argsort((x - x.mean()) ** 2 + (y - y.mean()) ** 2, kind="stable")[:kept]
    return FingerprintTemplate.from_minutiae(
        *([float(value) for value in column[near]] for column in (x, y, touch.angle_rad)),
        width_px500=touch.width_px500,
        height_px500=touch.height_px500,
    )


def _border(kit: Kit, owner: Person, touch: FingerprintTemplate) -> int:
    """The least number of minutiae that is accepted, where nobody else is enrolled."""
    low, high = 2, len(touch)
    if not _matches(kit, owner, touch):
        raise SetupError("a touch that was enrolled does not match")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _matches(kit, owner, _part(touch, middle)) else (middle, high)
    return high


def dilute(kit: Kit) -> str | None:
    """Enroll fingers that are like nobody's next to the owner's, and show a little less than what was accepted."""
    touches = _touches(OWNER)
    alone = Kit(Target(kit.target.manifests))
    border = _border(alone, _enrolled(alone, touches), touches[0])
    for account in range(ACCOUNTS):
        _enrolled(kit, _touches(OWNER + 1 + account))
    owner = _enrolled(kit, touches)
    for kept in range(border - 1, max(border - BESIDE, 2), -1):
        if _matches(kit, owner, _part(touches[0], kept)):
            return f"{kept} minutiae of a finger open it next to others, and {border} did where it was alone"
    return None


def shut_out(kit: Kit) -> str | None:
    """Enroll the owner's own finger under other names, so that the owner is like everybody."""
    touches, fresh = _touches(OWNER), finger_impressions(SEED, person=OWNER, count=FRESH, first=1)
    alone = Kit(Target(kit.target.manifests))
    before = _enrolled(alone, touches)
    accepted = [touch for touch in fresh if _matches(alone, before, touch)]
    if not accepted:
        raise SetupError("no touch of the owner is accepted")
    for _ in range(ACCOUNTS):
        _enrolled(kit, touches)
    owner = _enrolled(kit, touches)
    refused = sum(not _matches(kit, owner, touch) for touch in accepted)
    return f"{refused} of {len(accepted)} touches are refused next to copies of the finger" if refused else None


_TABLE: tuple[tuple[str, str, str, Callable[[Kit], str | None]], ...] = (
    ("cohort.dilute", "make a decision looser by enrolling others", OURS, dilute),
    ("cohort.raise", "shut the owner out by enrolling others", OURS, shut_out),
)
ATTACKS = tuple(Attack(*row) for row in _TABLE)
