"""Trials of a hostile disk: changed bytes, another device's store, an old store, another user's rows."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bioguard.commands.biometric import RENEW_CODES, RenewCodes
from bioguard.device.incidents import incidents
from bioguard.evidence.policy_trials.command_line import said
from bioguard.evidence.policy_trials.model import Observation, Trial, Turn
from bioguard.evidence.policy_trials.sentences import INCIDENTS
from bioguard.evidence.temporary_device import Person, TemporaryDevice
from bioguard.records.audit_events import Cause
from tee_sim.shared.storage_requests import Operation

STORE = "storage.db"
TABLE, KEY, VALUE = "object", "name", "ciphertext"
PARTS = ("situation", "measures", "advice", "remedy")
ENOUGH_KEYS, PEOPLE, MOST_ROUNDS = 1000, 15, 200
"""Renewing codes writes the record of each person, the log and the pages over them, with the contents they had."""
MAX_ROWS = 12
"""More rows than a device with one person has: every one is changed."""


@contextmanager
def _second(temporary: TemporaryDevice, name: str) -> Iterator[tuple[TemporaryDevice, Person]]:
    """A device of its own for damage, with one enrolled person."""
    with TemporaryDevice(
        temporary.directory.parent / f"{temporary.directory.name}-{name}", temporary.allow_level
    ) as second:
        yield second, second.person(enrolled=True)


def _rows(path: Path, digest: bytes | None = None) -> list[bytes]:
    """Names of the rows of the sealed objects, or of those with this digest."""
    with closing(sqlite3.connect(path)) as database:
        sql = f"SELECT {KEY} FROM {TABLE} WHERE commitment = ifnull(?, commitment) ORDER BY {KEY}"  # noqa: S608  # ours
        return [row[0] for row in database.execute(sql, (digest,))]


def _flip(path: Path, key: bytes) -> None:
    """Change one bit in the middle of a row; done twice, it is as before."""
    with closing(sqlite3.connect(path)) as database:
        read = f"SELECT {VALUE} FROM {TABLE} WHERE {KEY} = ?"  # noqa: S608
        (value,) = database.execute(read, (key,)).fetchone()
        bent = bytearray(value)
        bent[len(bent) // 2] ^= 1
        write = f"UPDATE {TABLE} SET {VALUE} = ? WHERE {KEY} = ?"  # noqa: S608
        database.execute(write, (bytes(bent), key))
        database.commit()


def _use(temporary: TemporaryDevice, person: Person) -> str:
    """Start the device and use the person's record; the code of what goes wrong, or empty if it matched."""

    def run() -> None:
        temporary.restart()
        if not temporary.device.authenticate(person.name, person.sample()).match:
            raise AssertionError

    try:
        return temporary.refusal(run)
    except AssertionError:
        return "a wrong answer"


