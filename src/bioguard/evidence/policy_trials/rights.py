"""Trials of the rights of a person: identity, notice, access, rectification, erasure, export, explanation, terms."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import clock, consent, pins
from bioguard.device.answers import public_record
from bioguard.device.data_export import decision_words
from bioguard.device.personal_data import personal_data
from bioguard.device.privacy_notice import notice
from bioguard.device.receipts import erasure_receipt
from bioguard.device.rectify import relabel, rename
from bioguard.evidence.policy_trials.closed_export import WHY, strangers
from bioguard.evidence.policy_trials.command_line import said
from bioguard.evidence.policy_trials.model import Observation, Trial, in_both
from bioguard.evidence.policy_trials.sentences import PROFILES, REASONS, explanation_of, notice_of
from bioguard.evidence.published_objects import strange_objects
from bioguard.evidence.temporary_device import FINGERS_SEED, PIN, Person, TemporaryDevice
from bioguard.log.erasure_receipt import ErasureReceipt
from bioguard.log.store_copy import check_image
from bioguard.records.audit_events import Cause, Event
from bioguard.records.consent import DAY_MS, Purpose
from bioguard.records.modality import Modality
from bioguard.records.rights_requests import ANSWER_DAYS, EXTENDED_DAYS
from bioguard.simulate.people import finger_impressions
from bioguard.text import iso, word

HELD = {"user", "consent", "face", "fingerprint", "sensor", "request", "pin"}
"""Kinds of objects that belong to a person; the log is of the device."""
TOKEN_AGE_MS = 300_000
"""docs/policy.md section 3: a PIN token of that user, not older than 5 minutes."""
FINGERS = {"right-index": 20_001, "left-thumb": 20_002}
"""Of people whom no other trial makes."""


def identity(temporary: TemporaryDevice) -> list[Observation]:
    """Access and erasure: no token, another person's, a stale one, a biometric one, a forged one, the right one."""
    device, person, other = temporary.device, temporary.person(pin=True, enrolled=True), temporary.person(pin=True)
    record = next(device.records(person.name)).record_id

    def access_with(token: bytes) -> str:
        return temporary.refusal(lambda: personal_data(device, person.name, Cause.ACCESS, token=token))

    def erase_with(token: bytes) -> str:
        return temporary.refusal(lambda: device.erase(person.name, record, EraseAuthorization(token=token)))

    stale = temporary.token(person)
    seen = {("access", "a fresh PIN token of the person"): access_with(stale)}
    clock.advance(device, TOKEN_AGE_MS)
    seen["access", "a token of five minutes"] = access_with(stale)
    clock.advance(device, 1)
    by_face = device.authenticate(person.name, person.sample(), operation_id=5).token
    tokens = {
        "no token": b"",
        "another person's PIN": temporary.token(other),
        "a stale token": stale,
        "a biometric token": by_face or b"",
        "a forged token": bytes(69),
        "a token whose MAC is another": temporary.token(person)[:-1] + b"?",
    }
    refused = [
        Observation(f"{what} is refused with {token}", code == "token.refused", code)
        for what, ask in (("access", access_with), ("erasure", erase_with))
        for token, code in ((name, ask(value)) for name, value in tokens.items())
    ]
    asked = _each_request(temporary, person, tokens)
    seen["erasure", "a fresh PIN token of the person"] = erase_with(temporary.token(person))
    pins.set_pin(device, person.name, PIN[::-1])
    after_reset = access_with(pins.verify_pin(device, person.name, PIN[::-1]))
    later = Observation(
        "a PIN that was set anew decides about nothing of before", after_reset == "pin.not_owner", after_reset
    )
    return [
        *refused,
        *asked,
        later,
        *(Observation(f"{what} with {token}", code == "", code) for (what, token), code in seen.items()),
    ]


