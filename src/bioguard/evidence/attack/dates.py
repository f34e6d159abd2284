"""Attacks with the wall clock, which anybody may set who has the host: on retention, consents and the log."""

from collections.abc import Callable

from bioguard.commands import biometric, policy
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.status import Nothing, ReplyStatus
from bioguard.evidence.attack.kit import FACE, Attack, Kit, Person, SetupError
from bioguard.records.consent import DAY_MS, Purpose

RETENTION = "policy POL-10, time from the normal world"
CONSENT = "policy POL-05, time from the normal world"
LOG = "policy POL-11, time from the normal world"
YEARS_MS = 10 * 365 * DAY_MS
GRANT_DAYS = 10
OVER_DAYS = 390
STEP_DAYS = 39
"""Less than a clock may move by between two starts."""


def _set_wall(kit: Kit, by_ms: int) -> None:
    kit.target.clock.set_wall_ms(max(0, kit.target.clock.wall_ms() + by_ms))


def _records(kit: Kit) -> int:
    return len(kit.target.call(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords()).records)


def _use(kit: Kit, person: Person) -> ReplyStatus:
    return kit.authenticate(person, kit.sample(person.face)).status


def _first_body(kit: Kit) -> int:
    return kit.target.call(BIOMETRIC_UUID, policy.LOG_HEAD, Nothing()).first_body


def clock_forward(kit: Kit) -> str | None:
    """Set the clock forward by years and start the device."""
    kit.person(enrolled=True)
    _set_wall(kit, YEARS_MS)
    for _ in range(2):
        kit.target.restart()
        if not _records(kit):
            return "a start at a wrong time erases everybody"
    return None


def clock_forward_while_running(kit: Kit) -> str | None:
    """Set the clock forward while the device runs, and purge."""
    kit.person(enrolled=True)
    _set_wall(kit, YEARS_MS)
    kit.target.call(BIOMETRIC_UUID, policy.PURGE, policy.Purge(confirmed=False))
    return None if _records(kit) else "a purge at a wrong time erases everybody"


def worthless_enrollment(kit: Kit) -> str | None:
    """Set the clock forward once and back, and let somebody enroll."""
    _set_wall(kit, YEARS_MS)
    kit.person()
    _set_wall(kit, -YEARS_MS)
    someone = kit.person(enrolled=True)
    kit.target.restart()
    used = _use(kit, someone)
    return None if used is ReplyStatus.OK else f"an enrollment of today is refused from the start, with {used.name}"


def forgotten_log(kit: Kit) -> str | None:
    """Set the clock forward to have the log forget what was done."""
    kit.person(enrolled=True)
    _set_wall(kit, YEARS_MS)
    kit.target.restart()
    _records(kit)
    return "a start at a wrong time prunes the log" if _first_body(kit) else None


def _with_one_grant(kit: Kit) -> Person:
    someone = kit.person(enrolled=True)
    grant = policy.GrantConsent(
        user=someone.user, modalities=(FACE,), purposes=(Purpose.UNLOCK,), days=GRANT_DAYS, of_age=True,
        token=kit.pin_token(someone),
    )  # fmt: skip
    kit.need(kit.target.call(BIOMETRIC_UUID, policy.GRANT, grant).status, "the grant")
    return someone


def revived_grant(kit: Kit) -> str | None:
    """Let a consent run out, then set the clock back."""
    someone = _with_one_grant(kit)
    kit.target.clock.advance((GRANT_DAYS + 1) * DAY_MS)
    if _use(kit, someone) is not ReplyStatus.CONSENT_EXPIRED:
        raise SetupError("a consent does not run out")
    _set_wall(kit, -YEARS_MS)
    return "a consent that ran out is good again" if _use(kit, someone) is ReplyStatus.OK else None


def stretched_grant(kit: Kit) -> str | None:
    """Set the clock back and let the days of a consent go by."""
    someone = _with_one_grant(kit)
    _set_wall(kit, -YEARS_MS)
    for _ in range(GRANT_DAYS + 1):
        kit.target.clock.advance(DAY_MS)
        answer = _use(kit, someone)
    return "a consent does not run out while the clock shows last year" if answer is ReplyStatus.OK else None


def stretched_retention(kit: Kit) -> str | None:
    """Set the clock back before each start."""
    someone = kit.person(enrolled=True)
    for _ in range(OVER_DAYS // STEP_DAYS):
        kit.target.clock.advance(STEP_DAYS * DAY_MS)
        _set_wall(kit, -YEARS_MS)
        kit.target.restart()
        _use(kit, someone)
    return "a record outlives its retention while the clock is set back" if _records(kit) else None


def used_after_its_time(kit: Kit) -> str | None:
    """Use a record whose retention is over and which nothing has erased yet."""
    request = policy.SetPolicy(version=1, minimum_age=16, retention_days=GRANT_DAYS)
    kit.need(kit.target.call(BIOMETRIC_UUID, policy.SET_POLICY, request).status, "the retention")
    someone = kit.person(enrolled=True)
    kit.identify(kit.sample(someone.face))
    kit.target.clock.advance(GRANT_DAYS * DAY_MS)
    if _use(kit, someone) is ReplyStatus.OK:
        return "a record is used after its retention"
    return "a search finds a record after its retention" if kit.identify(kit.sample(someone.face)).match else None


_TABLE: tuple[tuple[str, str, str, Callable[[Kit], str | None]], ...] = (
    ("date.clock-forward", "have everybody erased by a clock that is set forward", RETENTION, clock_forward),
    ("date.clock-forward-running", "set the clock forward before a purge", RETENTION, clock_forward_while_running),
    ("date.worthless-enrollment", "make later enrollments worthless", RETENTION, worthless_enrollment),
    ("date.stretched-retention", "keep a record by a clock that is set back", RETENTION, stretched_retention),
    ("date.used-after-its-time", "use a record after its retention", RETENTION, used_after_its_time),
    ("date.revived-grant", "revive a consent by a clock that is set back", CONSENT, revived_grant),
    ("date.stretched-grant", "stretch a consent by a clock that is set back", CONSENT, stretched_grant),
    ("date.forgotten-log", "have the log pruned by a clock that is set forward", LOG, forgotten_log),
)
ATTACKS = tuple(Attack(*row) for row in _TABLE)
