"""Attacks on limits: lockout, PIN throttling, and what answers tell about how near a guess was."""

from collections.abc import Callable

from bioguard.commands.status import GatekeeperStatus, ReplyStatus
from bioguard.evidence.attack.kit import Attack, Kit, Person, SetupError
from tee_sim.shared.errors import TeeError

CDD = "CDD 7.3.10, rate limiting"
GATEKEEPER = "IGatekeeper, throttling"
LIMIT = 5
MANY = 25
MOST_WRITES = 6
LONG_AGO_MS = 6 * 3_600_000


def _miss(kit: Kit, person: Person, count: int) -> None:
    for _ in range(count):
        kit.authenticate(person, kit.sample(kit.direction()))


def no_limit(kit: Kit) -> str | None:
    """Guess on and on."""
    victim = kit.person(enrolled=True)
    _miss(kit, victim, LIMIT)
    if not kit.locked(victim):
        return f"no lockout after {LIMIT} failed attempts"
    return None


def guess_while_locked(kit: Kit) -> str | None:
    """Present the right face while the sensor is locked."""
    victim = kit.person(enrolled=True)
    _miss(kit, victim, LIMIT)
    answer = kit.authenticate(victim, kit.sample(victim.face))
    return "a match is answered while the sensor is locked" if answer.match or answer.token else None


def never_permanent(kit: Kit) -> str | None:
    """Wait out each timed lockout and go on."""
    victim = kit.person(enrolled=True)
    for _ in range(MANY):
        _miss(kit, victim, 1)
        if kit.locked(victim):
            kit.target.clock.advance(24 * 3_600_000)
    return None if kit.locked(victim) else f"{MANY} failed attempts with waits in between never need the PIN"


def restart_clears(kit: Kit) -> str | None:
    """Restart the application before each limit."""
    victim = kit.person(enrolled=True)
    for _ in range(3):
        _miss(kit, victim, LIMIT - 1)
        kit.target.restart()
        if kit.locked(victim):
            return None
    return "restarting the application gives free attempts"


def reboot_clears(kit: Kit) -> str | None:
    """Reboot to end a lockout."""
    victim = kit.person(enrolled=True)
    kit.target.clock.advance(LONG_AGO_MS)
    _miss(kit, victim, LIMIT)
    kit.target.reboot()
    return None if kit.locked(victim) else "a reboot ends a lockout"


def _with_cut(kit: Kit, person: Person, sample: bytes, writes: int) -> bool:
    """Whether an attempt is answered when the power fails after this many writes."""
    kit.target.restart()
    kit.locked(person)
    kit.target.disk.cut_after = writes
    try:
        answered = kit.authenticate(person, sample).status is ReplyStatus.OK
    except TeeError:
        answered = False
    kit.target.restart()
    return answered


def power_cut(kit: Kit) -> str | None:
    """Cut the power before each write: an answer to a right face where a wrong one dies uncounted is a free guess."""
    for writes in range(MOST_WRITES):
        victim = kit.person(enrolled=True)
        right = _with_cut(kit, victim, kit.sample(victim.face), writes)
        wrong = [_with_cut(kit, victim, kit.sample(kit.direction()), writes) for _ in range(LIMIT)]
        if (right or any(wrong)) and not kit.locked(victim):
            return f"attempts that end in a power cut after {writes} writes are not counted"
    return None


def success_of_another(kit: Kit) -> str | None:
    """Clear the victim's counter with the attacker's own face."""
    victim, attacker = kit.person(enrolled=True), kit.person(enrolled=True)
    _miss(kit, victim, LIMIT - 1)
    kit.match_token(attacker)
    _miss(kit, victim, 1)
    return None if kit.locked(victim) else "another user's match clears the victim's failed attempts"


def reset_by_another(kit: Kit) -> str | None:
    """Clear the victim's lockout with the attacker's PIN."""
    victim, attacker = kit.person(enrolled=True), kit.person(b"attacker")
    _miss(kit, victim, LIMIT)
    done = kit.reset_lockout(victim, kit.pin_token(attacker))
    return "another user's PIN ends the victim's lockout" if done or not kit.locked(victim) else None


def reset_with_old_token(kit: Kit) -> str | None:
    """Keep a PIN token for hours and end a lockout with it."""
    victim = kit.person(enrolled=True)
    token = kit.pin_token(victim)
    kit.target.clock.advance(LONG_AGO_MS)
    return "a PIN token six hours old ends a lockout" if kit.reset_lockout(victim, token) else None


def reset_with_a_face(kit: Kit) -> str | None:
    """End a lockout with a biometric token."""
    victim = kit.person(enrolled=True)
    token = kit.match_token(victim)
    return "a biometric token ends a lockout" if kit.reset_lockout(victim, token) else None


def hill_climbing(kit: Kit) -> str | None:
    """Present samples nearer and nearer to the enrolled face and compare the answers of the misses."""
    victim = kit.person(enrolled=True)
    stranger = kit.direction()
    answers = set()
    for share in (0.0, 0.05, 0.1, 0.15):
        answer = kit.authenticate(victim, kit.sample((1 - share) * stranger + share * victim.face, 0.0))
        if answer.match:
            raise SetupError("a far sample matches")
        answers.add(answer.to_bytes())
    return "misses are answered differently the nearer they are" if len(answers) > 1 else None


def pin_in_a_wait(kit: Kit) -> str | None:
    """Give the right PIN while throttled."""
    victim = kit.person()
    for _ in range(LIMIT):
        kit.verify_pin(victim, pin=b"wrong")
    return "the right PIN is taken during the wait" if kit.verify_pin(victim).token else None