def _each_request(temporary: TemporaryDevice, person: Person, tokens: dict[str, bytes]) -> list[Observation]:
    """Every other command of a person, with each token that is not theirs and fresh."""
    device, name = temporary.device, person.name
    requests: dict[str, Callable[[bytes], object]] = {
        "restriction": lambda token: consent.restrict(device, name, on=True, token=token),
        "withdrawal": lambda token: consent.withdraw(device, name, Modality.FACE, Purpose.UNLOCK, token=token),
        "objection": lambda token: consent.object_to(device, name, Purpose.UNLOCK, token=token),
        "consent": lambda token: consent.grant(device, name, Modality.FACE, Purpose.UNLOCK, of_age=True, token=token),
        "confirmation": lambda token: consent.confirm(device, name, token=token),
        "a new name": lambda token: device.rename_user(name, f"{name}-other", token=token),
        "removal": lambda token: device.remove_user(name, EraseAuthorization(token=token)),
        "a complaint": lambda token: consent.open_request(device, name, Cause.COMPLAINT, token=token),
        "export": lambda token: personal_data(device, name, Cause.PORTABILITY, token=token),
    }
    answers = {
        what: {how: temporary.refusal(lambda token=token, ask=ask: ask(token)) for how, token in tokens.items()}  # type: ignore[misc]
        for what, ask in requests.items()
    }
    odd = {what: [how for how, code in codes.items() if code != "token.refused"] for what, codes in answers.items()}
    return [
        Observation(f"{what} is refused with each of these tokens", not odd[what], ", ".join(odd[what]))
        for what in requests
    ]


def informed(temporary: TemporaryDevice) -> list[Observation]:
    """The notice against what is in force."""
    state, place = consent.policy_state(temporary.device), str(temporary.directory)
    cases = [(profile, for_testing) for profile in PROFILES for for_testing in (False, True)]
    told = [notice(state, store=place, profile=profile, for_testing=testing) for profile, testing in cases]
    needed = [notice_of(state, place=place, profile=profile, for_testing=testing) for profile, testing in cases]
    odd = sorted({": ".join(line) for seen, said in zip(told, needed, strict=True) for line in set(seen) ^ set(said)})
    first = dict(told[0])
    with TemporaryDevice(temporary.directory.parent / f"{temporary.directory.name}-told", temporary.allow_level) as own:
        now = consent.policy_state(own.device)
        own.stop()
        typed, _ = said(own, "notice")
        parts = notice_of(now, place=str(own.directory), profile="standard", for_testing=False)
    lines = [": ".join(part) for part in parts]
    return [
        Observation("it names the retention in force", f"{state.retention_days} days" in first["for how long"]),
        Observation("it names the version in force", first["policy version"] == str(state.version)),
        Observation("it names the place", place in first["where"]),
        Observation("it says what the policy says, in this order, and no more", told == needed, "; ".join(odd)),
        Observation(
            "whoever types `bioguard notice` is told that and no more",
            typed == lines,
            "; ".join(set(typed) ^ set(lines)),
        ),
    ]


