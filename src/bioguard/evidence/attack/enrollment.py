"""Attacks on enrollment, challenges and authenticator ids."""

import itertools
from collections.abc import Callable

from bioguard.commands import biometric, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.status import ReplyStatus
from bioguard.evidence.attack.kit import FACE_SENSOR, Attack, Kit, Person
from bioguard.evidence.attack.target import Target
from bioguard.records.modality import Modality

CONTRACT = "ISession.aidl, enroll and challenges"
IDS = "ISession.aidl, authenticator id"
REFUSED_BY_TOKEN = (
    ReplyStatus.TOKEN_REFUSED,
    ReplyStatus.PIN_REQUIRED,
    ReplyStatus.ENROLLED_WITHOUT_PIN,
    ReplyStatus.ENROLLED_WITH_OTHER_PIN,
)
CHALLENGE_LIFETIME_MS = 3_600_000
"""No published system lets a challenge live for an hour; the framework's own limit was ten minutes."""


def _gains(kit: Kit, person: Person, token: bytes, what: str) -> str | None:
    status = kit.enroll(person, token, face=kit.direction())
    return f"an enrollment {what} gets past the token check ({status.name})" if status not in REFUSED_BY_TOKEN else None


def cross_user_challenge(kit: Kit) -> str | None:
    """Take another user's challenge."""
    victim, other = kit.person(enrolled=True), kit.person()
    return _gains(kit, victim, kit.pin_token(victim, kit.challenge(other)), "with another user's challenge")


def cross_sensor_challenge(kit: Kit) -> str | None:
    """Take the fingerprint sensor's challenge to the face sensor."""
    victim = kit.person(enrolled=True)
    challenge = kit.challenge(victim, Modality.FINGERPRINT)
    return _gains(kit, victim, kit.pin_token(victim, challenge), "with another sensor's challenge")


def unknown_challenge(kit: Kit) -> str | None:
    """Make challenges up."""
    victim = kit.person(enrolled=True)
    live = kit.challenge(victim)
    gains = (
        _gains(kit, victim, kit.pin_token(victim, c), "with a made-up challenge") for c in (0, 1, live ^ 1, live + 1)
    )
    return next((g for g in gains if g), None)


def revoked_challenge(kit: Kit) -> str | None:
    """Use a challenge after it was revoked."""
    victim = kit.person(enrolled=True)
    challenge = kit.challenge(victim)
    token = kit.pin_token(victim, challenge)
    request = sensor.RevokeChallenge(user=victim.user, sensor=FACE_SENSOR, challenge=challenge)
    kit.ask(BIOMETRIC_UUID, sensor.REVOKE_CHALLENGE, request)
    return _gains(kit, victim, token, "with a revoked challenge")


def stale_challenge(kit: Kit) -> str | None:
    """Use a challenge an hour later."""
    victim = kit.person(enrolled=True)
    challenge = kit.challenge(victim)
    kit.target.clock.advance(CHALLENGE_LIFETIME_MS)
    return _gains(kit, victim, kit.pin_token(victim, challenge), "with an hour-old challenge")


def challenge_over_reboot(kit: Kit) -> str | None:
    """Use a challenge after a reboot."""
    victim = kit.person(enrolled=True)
    challenge = kit.challenge(victim)
    kit.target.reboot()
    return _gains(kit, victim, kit.pin_token(victim, challenge), "with a challenge of an earlier boot")


def biometric_token_enrolls(kit: Kit) -> str | None:
    """Authenticate with a live challenge as operation id: the token of a face then looks like one for enrolling."""
    victim = kit.person(enrolled=True)
    token = kit.match_token(victim, kit.challenge(victim))
    return _gains(kit, victim, token, "with a token from a face instead of the PIN")


def other_users_token(kit: Kit) -> str | None:
    """Enroll next to the victim's face with the attacker's own PIN."""
    victim, attacker = kit.person(enrolled=True), kit.person(b"attacker")
    return _gains(kit, victim, kit.pin_token(attacker, kit.challenge(victim)), "with the PIN of another user")


def reset_pin_enrolls(kit: Kit) -> str | None:
    """Set a new PIN without the old one, then enroll next to the victim's face."""
    victim = kit.person(enrolled=True)
    kit.set_pin(victim, b"attacker")
    return _gains(kit, victim, kit.pin_token(victim, kit.challenge(victim)), "after resetting the PIN")


def no_token(kit: Kit) -> str | None:
    """Enroll without any token for a user who has a PIN."""
    return _gains(kit, kit.person(enrolled=True), b"", "without a token")


