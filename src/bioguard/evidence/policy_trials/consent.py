"""Trials of consent, objection, withdrawal, restriction, age and policy versions: each on every sensor."""

from collections import Counter

from bioguard.device import consent, pins
from bioguard.evidence.policy_trials.model import Observation, Trial, in_both
from bioguard.evidence.temporary_device import PIN, Person, TemporaryDevice
from bioguard.records.audit_events import Entry
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality

OPERATION_ID = 77
MINIMUM_AGE = 16
"""Policy VIII: a child is anyone under 16."""


def _code(promised: str, expected: str, seen: str) -> Observation:
    return Observation(promised, seen == expected, f"answer was {seen or 'yes'}" if seen != expected else "")


def _entries(temporary: TemporaryDevice, person: Person) -> list[Entry]:
    """What the log tells of a person."""
    handle = temporary.device.user_handle(person.name)
    return [i.entry for i in consent.signed_log(temporary.device).items if i.entry and i.entry.subject == handle]


def _told(temporary: TemporaryDevice, person: Person, event: str) -> bool:
    return any(entry.event.name == event for entry in _entries(temporary, person))


def _uses(temporary: TemporaryDevice, person: Person) -> dict[Purpose, str]:
    """What becomes of each purpose now: empty where it works, the refusal, or that no match came of it."""
    device = temporary.device

    def claim(operation_id: int) -> str:
        answers: list[bool] = []
        code = temporary.refusal(
            lambda: answers.append(device.authenticate(person.name, person.sample(), operation_id=operation_id).match)
        )
        return code or ("" if answers[0] else "no match")

    return {
        Purpose.UNLOCK: claim(0),
        Purpose.KEY_USE: claim(OPERATION_ID),
        Purpose.IDENTIFY: "" if temporary.found(person.sample()) == person.name else "not found",
    }


def _only(purposes: tuple[Purpose, ...], refusal: str) -> dict[Purpose, str]:
    """What `_uses` tells where these purposes work and the others are refused so."""
    others = {purpose: refusal if purpose is not Purpose.IDENTIFY else "not found" for purpose in Purpose}
    return others | dict.fromkeys(purposes, "")


def _same(promised: str, expected: dict[Purpose, str], seen: dict[Purpose, str]) -> Observation:
    odd = ", ".join(f"{purpose.name.lower()}: {seen[purpose] or 'works'}" for purpose in Purpose
                    if seen[purpose] != expected[purpose])  # fmt: skip
    return Observation(promised, not odd, odd)


def purpose(temporary: TemporaryDevice, modality: Modality) -> list[Observation]:
    """Enroll, unlock, use a key and identify, each with consent to one purpose, to another sensor, and to nothing."""
    device, other = temporary.device, next(m for m in Modality if m is not modality)
    nobody = temporary.person(consent_to=(), modality=modality)
    unasked = temporary.refusal(lambda: temporary.enroll(nobody))
    elsewhere = temporary.person(consent_to=(), modality=modality)
    consent.grant(device, elsewhere.name, other, Purpose.UNLOCK, of_age=True)
    foreign = temporary.refusal(lambda: temporary.enroll(elsewhere))
    people = {p: temporary.person(consent_to=(p,), enrolled=True, modality=modality) for p in Purpose}
    expired = temporary.person(consent_to=(), modality=modality)
    for each in Purpose:
        consent.grant(device, expired.name, modality, each, days=1, of_age=True)
    temporary.enroll(expired)
    alive = _uses(temporary, expired)
    seen = {p: _uses(temporary, person) for p, person in people.items()}
    temporary.advance_days(1)
    return [
        _code("no unlocking without consent to it", "consent.missing", seen[Purpose.IDENTIFY][Purpose.UNLOCK]),
        _code("no enrollment without consent", "consent.missing", unasked),
        _code("no enrollment with consent for another sensor only", "consent.missing", foreign),
        *(
            _same(f"consent to {p.name.lower()} is consent to that alone", _only((p,), "consent.missing"), seen[p])
            for p in Purpose
        ),
        _same("a consent is good until it expires", _only(tuple(Purpose), ""), alive),
        _same("and not from then on", _only((), "consent.expired"), _uses(temporary, expired)),
        Observation("refusals are in the log", _told(temporary, nobody, "ENROLL_REFUSED")
                    and _told(temporary, people[Purpose.UNLOCK], "MATCH_REFUSED")),
    ]  # fmt: skip