def pin_restart(kit: Kit) -> str | None:
    """Restart Gatekeeper between guesses."""
    victim = kit.person()
    for _ in range(LIMIT):
        kit.verify_pin(victim, pin=b"wrong")
        kit.target.restart()
    return "restarting Gatekeeper gives free guesses" if kit.verify_pin(victim).token else None


def pin_reboot(kit: Kit) -> str | None:
    """Reboot to skip the wait."""
    victim = kit.person()
    kit.target.clock.advance(LONG_AGO_MS)
    for _ in range(LIMIT):
        kit.verify_pin(victim, pin=b"wrong")
    kit.target.reboot()
    return "a reboot skips the wait for the PIN" if kit.verify_pin(victim).token else None


def pin_power_cut(kit: Kit) -> str | None:
    """Cut the power while Gatekeeper writes."""
    victim = kit.person()
    for _ in range(LIMIT):
        kit.target.disk.cut_after = 0
        try:
            answer = kit.verify_pin(victim, pin=b"wrong")
        except TeeError:
            answer = None
        kit.target.restart()
        if answer is not None:
            return "a PIN is judged although the failure could not be written"
    return None


def pin_truncated(kit: Kit) -> str | None:
    """Guess only the beginning of a long PIN."""
    for pin, near in (
        (b"12\x0034", b"12"),
        (b"12\x0034", b"12\x0099"),
        (b"a" * 64, b"a" * 63),
        (b"a" * 32 + b"b", b"a" * 32),
    ):
        if kit.verify_pin(kit.person(pin), pin=near).token:
            return "a PIN is cut short before it is compared"
    return None


def pin_empty(kit: Kit) -> str | None:
    """Give nothing."""
    return "the empty PIN verifies" if kit.verify_pin(kit.person(), pin=b"").token else None


def pin_rollback(kit: Kit) -> str | None:
    """Use the old handle with the old PIN after a change."""
    victim = kit.person()
    old, handle = victim.pin, victim.handle
    kit.set_pin(victim, b"changed", trusted=True)
    return (
        "the old handle and PIN verify after a change" if kit.verify_pin(victim, pin=old, handle=handle).token else None
    )


def pin_of_another(kit: Kit) -> str | None:
    """Use the attacker's own handle and PIN for the victim."""
    victim, attacker = kit.person(), kit.person(b"attacker")
    answer = kit.verify_pin(victim, pin=b"attacker", handle=attacker.handle)
    return "another user's handle verifies" if answer.token else None


def pin_reset_keeps_id(kit: Kit) -> str | None:
    """Set a new PIN without the old one and keep the secure user id."""
    victim = kit.person()
    before = victim.secure_user_id
    return "a PIN reset keeps the secure user id" if kit.set_pin(victim, b"new").secure_user_id == before else None


def pin_change_without_old(kit: Kit) -> str | None:
    """Change a PIN with the handle but a wrong old PIN."""
    victim = kit.person()
    victim.pin = b"wrong"
    try:
        answer = kit.set_pin(victim, b"new", trusted=True)
    except SetupError:
        return None
    return "a PIN is changed with a wrong old PIN" if answer.status is GatekeeperStatus.OK else None


_TABLE: tuple[tuple[str, str, str, Callable[[Kit], str | None]], ...] = (
    ("lockout.none", "guess on and on", CDD, no_limit),
    ("lockout.while-locked", "present the right face while locked", CDD, guess_while_locked),
    ("lockout.never-permanent", "wait out every lockout", "CDD 13+, 20 trials", never_permanent),
    ("lockout.restart", "restart the application before the limit", "ISession.aidl, lockout persists", restart_clears),
    ("lockout.reboot", "reboot to end a lockout", "ISession.aidl, lockout persists", reboot_clears),
    ("lockout.power-cut", "cut the power before a failure is written", "count before comparing", power_cut),
    (
        "lockout.other-success",
        "clear the victim's counter with another face",
        "per sensor and user",
        success_of_another,
    ),
    ("lockout.other-reset", "end the victim's lockout with another PIN", "resetLockout", reset_by_another),
    ("lockout.old-token", "end a lockout with an old token", "resetLockout", reset_with_old_token),
    ("lockout.biometric-reset", "end a lockout with a biometric token", "resetLockout", reset_with_a_face),
    ("match.hill-climbing", "climb to the enrolled face by the answers", "ISO/IEC 30107, CWE-203", hill_climbing),
    ("pin.wait", "give the right PIN during the wait", GATEKEEPER, pin_in_a_wait),
    ("pin.restart", "restart Gatekeeper between guesses", GATEKEEPER, pin_restart),
    ("pin.reboot", "reboot to skip the wait", GATEKEEPER, pin_reboot),
    ("pin.power-cut", "cut the power while a failure is written", GATEKEEPER, pin_power_cut),
    ("pin.truncated", "guess the beginning of a PIN", "VTS Gatekeeper", pin_truncated),
    ("pin.empty", "give the empty PIN", "VTS Gatekeeper", pin_empty),
    ("pin.rollback", "use the old handle after a change", "anti-rollback", pin_rollback),
    ("pin.other-handle", "use another user's handle", "IGatekeeper", pin_of_another),
    ("pin.reset-keeps-id", "reset the PIN and keep the keys", "IGatekeeper, untrusted enroll", pin_reset_keeps_id),
    (
        "pin.change-without-old",
        "change the PIN without the old one",
        "IGatekeeper, trusted enroll",
        pin_change_without_old,
    ),
)
ATTACKS = tuple(Attack(*row) for row in _TABLE)
