"""Trials of consent, objection, withdrawal, restriction, age and policy versions."""

from bioguard.device import consent, pins
from bioguard.evidence.policy_trials.model import Observation, Trial
from bioguard.evidence.temporary_device import PIN, TemporaryDevice
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality

FACE = Modality.FACE
OPERATION_ID = 77


def _code(promised: str, expected: str, seen: str) -> Observation:
    return Observation(promised, seen == expected, f"answer was {seen or 'yes'}" if seen != expected else "")


def purpose(temporary: TemporaryDevice) -> list[Observation]:
    """Enroll, unlock, use a key and identify, each with and without consent to it."""
    device = temporary.device
    nobody = temporary.person(consent_to=())
    unlocker = temporary.person(consent_to=(Purpose.UNLOCK,), enrolled=True)
    searched = temporary.person(consent_to=(Purpose.IDENTIFY,), enrolled=True)
    return [
        _code("no enrollment without consent", "consent.missing", temporary.refusal(lambda: temporary.enroll(nobody))),
        _code("no unlocking without consent to it", "consent.missing",
              temporary.refusal(lambda: device.authenticate(searched.name, searched.sample()))),
        _code("no key operation with consent to unlocking only", "consent.missing",
              temporary.refusal(
                  lambda: device.authenticate(unlocker.name, unlocker.sample(), operation_id=OPERATION_ID))),
        Observation("no identification with consent to unlocking only", not device.identify(unlocker.sample()).match),
        Observation("unlocking works with consent to it", device.authenticate(unlocker.name, unlocker.sample()).match),
        Observation("identification works with consent to it",
                    device.identify(searched.sample()).user == searched.name),
        Observation("refusals are in the log", {"MATCH_REFUSED", "ENROLL_REFUSED"} <= _events(temporary)),
    ]  # fmt: skip


def _events(temporary: TemporaryDevice) -> set[str]:
    return {item.entry.event.name for item in consent.signed_log(temporary.device).items if item.entry}


def objection(temporary: TemporaryDevice) -> list[Observation]:
    """Object to unlocking; the other purpose goes on; only a new grant lifts it."""
    device, person = temporary.device, temporary.person(enrolled=True)
    before = device.authenticate(person.name, person.sample()).match
    consent.object_to(device, person.name, Purpose.UNLOCK)
    after = temporary.refusal(lambda: device.authenticate(person.name, person.sample()))
    other = device.identify(person.sample()).user == person.name
    return [
        Observation("unlocking worked before", before),
        _code("unlocking is refused right after the objection", "consent.objected", after),
        Observation("a purpose that was not objected to goes on", other),
        Observation("the objection is in the log", "OBJECTED" in _events(temporary)),
    ]


def withdrawal(temporary: TemporaryDevice) -> list[Observation]:
    """Withdraw one purpose, then the last one while an enrollment is in flight: challenge live, token made."""
    device, person = temporary.device, temporary.person(pin=True, consent_to=(Purpose.UNLOCK, Purpose.IDENTIFY))
    from_before = temporary.enroll(person, pin=True)
    found = device.identify(person.sample()).user == person.name  # the gallery now holds this person
    for_identify = consent.withdraw(device, person.name, FACE, Purpose.IDENTIFY, token=temporary.token(person))
    still = device.authenticate(person.name, person.sample()).match
    gone = not device.identify(person.sample()).match

    def finish_after_withdrawal() -> object:
        token = pins.enrollment_token(device, person.name, FACE, PIN)
        consent.withdraw(device, person.name, FACE, Purpose.UNLOCK, token=temporary.token(person))
        return device.enroll(person.name, person.views(), replace=True, token=token)

    in_flight = temporary.refusal(finish_after_withdrawal)
    left = list(device.records(person.name))
    erased = _causes(temporary, from_before)
    return [
        Observation("the person was found before", found),
        Observation(
            "withdrawing one of two purposes erases nothing and stops that one", still and not for_identify and gone
        ),
        _code("an enrollment in flight is refused after the withdrawal", "consent.missing", in_flight),
        Observation("no record is left when no purpose is left", not left, f"{len(left)} left"),
        Observation("the log tells why it was erased", erased == {"WITHDRAWN"}, str(erased)),
    ]