def access(temporary: TemporaryDevice) -> list[Observation]:
    """A person with a face, two fingers, an objection, a restriction and a complaint: all is told, and no more."""
    device, other = temporary.device, temporary.person(pin=True, enrolled=True)
    person = temporary.person(pin=True, enrolled=True)
    token = temporary.token(person)
    consent.grant(device, person.name, Modality.FINGERPRINT, Purpose.UNLOCK, of_age=True, token=token)
    digests = {info.digest for info in device.records(person.name)}
    for finger in ("right-index", "left-thumb"):
        permit = pins.enrollment_token(device, person.name, Modality.FINGERPRINT, PIN)
        views = finger_impressions(FINGERS_SEED, person=FINGERS[finger], count=1)
        digests.add(device.enroll(person.name, views, finger=finger, token=permit).digest)
    device.authenticate(person.name, person.sample())
    temporary.refusal(lambda: device.authenticate(other.name, other.sample()))
    temporary.advance_days(2)  # what is told is all, and not what is new
    token = temporary.token(person)
    complaint = consent.open_request(device, person.name, Cause.COMPLAINT, token=token)
    consent.object_to(device, person.name, Purpose.IDENTIFY, token=token)
    consent.restrict(device, person.name, on=True, token=token)
    data = personal_data(device, person.name, Cause.ACCESS, token=token)
    held, strange = temporary.held(person), strange_objects(temporary.contents())
    consent.restrict(device, person.name, on=False, token=token)
    listed = [public_record(info) for info in device.records(person.name)]
    handle = device.user_handle(person.name)
    entries = [i.entry for i in consent.signed_log(device).items if i.entry and i.entry.subject == handle]
    before = {e.sequence for e in entries if e.event not in (Event.REQUEST_ANSWERED, Event.UNRESTRICTED)}
    told = {row.get("number") for row in _rows(data, "log")}
    decided = sum(e.event is Event.DECIDED for e in entries)
    told_decisions = sum(row.get("event") == "decided" for row in _rows(data, "log"))
    granted = {(row.get("modality"), row.get("purpose")) for row in _rows(data, "consents")}
    numbers = {row.get("number") for row in _rows(data, "requests")}
    enrolled = {row.get("digest") for row in _rows(data, "enrollments")}
    wanted = {("face", word(p)) for p in Purpose} | {("fingerprint", "unlock")}
    return [
        Observation("every record of the person is told",
                    data["enrollments"] == listed and enrolled == digests),
        Observation("consents are told", granted == wanted, str(granted ^ wanted)),
        Observation("the objection is told", data["objections"] == ["identify"], str(data["objections"])),
        Observation("the restriction is told", data["restricted"] is True),
        Observation("nothing more of the person is in the store", set(held) <= HELD and held["face"] == 1
                    and held["fingerprint"] == 2 and held["request"] == len(numbers), str(dict(held))),
        Observation("no object is there that is not published", not strange, ", ".join(strange[:3])),
        Observation("the age attestation is told", data["age_attested"] is True),
        Observation("decisions are told", decided == 1 == told_decisions),
        Observation("the log is told, and nobody else's", told == before, f"{sorted(map(str, told ^ before))}"),
        Observation("requests are told", {complaint.number, complaint.number + 1} == numbers, str(numbers)),
        Observation("the request is in the register, answered", _last_state(temporary) == "FULFILLED"),
    ]  # fmt: skip


def _rows(data: dict[str, object], name: str) -> list[dict[str, object]]:
    rows = data[name]
    return list(rows) if isinstance(rows, list) else []


def _last_state(temporary: TemporaryDevice) -> str:
    return [r.state.name for r in consent.requests(temporary.device)][-1]


def rectify(temporary: TemporaryDevice) -> list[Observation]:
    """Re-enroll in place of the old record, correct the name of a person and the finger of a record."""
    device, person = temporary.device, temporary.person(enrolled=True)
    held = temporary.held(person)
    wrong = temporary.person(consent_to=())
    temporary.refusal(lambda: device.enroll(person.name, wrong.views(), replace=True))
    old, as_wrong = next(device.records(person.name)), device.authenticate(person.name, wrong.sample()).match
    temporary.enroll(person, replace=True)
    now, more = list(device.records(person.name)), temporary.held(person) - held - Counter(sensor=1)
    still_wrong = device.authenticate(person.name, wrong.sample()).match
    strange = strange_objects(temporary.contents())
    return [
        Observation("there is one record, and it is the new one", len(now) == 1 and now[0].digest != old.digest),
        Observation("the store holds no more of the person than before", not more, str(dict(more))),
        Observation("no object is there that is not published", not strange, ", ".join(strange[:3])),
        Observation(
            "the old one cannot be opened", temporary.refusal(lambda: device.show(old.record_id)) == "record.unknown"
        ),
        Observation("the new one matches", device.authenticate(person.name, person.sample()).match),
        Observation("and the wrong features no longer do", as_wrong and not still_wrong),
        *_corrections(temporary),
    ]


def _corrections(temporary: TemporaryDevice) -> list[Observation]:
    device, person = temporary.device, temporary.person(pin=True)
    permit = pins.enrollment_token(device, person.name, Modality.FINGERPRINT, PIN)
    consent.grant(device, person.name, Modality.FINGERPRINT, Purpose.UNLOCK, of_age=True, token=temporary.token(person))
    made = device.enroll(person.name, finger_impressions(7, person=0, count=3), finger="right-index", token=permit)
    before = device.show(made.record_id)
    without = temporary.refusal(lambda: relabel(device, person.name, made.record_id, "left-thumb"))
    now = relabel(device, person.name, made.record_id, "left-thumb", token=temporary.token(person))
    name = f"{person.name}-corrected"
    rename(device, person.name, name, token=temporary.token(person))
    same = (now.views, now.enrolled_s, now.user) == (before.views, before.enrolled_s, person.name)
    sample = finger_impressions(7, person=0, count=1, first=4)[0]
    return [
        Observation("no correction without the person's PIN", without == "token.refused", without),
        Observation("a record of the wrong finger is relabeled, and is otherwise as it was",
                    now.position == "left-thumb" and now.digest != before.digest and same),
        Observation("a wrong name is corrected", name in device.users() and person.name not in device.users()),
        Observation("the corrected record matches under the right name", device.authenticate(name, sample).match),
        Observation("the request is in the register, answered", _last_state(temporary) == "FULFILLED"),
    ]  # fmt: skip