def objection(temporary: TemporaryDevice, modality: Modality) -> list[Observation]:
    """Object to each purpose; the others go on; a start changes nothing, and only a new grant lifts it."""
    people = {p: temporary.person(enrolled=True, modality=modality) for p in Purpose}
    before = {p: _uses(temporary, person) for p, person in people.items()}
    for p, person in people.items():
        consent.object_to(temporary.device, person.name, p)
    after = {p: _uses(temporary, person) for p, person in people.items()}
    temporary.restart()
    again = {p: _uses(temporary, person) for p, person in people.items()}
    for p, person in people.items():
        consent.grant(temporary.device, person.name, modality, p, of_age=True)
    lifted = {p: _uses(temporary, person) for p, person in people.items()}
    left = {p: _only(tuple(q for q in Purpose if q is not p), "consent.objected") for p in Purpose}
    for p in Purpose:
        consent.object_to(temporary.device, people[Purpose.UNLOCK].name, p)
    again_enrolled = temporary.refusal(lambda: temporary.enroll(people[Purpose.UNLOCK], replace=True))
    everything = _only(tuple(Purpose), "")
    return [
        _code(
            "unlocking is refused right after the objection", "consent.objected", after[Purpose.UNLOCK][Purpose.UNLOCK]
        ),
        *(_same(f"before the objection to {p.name.lower()} all works", everything, before[p]) for p in Purpose),
        *(_same(f"an objection to {p.name.lower()} stops that alone", left[p], after[p]) for p in Purpose),
        *(_same(f"an objection to {p.name.lower()} outlives a start", left[p], again[p]) for p in Purpose),
        *(_same(f"a new grant lifts an objection to {p.name.lower()}", everything, lifted[p]) for p in Purpose),
        _code("who objects to everything is not enrolled again", "consent.objected", again_enrolled),
        Observation("each objection is in the log", all(_told(temporary, p, "OBJECTED") for p in people.values())),
    ]  # fmt: skip


def withdrawal(temporary: TemporaryDevice, modality: Modality) -> list[Observation]:
    """Withdraw one purpose, then the last one while an enrollment is in flight: challenge live, token made."""
    device = temporary.device
    person = temporary.person(pin=True, consent_to=(Purpose.UNLOCK, Purpose.IDENTIFY), modality=modality)
    held = temporary.held(person)
    from_before = temporary.enroll(person, pin=True)
    found = temporary.found(person.sample()) == person.name  # the gallery now holds this person
    for_identify = consent.withdraw(device, person.name, modality, Purpose.IDENTIFY, token=temporary.token(person))
    now = _uses(temporary, person)
    still, gone = not now[Purpose.UNLOCK], bool(now[Purpose.IDENTIFY])

    def finish_after_withdrawal() -> object:
        token = pins.enrollment_token(device, person.name, modality, PIN)
        consent.withdraw(device, person.name, modality, Purpose.UNLOCK, token=temporary.token(person))
        return device.enroll(person.name, person.views(), finger=temporary.position(person), replace=True, token=token)

    in_flight = temporary.refusal(finish_after_withdrawal)
    left = list(device.records(person.name))
    more = temporary.held(person) - held - Counter(sensor=2)  # how often it was tried is remembered, not what was seen
    after = _uses(temporary, person)
    erased = _causes(temporary, from_before)
    logged = sum(entry.event.name == "CONSENT_WITHDRAWN" for entry in _entries(temporary, person))
    return [
        Observation(
            "withdrawing one of two purposes erases nothing and stops that one", still and not for_identify and gone
        ),
        Observation("the person was found before", found),
        _code("an enrollment in flight is refused after the withdrawal", "consent.missing", in_flight),
        Observation("no record is left when no purpose is left", not left, f"{len(left)} left"),
        Observation("nor anything of it in the store", not more, str(dict(more))),
        Observation("nothing works any more", all(after.values()), str(after)),
        Observation("the log tells why it was erased", erased == {"WITHDRAWN"}, str(erased)),
        Observation("both withdrawals are in the log", logged == 2, str(logged)),
        *_each_withdrawal(temporary, modality),
    ]


def _each_withdrawal(temporary: TemporaryDevice, modality: Modality) -> list[Observation]:
    """Withdraw each purpose of somebody who keeps the others; a start changes nothing of it."""
    people = {p: temporary.person(enrolled=True, modality=modality) for p in Purpose}
    for p, person in people.items():
        consent.withdraw(temporary.device, person.name, modality, p)
    after = {p: _uses(temporary, person) for p, person in people.items()}
    temporary.restart()
    again = {p: _uses(temporary, person) for p, person in people.items()}
    left = {p: _only(tuple(q for q in Purpose if q is not p), "consent.missing") for p in Purpose}
    return [
        *(_same(f"withdrawing {p.name.lower()} stops that alone", left[p], after[p]) for p in Purpose),
        *(_same(f"a start gives {p.name.lower()} not back", left[p], again[p]) for p in Purpose),
    ]


def _causes(temporary: TemporaryDevice, digest: str) -> set[str]:
    entries = (item.entry for item in consent.signed_log(temporary.device).items)
    return {
        e.cause.name
        for e in entries
        if e and e.cause and e.event.name == "RECORD_ERASED" and e.digest == bytes.fromhex(digest)
    }