def predictable_challenges(kit: Kit) -> str | None:
    """Compare challenges with each other and with those of a second device that starts the same way."""
    other = Kit(Target(kit.target.manifests))
    first, second = ([k.challenge(p) for _ in range(32)] for k, p in ((kit, kit.person()), (other, other.person())))
    if 0 in first or len(set(first)) < len(first):
        return "challenges are zero or repeat"
    if set(first) & set(second):
        return "two devices give the same challenges"
    steps = {b - a for a, b in itertools.pairwise(first)}
    if len(steps) < len(first) // 2 or max(first) < 1 << 48:
        return "challenges follow a pattern"
    return None


def authenticator_id_rules(kit: Kit) -> str | None:
    """Watch the authenticator id over two enrollments and a deletion."""
    victim = kit.person()
    ids = [kit.authenticator_id(victim)]
    for _ in range(2):
        token = kit.pin_token(victim, kit.challenge(victim))
        kit.need(kit.enroll(victim, token, face=kit.direction()), "enrollment")
        ids.append(kit.authenticator_id(victim))
    page = kit.ask(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords(user=victim.user))
    erase = biometric.Erase(
        user=victim.user, record_id=page.records[0].record_id, leave=biometric.EraseAuthorization(by_operator=True)
    )
    kit.ask(BIOMETRIC_UUID, biometric.ERASE, erase)
    after = kit.authenticator_id(victim)
    if ids[0] or ids[1] == ids[2]:
        return "the authenticator id does not change with an enrollment, or exists without one"
    if abs(ids[2] - ids[1]) < 1 << 32 or max(ids) < 1 << 40:
        return "the authenticator id is a counter"
    return "the authenticator id changes when an enrollment is removed" if after != ids[2] else None


def key_survives_enrollment(kit: Kit) -> str | None:
    """Add a face, then use a key that was bound to the faces before."""
    victim = kit.person(enrolled=True)
    key = kit.key(kit.authenticator_id(victim), types=2)
    if not kit.uses(key, kit.match_token(victim)):
        return "a key bound to the authenticator id is not released by a match"
    intruder = kit.direction()
    kit.need(kit.enroll(victim, kit.pin_token(victim, kit.challenge(victim)), face=intruder), "enrollment")
    token = kit.authenticate(victim, kit.sample(intruder)).token
    return "a new enrollment releases a key of the old ones" if token and kit.uses(key, token) else None


def refusals_look_alike(kit: Kit) -> str | None:
    """Compare the answers to a wrong MAC, a wrong challenge and a wrong type: a difference is an oracle."""
    victim = kit.person(enrolled=True)
    challenge = kit.challenge(victim)
    tokens = (bytes(69), kit.pin_token(victim, challenge ^ 1), kit.match_token(victim, challenge))
    answers = {kit.enroll(victim, t, face=kit.direction()).name for t in tokens}
    return f"refusals tell why: {', '.join(sorted(answers))}" if len(answers) > 1 else None


def too_many(kit: Kit) -> str | None:
    """Enroll beyond every limit."""
    victim = kit.person()
    for _ in range(12):
        token = kit.pin_token(victim, kit.challenge(victim))
        if kit.enroll(victim, token, face=kit.direction()) is ReplyStatus.USER_FULL:
            return None
    return "twelve faces of one user are accepted"


_TABLE: tuple[tuple[str, str, str, Callable[[Kit], str | None]], ...] = (
    ("challenge.cross-user", "enroll with another user's challenge", CONTRACT, cross_user_challenge),
    ("challenge.cross-sensor", "enroll with another sensor's challenge", CONTRACT, cross_sensor_challenge),
    ("challenge.unknown", "enroll with a made-up challenge", CONTRACT, unknown_challenge),
    ("challenge.revoked", "enroll with a revoked challenge", CONTRACT, revoked_challenge),
    ("challenge.stale", "enroll with a challenge an hour old", CONTRACT, stale_challenge),
    ("challenge.reboot", "enroll with a challenge of an earlier boot", CONTRACT, challenge_over_reboot),
    ("challenge.predictable", "predict challenges", CONTRACT, predictable_challenges),
    (
        "enroll.biometric-token",
        "enroll with a token from a face instead of the PIN",
        "CDD 7.3.10",
        biometric_token_enrolls,
    ),
    ("enroll.other-user", "enroll with another user's PIN", CONTRACT, other_users_token),
    ("enroll.reset-pin", "reset the PIN, then enroll next to the owner", CONTRACT, reset_pin_enrolls),
    ("enroll.no-token", "enroll without a token", CONTRACT, no_token),
    ("enroll.oracle", "learn from refusals which check failed", "CWE-203", refusals_look_alike),
    ("enroll.limit", "enroll beyond the limit", "ISession.aidl, NO_SPACE", too_many),
    ("authenticator-id.rules", "keep or predict an authenticator id", IDS, authenticator_id_rules),
    ("authenticator-id.key-survives", "add a face and use the owner's keys", IDS, key_survives_enrollment),
)
ATTACKS = tuple(Attack(*row) for row in _TABLE)