def erasure(temporary: TemporaryDevice, modality: Modality) -> list[Observation]:
    """Erase, then count and look in the raw bytes of the store, and verify the receipt as a stranger would."""
    device, person = temporary.device, temporary.person(modality=modality)
    other = temporary.person(enrolled=True, modality=modality)
    before, census = temporary.held(person), temporary.contents().census()
    temporary.enroll(person)
    added = temporary.held(person) - before
    record, left = next(device.records(person.name)), next(device.records(other.name))
    image = temporary.image()
    record_id, digest = bytes.fromhex(record.record_id), bytes.fromhex(record.digest)
    there = digest in image
    found = temporary.found(person.sample()) == person.name  # the gallery now holds this person
    device.erase(person.name, record.record_id)
    still = temporary.found(person.sample())
    temporary.restart()
    image, device = temporary.image(), temporary.device
    contents = temporary.contents()
    left_over, strange = {kind for _, kind in contents.census() - census}, strange_objects(contents)
    kept = [o for o in contents.objects if record_id in o.body and o.kind != "log"]
    made = erasure_receipt(device, [record.digest])
    text, key = made.to_text(), consent.signed_log(device).key
    copy = temporary.directory.parent / "store-copy.db"
    copy.write_bytes((temporary.directory / "storage.db").read_bytes())

    def verify(receipt: str) -> str:
        def as_stranger() -> None:
            found = ErasureReceipt.parse(receipt)
            check_image(copy, found, found.verify(key))

        return temporary.refusal(as_stranger)

    alone = verify(text)
    bent = text.replace('"position": ', '"position": 1', 1)
    of_another = text.replace(made.erasures[0].absence.lower.hex(), "00" * 32, 1)
    copy.write_bytes(image)
    return [
        Observation("the digest was in the store image before", there),
        Observation("an enrollment adds one record, and a count of attempts",
                    added[modality.word] == 1 and set(added) <= {modality.word, "sensor"}, str(dict(added))),
        Observation("the erasure leaves what was there before it, and the log", left_over <= {"log", "sensor"},
                    ", ".join(sorted(left_over))),
        Observation("no object is there that is not published", not strange, ", ".join(strange[:3])),
        Observation("no object but the log names the record any more", not kept, ", ".join(o.kind for o in kept)),
        Observation("a search finds the person before, and nobody afterwards", found and not still, still),
        Observation("neither is in the store image afterwards", record_id not in image and digest not in image),
        Observation(
            "the record cannot be opened", temporary.refusal(lambda: device.show(record.record_id)) == "record.unknown"
        ),
        Observation("the receipt names the digest", [e.digest for e in made.erasures] == [digest]),
        Observation("log entry, absence and a copy of the store verify without the device", alone == "", alone),
        Observation("a changed position does not", verify(bent).startswith("integrity")),
        Observation("other neighbors do not", verify(of_another).startswith("integrity")),
        Observation("with another file for the store it does not", verify(text).startswith("integrity")),
        Observation("there is no receipt for a record that is there",
                    temporary.refusal(lambda: erasure_receipt(device, [left.digest])) == "receipt.none"),
        *_removal(temporary, modality),
    ]  # fmt: skip