def restriction(temporary: TemporaryDevice, modality: Modality) -> list[Observation]:
    """Restrict, try everything before and after a start, unrestrict."""
    person = temporary.person(pin=True, enrolled=True, modality=modality)
    before = _uses(temporary, person)
    unsigned = temporary.refusal(lambda: consent.restrict(temporary.device, person.name, on=True, token=b""))
    consent.restrict(temporary.device, person.name, on=True, token=temporary.token(person))
    during = _uses(temporary, person)
    enroll = temporary.refusal(lambda: temporary.enroll(person, pin=True, replace=True))
    temporary.restart()
    later, kept = _uses(temporary, person), len(list(temporary.device.records(person.name)))
    consent.restrict(temporary.device, person.name, on=False, token=temporary.token(person))
    stopped, everything = _only((), "consent.restricted"), _only(tuple(Purpose), "")
    return [
        _same("comparisons are refused", stopped, during),
        _same("all works before", everything, before),
        _code("nobody is restricted without their PIN", "token.refused", unsigned),
        _code("enrollments are refused", "consent.restricted", enroll),
        _same("a start of the secure world changes nothing of it", stopped, later),
        Observation("the record is kept", kept == 1),
        _same("processing goes on when the person ends the restriction", everything, _uses(temporary, person)),
        Observation("both are in the log", _told(temporary, person, "RESTRICTED")
                    and _told(temporary, person, "UNRESTRICTED")),
    ]  # fmt: skip


def age(temporary: TemporaryDevice, modality: Modality) -> list[Observation]:
    """No consent below the minimum age; a child found later is erased, with everything of both sensors."""
    device, child = temporary.device, temporary.person(consent_to=(), modality=modality)
    gates = {
        p: temporary.refusal(lambda p=p: consent.grant(device, child.name, modality, p, of_age=False))  # type: ignore[misc]
        for p in Purpose
    }
    enroll = temporary.refusal(lambda: temporary.enroll(child))
    person = temporary.person(enrolled=True, modality=modality)
    count = 1
    if modality is Modality.FINGERPRINT:
        temporary.enroll(person, finger=1)
        count = 2
    digests = consent.mark_underage(device, person.name)
    left = list(device.records(person.name))
    after = temporary.refusal(lambda: temporary.enroll(person))
    causes = {cause for digest in digests for cause in _causes(temporary, digest)}
    stored = temporary.held(person)[modality.word]
    youngest = consent.policy_state(device).minimum_age
    return [
        _code("no consent without the age attestation", "consent.underage", gates[Purpose.UNLOCK]),
        Observation("for no purpose", set(gates.values()) == {"consent.underage"}, str(sorted(gates.values()))),
        Observation("the minimum age is 16 or more", youngest >= MINIMUM_AGE, str(youngest)),
        _code("no enrollment without it", "consent.missing", enroll),
        Observation("marking a user as a child erases every record", len(digests) == count and not left,
                    f"{len(digests)} erased, {len(left)} left"),
        Observation("nothing of them is left in the store", stored == 0, f"{stored} left"),
        _code("and no new enrollment follows", "consent.missing", after),
        Observation("the log tells why", causes == {"UNDERAGE"}, str(causes)),
    ]  # fmt: skip


def versions(temporary: TemporaryDevice, modality: Modality) -> list[Observation]:
    """A newer policy version suspends grants until they are confirmed; it never goes down."""
    device, person = temporary.device, temporary.person(enrolled=True, modality=modality)
    state = consent.policy_state(device)

    def set_version(version: int) -> None:
        consent.set_policy(device, version=version, minimum_age=state.minimum_age, retention_days=state.retention_days)

    before = _uses(temporary, person)  # the gallery now holds this person
    set_version(state.version + 1)
    suspended = _uses(temporary, person)
    enroll = temporary.refusal(lambda: temporary.enroll(person, replace=True))
    lower = temporary.refusal(lambda: set_version(state.version))
    temporary.restart()
    device, later = temporary.device, _uses(temporary, person)
    newest = [i.entry for i in consent.signed_log(device).items if i.entry and i.entry.event.name == "POLICY_CHANGED"]
    consent.confirm(device, person.name)
    everything = _only(tuple(Purpose), "")
    return [
        _same("a newer version suspends the grant", _only((), "consent.suspended"), suspended),
        _same("all works before", everything, before),
        _code("no enrollment while suspended", "consent.suspended", enroll),
        _code("the version does not go down", "request", lower),
        _same("a start confirms nothing", _only((), "consent.suspended"), later),
        Observation("the change is in the log", bool(newest) and newest[-1].number == state.version + 1),
        _same("processing goes on after the person confirms", everything, _uses(temporary, person)),
    ]


TRIALS = (
    Trial(id="BG-POL-005", title="Nothing is processed for a purpose without consent to it", run=in_both(purpose)),
    Trial(
        id="BG-POL-018",
        title="A restriction stops all processing and keeps the record",
        run=in_both(restriction),
    ),
    Trial(id="BG-POL-020", title="An objection stops that purpose at once", run=in_both(objection)),
    Trial(
        id="BG-POL-021",
        title="A withdrawal stops processing at once, also in flight, and erases what has no purpose left",
        run=in_both(withdrawal),
    ),
    Trial(
        id="BG-POL-024",
        title="No data of children",
        run=in_both(age),
        limits="the age is attested, not proved",
    ),
    Trial(
        id="BG-POL-026",
        title="A newer policy suspends consent until it is confirmed",
        run=in_both(versions),
    ),
)