def tamper(temporary: TemporaryDevice) -> list[Observation]:
    """Change one bit of each sealed object in turn; what the disk is asked for is refused then, never used.

    A row that is not asked for in this use is found when it is read next: until then it changes nothing.
    """
    with _second(temporary, "tampered") as (second, person):
        digest = bytes.fromhex(next(second.device.records(person.name)).digest)
        second.stop()
        path = second.directory / STORE
        rows, answers, asked = _rows(path), dict[bytes, str](), dict[bytes, bool]()
        own = _rows(path, digest)
        for key in {*own}.union(rows[:: len(rows) // MAX_ROWS + 1]):
            _flip(path, key)
            second.requests.clear()
            answers[key] = _use(second, person)
            reads = (note.names for note in second.requests if note.operation is Operation.READ)
            asked[key] = any(name[1:] == key for names in reads for name in names)  # behind the letter of its table
            second.stop()
            _flip(path, key)
        whole = _use(second, person)
        wrong = [a for a in answers.values() if a == "a wrong answer"]
        kinds = {stored.name: stored.kind for stored in second.contents().objects}
        refused = {key: answer.startswith("store.") for key, answer in answers.items()}
        let_through = [kinds.get(key, "a row") for key in answers if asked[key] and not refused[key]]
        unread = [key for key in answers if not asked[key]]
        ended = [answers[key] for key in unread if answers[key]]
        opened = incidents(second.directory)
    return [
        Observation("there were rows to change", len(rows) > 0, str(len(rows))),
        Observation("a changed row never gives a wrong answer", not wrong, f"{len(wrong)} of {len(answers)}"),
        Observation("the person's own record is asked for, and refused when it was changed, and so is each other row "
                    "that is asked for", bool(own) and all(refused[key] for key in own) and not let_through,
                    ", ".join(let_through)),
        Observation("one that nobody asks for changes nothing", not ended, f"{', '.join(ended)} of {len(unread)}"),
        Observation("detection opens an incident", any(not i.acknowledged for i in opened)),
        Observation("with the byte put back the record works again", whole == "", whole),
    ]  # fmt: skip


def other_device(temporary: TemporaryDevice) -> list[Observation]:
    """Give this device's store to another device."""
    with _second(temporary, "origin") as (origin, person), _second(temporary, "thief") as (thief, _):
        origin.stop()
        thief.stop()
        for path in origin.directory.iterdir():
            if path.name.startswith((STORE, "rpmb.img", "names", "users")):
                shutil.copy(path, thief.directory / path.name)
        answer = _use(thief, person)
    return [Observation("another device cannot open the store", answer.startswith("store."), answer)]


def rollback(temporary: TemporaryDevice) -> list[Observation]:
    """Put an old copy of the store back after an erasure."""
    with _second(temporary, "rolled-back") as (second, person):
        second.stop()
        path = second.directory / STORE
        old = path.read_bytes()
        second.restart()
        second.device.erase(person.name, next(second.device.records(person.name)).record_id)
        second.stop()
        path.write_bytes(old)
        for side in (f"{STORE}-wal", f"{STORE}-shm"):
            (second.directory / side).unlink(missing_ok=True)
        answer = _use(second, person)
        opened = [i for i in incidents(second.directory) if i.cause.name == "ROLLED_BACK"]
    return [
        Observation("an old store does not open", answer.startswith("store."), answer),
        Observation("it opens an incident", len(opened) == 1),
    ]


def incident_parts(temporary: TemporaryDevice) -> list[Observation]:
    """The record that a detected change leaves."""
    with _second(temporary, "incident") as (second, person):
        second.stop()
        path = second.directory / STORE
        old = path.read_bytes()
        second.restart()
        second.person()
        second.stop()
        for key in _rows(path):
            _flip(path, key)
        answer = _use(second, person)
        opened = incidents(second.directory)
        second.stop()
        path.write_bytes(old)
        _use(second, person)
        both = incidents(second.directory)
        second.stop()
        told = [said(second, "notice")[1] for _ in range(2)]
    parts = [getattr(i.text, p) for i in opened for p in PARTS]
    odd = [f"{i.cause.name}: {p}" for i in both for p, said in zip(PARTS, INCIDENTS[i.cause], strict=True)
           if getattr(i.text, p) != said]  # fmt: skip
    return [
        Observation("the change is detected", answer.startswith("store."), answer),
        Observation("one incident is open", len(opened) == 1 and not opened[0].acknowledged, str(len(opened))),
        Observation(
            "each command tells of each open incident, and goes on telling",
            all(f"incident {i.number} is open" in said for said in told for i in both),
            " / ".join(told)[:200],
        ),
        Observation("it has situation, measures, advice and remedy", len(parts) == 4 and all(parts)),
        Observation("with the sentences that the policy has for it", not odd, ", ".join(odd)),
        Observation(
            "a second finding is an incident of its own",
            both[:1] == opened and len(both) == 2 and both[-1].cause is Cause.ROLLED_BACK and not both[-1].acknowledged,
            str(len(both)),
        ),
    ]


def wrong_user(temporary: TemporaryDevice) -> list[Observation]:
    """Use one person's record as another's."""
    owner, other = temporary.person(enrolled=True), temporary.person(enrolled=True)
    record = next(temporary.device.records(owner.name))
    erase = temporary.refusal(lambda: temporary.device.erase(other.name, record.record_id))
    return [
        Observation("another user cannot erase the record", erase == "record.unknown", erase),
        Observation(
            "it does not answer for another user", not temporary.device.authenticate(other.name, owner.sample()).match
        ),
        Observation("it answers for its own", temporary.device.authenticate(owner.name, owner.sample()).match),
    ]


def drawn_keys(temporary: TemporaryDevice) -> list[Observation]:
    """Collect the key of each object and page of a device that writes all records anew, again and again.

    Of 1000 keys out of 2^16 seven pairs are the same; with none among so many there are more than 2^18 (one in a
    thousand is let through there), and each bit of a key is set in half of them.
    """
    objects, pages, again = dict[bytes, bytes](), dict[bytes, bytes](), 0
    with _second(temporary, "drawn") as (second, _):
        for _ in range(PEOPLE):
            second.person(enrolled=True)
        for _ in range(MOST_ROUNDS):
            second.device.ask(RENEW_CODES, RenewCodes())
            contents = second.contents()
            for known, sealed in (
                (objects, [(o.key, o.ciphertext) for o in contents.objects]), (pages, contents.pages),
            ):  # fmt: skip
                again += sum(known.setdefault(key, ciphertext) != ciphertext for key, ciphertext in sealed)
            if again or len(objects) >= ENOUGH_KEYS:
                break
    found, shared = f"{len(objects)} keys of objects, {len(pages)} of pages", objects.keys() & pages
    return [
        Observation(f"at least {ENOUGH_KEYS} keys of objects were collected", len(objects) >= ENOUGH_KEYS, found),
        Observation("none of an object or a page stands for anything else too", not again and not shared,
                    f"{again} twice among {found}"),
        Observation("each bit of them is set in about half", all(_even(list(known)) for known in (objects, pages))),
    ]  # fmt: skip


def _even(keys: list[bytes]) -> bool:
    """Whether each of the 256 bits is set in half of the keys, within six standard deviations."""
    counts = [sum(key[bit // 8] >> bit % 8 & 1 for key in keys) for bit in range(256)]
    return all((2 * count - len(keys)) ** 2 <= 36 * len(keys) for count in counts)


TRIALS = (
    Trial(id="BG-STO-001", title="A changed byte is refused, never answered wrongly", run=tamper, turn=Turn.APART,
          limits="one bit in the middle of each object; tests/campaigns flips every byte by region"),
    Trial(id="BG-STO-002", title="Another device cannot open the store", run=other_device, turn=Turn.APART),
    Trial(id="BG-STO-003", title="An old copy of the store does not open", run=rollback, turn=Turn.APART,
          limits="who also restores the simulated RPMB image can go back: a phone has a chip there"),
    Trial(id="BG-STO-004", title="A record answers for its own user only", run=wrong_user),
    Trial(id="BG-STO-006", title="Every write of the store has a key of its own", run=drawn_keys, turn=Turn.APART,
          limits="keys out of fewer than 2^18 show; who can tell those of a larger set apart is not asked"),
    Trial(id="BG-POL-012", title="Tampering opens an incident with the four parts", run=incident_parts,
          turn=Turn.APART),
)  # fmt: skip