def _removal(temporary: TemporaryDevice, modality: Modality) -> list[Observation]:
    """Remove a user, by the person and by the operator; the second reader finds nothing that belonged to them."""
    seen = []
    for by_operator, cause in ((False, Cause.REQUESTED), (True, Cause.BY_OPERATOR)):
        device, person = temporary.device, temporary.person(pin=True, enrolled=True, modality=modality)
        device.authenticate(person.name, person.sample())
        handle, before = device.user_handle(person.name), temporary.held(person)
        leave = EraseAuthorization(token=b"" if by_operator else temporary.token(person), by_operator=by_operator)
        device.remove_user(person.name, leave)
        left = sorted(stored.kind for stored in temporary.contents().owned(handle))
        items = [i.entry for i in consent.signed_log(device).items if i.entry and i.entry.subject == handle]
        causes = {e.cause for e in items if e.event is Event.RECORD_ERASED}
        who = "the operator" if by_operator else "the person"
        seen += [
            Observation(f"a user whom {who} removes leaves nothing", bool(before) and not left, ", ".join(left)),
            Observation(f"the log says that {who} did it", causes == {cause}, str(causes)),
        ]
    return seen


def portability(temporary: TemporaryDevice) -> list[Observation]:
    """The export holds what the published form says, and no feature of any view that was enrolled."""
    device, person, _other = temporary.device, temporary.person(pin=True), temporary.person()
    views = person.views()
    device.enroll(person.name, views, token=pins.enrollment_token(device, person.name, Modality.FACE, PIN))
    device.authenticate(person.name, person.sample())
    token, state = temporary.token(person), consent.policy_state(device)
    data = personal_data(device, person.name, Cause.PORTABILITY, token=token)
    text = json.dumps(data).encode()
    odd, said = strangers(data), data["templates"]
    handle = device.user_handle(person.name)
    entries = [i.entry for i in consent.signed_log(device).items if i.entry and i.entry.subject == handle]
    rows = [(e.sequence, iso(e.wall_ms), e.record_id, e.digest, e.number) for e in entries]
    parts = ("record_id", "digest")
    told = [
        (
            r["number"],
            r["at"],
            *(bytes.fromhex(str(r[k])) if k in r else None for k in parts),
            r.get("value"),
        )
        for r in _rows(data, "log")
    ]
    pieces = [view.to_bytes()[at : at + 6] for view in views for at in range(0, len(view.to_bytes()) - 6, 6)]
    forms = {form(piece) for piece in pieces for form in (bytes.hex, lambda raw: b64encode(raw).decode())}
    return [
        Observation("it has the published form", data["schema"] == "bioguard/personal-data/1"),
        Observation("consents, enrollments, requests and log are in it",
                    all(_rows(data, part) for part in ("consents", "enrollments", "requests", "log"))),
        Observation("it says that templates are not in it, and why",
                    isinstance(said, dict) and said.get("included") is False and said.get("why") == WHY),
        Observation("nothing else is in it", not odd, ", ".join(odd[:5])),
        Observation("its numbers are in force, its log is the log", told == rows[: len(told)] and data["policy"]
                    == {n: getattr(state, n) for n in ("version", "retention_days", "log_days", "minimum_age")}),
        Observation("its records are those that are listed",
                    data["enrollments"] == [public_record(info) for info in device.records(person.name)]),
        Observation("it is about this person", data["user"] == person.name),
        Observation("no piece of the template is in it", not any(form.encode() in text for form in forms)),
    ]  # fmt: skip


def explanation(temporary: TemporaryDevice) -> list[Observation]:
    """Explain an acceptance and a rejection; the PIN works in between."""
    device, person = temporary.device, temporary.person(pin=True, enrolled=True)
    stranger = temporary.person(consent_to=())
    device.authenticate(person.name, person.sample())
    device.authenticate(person.name, stranger.sample())
    handle = device.user_handle(person.name)
    entries = [i.entry for i in consent.signed_log(device).items if i.entry and i.entry.subject == handle]
    decided = [e for e in entries if e.event is Event.DECIDED]
    causes = [e.cause for e in decided]
    everything = [replace(e, cause=cause) for e in decided for cause in REASONS]
    told = [
        (decision_words(e, for_testing=for_testing), explanation_of(e, for_testing=for_testing))
        for e in (*decided, *everything)
        for for_testing in (False, True)
    ]
    odd = [line for seen, said in told if seen != said for line in set(seen) ^ set(said) or {"another order"}]
    words = [line for e in decided for line in decision_words(e)]
    numbers = {token for line in words for token in line.split() if "." in token and token.replace(".", "").isdigit()}
    pin = temporary.refusal(lambda: pins.verify_pin(device, person.name, PIN))
    typed, needed = _explained_by_command(temporary)
    return [
        Observation("both decisions can be explained", causes == [Cause.ACCEPTED, Cause.NOT_SIMILAR], str(causes)),
        Observation("the reason is given in words", any("not similar enough" in line for line in words)),
        Observation("no score is in it", not numbers, str(numbers)),
        Observation(
            "it has the sentences of its reason, in this order, and no others", not odd, "; ".join(sorted(set(odd)))
        ),
        Observation("whoever types `bioguard explain` is told that and no more", typed == needed, "\n".join(typed)),
        Observation("the PIN is there as the other way", pin == "" and any("PIN" in line for line in words)),
    ]