def _causes(temporary: TemporaryDevice, digest: str) -> set[str]:
    entries = (item.entry for item in consent.signed_log(temporary.device).items)
    return {
        e.cause.name
        for e in entries
        if e and e.cause and e.event.name == "RECORD_ERASED" and e.digest == bytes.fromhex(digest)
    }


def restriction(temporary: TemporaryDevice) -> list[Observation]:
    """Restrict, try everything, unrestrict."""
    device, person = temporary.device, temporary.person(pin=True, enrolled=True)
    unsigned = temporary.refusal(lambda: consent.restrict(device, person.name, on=True, token=b""))
    consent.restrict(device, person.name, on=True, token=temporary.token(person))
    unlock = temporary.refusal(lambda: device.authenticate(person.name, person.sample()))
    enroll = temporary.refusal(lambda: temporary.enroll(person, pin=True, replace=True))
    found = device.identify(person.sample()).match
    kept = len(list(device.records(person.name)))
    consent.restrict(device, person.name, on=False, token=temporary.token(person))
    again = device.authenticate(person.name, person.sample()).match
    return [
        _code("nobody is restricted without their PIN", "token.refused", unsigned),
        _code("comparisons are refused", "consent.restricted", unlock),
        _code("enrollments are refused", "consent.restricted", enroll),
        Observation("the person is not searched for", not found),
        Observation("the record is kept", kept == 1),
        Observation("processing goes on when the person ends the restriction", again),
    ]


def age(temporary: TemporaryDevice) -> list[Observation]:
    """No consent below the minimum age; a child found later is erased."""
    device, person = temporary.device, temporary.person(enrolled=True)
    child = temporary.person(consent_to=())

    def young() -> None:
        consent.grant(device, child.name, FACE, Purpose.UNLOCK, of_age=False)

    gate = temporary.refusal(young)
    enroll = temporary.refusal(lambda: temporary.enroll(child))
    digests = consent.mark_underage(device, person.name)
    left = list(device.records(person.name))
    after = temporary.refusal(lambda: temporary.enroll(person))
    return [
        Observation("the minimum age is 16 or more", consent.policy_state(device).minimum_age >= 16),
        _code("no consent without the age attestation", "consent.underage", gate),
        _code("no enrollment without it", "consent.missing", enroll),
        Observation("marking a user as a child erases every record", len(digests) == 1 and not left),
        _code("and no new enrollment follows", "consent.missing", after),
        Observation("the log tells why", len(digests) == 1 and _causes(temporary, digests[0]) == {"UNDERAGE"}),
    ]


def versions(temporary: TemporaryDevice) -> list[Observation]:
    """A newer policy version suspends grants until they are confirmed; it never goes down."""
    device, person = temporary.device, temporary.person(enrolled=True)
    state = consent.policy_state(device)

    def set_version(version: int) -> None:
        consent.set_policy(device, version=version, minimum_age=state.minimum_age, retention_days=state.retention_days)

    set_version(state.version + 1)
    suspended = temporary.refusal(lambda: device.authenticate(person.name, person.sample()))
    searched = device.identify(person.sample()).match
    lower = temporary.refusal(lambda: set_version(state.version))
    consent.confirm(device, person.name)
    return [
        _code("a newer version suspends the grant", "consent.suspended", suspended),
        Observation("the person is not searched for while suspended", not searched),
        _code("the version does not go down", "request", lower),
        Observation(
            "processing goes on after the person confirms", device.authenticate(person.name, person.sample()).match
        ),
    ]


TRIALS = (
    Trial(id="BG-POL-005", title="Nothing is processed for a purpose without consent to it", run=purpose),
    Trial(id="BG-POL-018", title="A restriction stops all processing and keeps the record", run=restriction),
    Trial(id="BG-POL-020", title="An objection stops that purpose at once", run=objection),
    Trial(
        id="BG-POL-021",
        title="A withdrawal stops processing at once, also in flight, and erases what has no purpose left",
        run=withdrawal,
    ),
    Trial(id="BG-POL-024", title="No data of children", run=age, limits="the age is attested, not proved"),
    Trial(id="BG-POL-026", title="A newer policy suspends consent until it is confirmed", run=versions),
)
