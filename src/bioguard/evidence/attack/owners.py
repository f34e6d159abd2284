"""Attacks on whose PIN it is: enrolling, consenting and erasing in the name of somebody who has one.

Each enrollment is tried on a device that wants a PIN and on one that lets users without a PIN enroll: there the
question is who says that somebody has none.
"""

from collections.abc import Callable, Iterator

from bioguard.commands import gatekeeper, policy
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.configuration import Configuration
from bioguard.commands.gatekeeper import GATEKEEPER_UUID
from bioguard.commands.status import ReplyStatus
from bioguard.evidence.attack.enrollment import REFUSED_BY_TOKEN
from bioguard.evidence.attack.kit import FACE, Attack, Kit, Person
from bioguard.evidence.attack.target import Target
from bioguard.records import FingerprintTemplate
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality

OWNER = "ISession.aidl, enroll wants the token of the user's PIN"
RIGHTS = "policy section 3"


def _devices(kit: Kit) -> Iterator[tuple[str, Kit]]:
    yield "", kit
    yield " (users without a PIN may enroll)", _lenient(kit)


def _lenient(kit: Kit) -> Kit:
    return Kit(Target(kit.target.manifests), configuration=Configuration(require_pin=False))


def _gain(kit: Kit, person: Person, token: bytes, what: str, modality: Modality = FACE) -> str | None:
    samples = () if modality is FACE else (_finger(),)
    status = kit.enroll(person, token, face=kit.direction(), samples=samples, modality=modality)
    return None if status in REFUSED_BY_TOKEN else f"{what} gets past the token check ({status.name})"


def _finger() -> bytes:
    places = [20.0 + 17 * (i % 5) for i in range(20)], [20.0 + 23 * (i // 5) for i in range(20)]
    return FingerprintTemplate.from_minutiae(
        *places, [0.3 * i for i in range(20)], width_px500=300, height_px500=300
    ).to_bytes()


def nothing_enrolled_yet(kit: Kit) -> str | None:
    """The owner has set a PIN and enrolled nothing; somebody else is faster, without a token."""
    gains = (_gain(k, k.person(), b"", f"no token{mode}") for mode, k in _devices(kit))
    return next((gain for gain in gains if gain), None)


def pin_set_later(kit: Kit) -> str | None:
    """The owner enrolled without a PIN and has set one since; somebody adds a face without it."""
    lenient = _lenient(kit)
    victim = lenient.person(None, enrolled=True)
    lenient.set_pin(victim, b"1234")
    return _gain(lenient, victim, b"", "no token")


def other_sensor(kit: Kit) -> str | None:
    """The owner has enrolled a face with the PIN; somebody enrolls a finger without it."""
    gains = (
        _gain(k, k.person(enrolled=True), b"", f"a finger without a token{mode}", Modality.FINGERPRINT)
        for mode, k in _devices(kit)
    )
    return next((gain for gain in gains if gain), None)


def pin_deleted(kit: Kit) -> str | None:
    """Have Gatekeeper forget the owner, who then looks like a user without a PIN."""
    for mode, k in _devices(kit):
        victim = k.person(enrolled=True)
        k.ask(GATEKEEPER_UUID, gatekeeper.DELETE_USER, gatekeeper.DeleteUser(user=victim.user))
        for modality in Modality:
            gain = _gain(k, victim, b"", f"no token after the PIN was deleted{mode}", modality)
            if gain:
                return gain
    return None


def without_a_pin(kit: Kit) -> str | None:
    """Enroll for a user without a PIN on a device that wants one."""
    return _gain(kit, kit.person(None), b"", "a user without a PIN on a device that wants one")


def somebody_elses_pin(kit: Kit) -> str | None:
    """Take the victim's challenge and an own PIN, while the victim has nothing enrolled."""
    attacker = kit.person(b"attacker")
    for victim in (kit.person(), kit.person(None)):
        gain = _gain(kit, victim, kit.pin_token(attacker, kit.challenge(victim)), "the PIN of another user")
        if gain:
            return gain
    return None


def pin_before_the_reset(kit: Kit) -> str | None:
    """Keep a token of the old PIN over its reset."""
    victim = kit.person(b"old")
    token = kit.pin_token(victim, kit.challenge(victim))
    kit.set_pin(victim, b"new")
    return _gain(kit, victim, token, "a token of a PIN that was reset")


def consent_with_another_pin(kit: Kit) -> str | None:
    """Decide in the victim's name with an own PIN: the consents would belong to it from then on."""
    victim, attacker = kit.person(), kit.person(b"attacker")
    token = kit.pin_token(attacker)
    grant = policy.GrantConsent(
        user=victim.user, modalities=(FACE,), purposes=(Purpose.UNLOCK,), days=1, of_age=True, token=token
    )
    if kit.target.call(BIOMETRIC_UUID, policy.GRANT, grant).status is ReplyStatus.OK:
        return "the PIN of another user decides about the victim's consents"
    return None


def withdraw_without_the_pin(kit: Kit) -> str | None:
    """Withdraw the victim's consents, which erases what was enrolled with the PIN."""
    victim = kit.person(enrolled=True)
    erased = 0
    for purpose in Purpose:
        request = policy.Withdraw(user=victim.user, modality=FACE, purpose=purpose)
        erased += len(kit.target.call(BIOMETRIC_UUID, policy.WITHDRAW, request).erased)
    return f"{erased} record(s) of the owner of a PIN are erased without it" if erased else None


_TABLE: tuple[tuple[str, str, str, Callable[[Kit], str | None]], ...] = (
    ("enroll.first", "enroll without a token before the owner of a PIN does", OWNER, nothing_enrolled_yet),
    ("enroll.pin-set-later", "enroll without a token after the owner has set a PIN", OWNER, pin_set_later),
    ("enroll.other-sensor", "enroll a finger without the PIN that the face has", OWNER, other_sensor),
    ("enroll.pin-deleted", "delete the PIN, then enroll without a token", OWNER, pin_deleted),
    ("enroll.without-pin", "enroll without a PIN on a device that wants one", OWNER, without_a_pin),
    ("enroll.other-pin-first", "enroll with another user's PIN before the owner does", OWNER, somebody_elses_pin),
    ("enroll.old-pin", "enroll with a token of before the PIN was reset", OWNER, pin_before_the_reset),
    ("consent.other-pin", "consent in another's name with an own PIN", RIGHTS, consent_with_another_pin),
    ("consent.without-pin", "withdraw another's consent, which erases", RIGHTS, withdraw_without_the_pin),
)
ATTACKS = tuple(Attack(*row) for row in _TABLE)