def _explained_by_command(temporary: TemporaryDevice) -> tuple[list[str], list[str]]:
    """What `bioguard explain` prints of an acceptance and of a rejection, and what it should."""
    place = temporary.directory.parent / f"{temporary.directory.name}-explained"
    with TemporaryDevice(place, temporary.allow_level) as own:
        person = own.person(enrolled=True)
        for someone in (person, own.person(consent_to=())):
            own.device.authenticate(person.name, someone.sample())
        entries = [i.entry for i in consent.signed_log(own.device).items if i.entry and i.entry.event is Event.DECIDED]
        own.stop()
        typed = [line for e in entries for line in said(own, "explain", str(e.sequence))[0]]
    return typed, [line for e in entries for line in explanation_of(e, for_testing=False)]


def terms(temporary: TemporaryDevice) -> list[Observation]:
    """Due dates, an extension with and without a reason, and a second one."""
    device, person = temporary.device, temporary.person(pin=True)
    request = consent.open_request(device, person.name, Cause.COMPLAINT, token=temporary.token(person))
    without = temporary.refusal(lambda: consent.extend_request(device, request.number, Cause.FULFILLED))
    extended = consent.extend_request(device, request.number, Cause.COMPLEX)
    twice = temporary.refusal(lambda: consent.extend_request(device, request.number, Cause.COMPLEX))
    registered = {r.number: r for r in consent.requests(device)}.get(request.number)
    answered = consent.answer_request(device, request.number, Cause.FULFILLED)
    again = temporary.refusal(lambda: consent.answer_request(device, request.number, Cause.REFUSED))
    return [
        Observation("due after 7 days", request.due_ms - request.opened_ms == ANSWER_DAYS * DAY_MS == 7 * DAY_MS),
        Observation("no extension without a reason", without == "request", without),
        Observation("with a reason, at most one month",
                    extended.due_ms - request.opened_ms == EXTENDED_DAYS * DAY_MS <= 31 * DAY_MS),
        Observation("no second extension", twice == "request", twice),
        Observation("overdue shows", request.overdue(request.due_ms + 1) and not request.overdue(request.due_ms)
                    and extended.overdue(extended.due_ms + 1) and not answered.overdue(request.due_ms + 1)),
        Observation("the register has the reason and the new term",
                    registered == extended and extended.reason is Cause.COMPLEX),
        Observation("no second answer", again == "request", again),
        Observation("the answer is in the register", _last_state(temporary) == "FULFILLED"),
    ]  # fmt: skip


TRIALS = (
    Trial(id="BG-POL-013", title="A request is handled only after the person's PIN", run=identity),
    Trial(id="BG-POL-014", title="The person is told what is in force", run=informed),
    Trial(id="BG-POL-015", title="Access tells everything held", run=access),
    Trial(id="BG-POL-016", title="What is wrong can be corrected: features, finger, name", run=rectify),
    Trial(
        id="BG-POL-017",
        title="An erased record is gone; a receipt proves erasure and absence anywhere",
        run=in_both(erasure),
        limits="copies of the device directory made before the erasure still hold the sealed bytes",
    ),
    Trial(id="BG-POL-019", title="The export is structured and holds no template", run=portability),
    Trial(
        id="BG-POL-022", title="Decisions can be explained without a score; the PIN is always there", run=explanation
    ),
    Trial(id="BG-POL-023", title="Requests have due dates; an extension has a reason", run=terms),
)
