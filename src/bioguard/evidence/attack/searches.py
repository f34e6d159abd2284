"""Attacks by many decisions: searches that nobody counts, and what many answers together tell about a face.

Thresholds are public and the population is known, so an attacker can lay a sample at any cosine from a face once its
own face has shown where the border lies.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from bioguard.commands import biometric
from bioguard.commands.status import ReplyStatus
from bioguard.evidence.attack.kit import BESIDE, Attack, Kit, Person, SetupError
from bioguard.records import FaceEmbedding
from tee_sim.shared.errors import TeeError

ORACLE = "ISO/IEC 30107, CWE-203"
OURS = "docs/android-contract.md section 5"
LIMIT = 5
MANY = 25
TRIES = 40


def _searches(kit: Kit, count: int) -> Iterator[biometric.Identified]:
    for _ in range(count):
        yield kit.identify(kit.sample(kit.direction()))


def search_uncounted(kit: Kit) -> str | None:
    """Search with one stranger after the other."""
    victim = kit.person(enrolled=True)
    kit.need_search(victim)
    if all(answer.status is ReplyStatus.OK for answer in _searches(kit, MANY)):
        return f"{MANY} searches that found nobody, and none was refused"
    return None


def search_own_match(kit: Kit) -> str | None:
    """Clear the counter of searches with the attacker's own face."""
    kit.person(enrolled=True)
    attacker = kit.person(enrolled=True)
    for number in range(MANY):
        kit.need_search(attacker)
        kit.match_token(attacker)
        (answer,) = _searches(kit, 1)
        if answer.status is not ReplyStatus.OK or kit.search_locked():
            return None if number >= LIMIT - 1 else "searches are refused too early"
    return f"{MANY} searches that found nobody, between matches of the attacker"


def search_while_locked(kit: Kit) -> str | None:
    """Search with the right face while searches are locked."""
    victim = kit.person(enrolled=True)
    list(_searches(kit, LIMIT))
    return "a locked sensor names somebody" if kit.identify(kit.sample(victim.face)).match else None


def search_for_the_locked(kit: Kit) -> str | None:
    """Search for somebody whose own sensor is locked."""
    victim = kit.person(enrolled=True)
    kit.need_search(victim)
    for _ in range(LIMIT):
        kit.authenticate(victim, kit.sample(kit.direction()))
    return "a search names who is locked out" if kit.identify(kit.sample(victim.face)).match else None


def search_guest_pin(kit: Kit) -> str | None:
    """End the lock of searches with the PIN of somebody who is not enrolled on this sensor."""
    kit.person(enrolled=True)
    guest = kit.person(b"guest")
    list(_searches(kit, LIMIT))
    kit.reset_lockout(guest, kit.pin_token(guest))
    return None if kit.search_locked() else "the PIN of somebody without a face here ends the lock of searches"


def search_restart(kit: Kit) -> str | None:
    """Restart the application, or cut the power while it answers, before searches are locked."""
    kit.person(enrolled=True)
    for number in range(MANY):
        kit.target.disk.cut_after = 1 if number % 2 else None
        with suppress(TeeError):
            list(_searches(kit, 1))
        kit.target.restart()
        if kit.search_locked():
            return None
    return f"{MANY} searches that found nobody, between restarts"


Remedy = Callable[[], None]
Preparing = Callable[[Kit, Person], Remedy]


def _walk(prepare: Preparing, told: str, *, search: bool = False) -> Callable[[Kit], str | None]:
    """An attack that shows samples a little inside the border again and again, and does what may renew the budget.

    Args:
        prepare: of the kit and the victim; gives what is done before each lockout.
    """

    def play(kit: Kit) -> str | None:
        victim = kit.person(enrolled=True)
        inside, remedy = kit.border() + BESIDE, prepare(kit, victim)
        accepted = 0
        for number in range(TRIES):
            sample = kit.near(victim.face, inside)
            answer = kit.identify(sample) if search else kit.authenticate(victim, sample)
            accepted += answer.match
            if number % LIMIT == LIMIT - 2:
                remedy()
        if not accepted:
            raise SetupError("no sample inside the border is accepted")
        return f"{accepted} answers along the border, {told}" if accepted >= MANY else None

    return play


def _pin(kit: Kit, victim: Person) -> Remedy:
    def act() -> None:
        if not kit.reset_lockout(victim, kit.pin_token(victim)):
            raise SetupError("the right PIN does not end a lockout")

    return act


def _restart(kit: Kit, victim: Person) -> Remedy:
    pin = _pin(kit, victim)

    def act() -> None:
        pin()
        kit.target.restart()

    return act


def _other_person(kit: Kit, victim: Person) -> Remedy:
    pin, attacker = _pin(kit, victim), kit.person(enrolled=True)

    def act() -> None:
        pin()
        kit.match_token(attacker)
        kit.need_search(attacker)

    return act


def _own_record(kit: Kit, victim: Person) -> Remedy:
    """The attacker has the PIN and enrolls a face of their own in the victim's account."""
    pin, own = _pin(kit, victim), -victim.face
    token = kit.pin_token(victim, kit.challenge(victim))
    kit.need(kit.enroll(victim, token, face=own), "a second face")

    def act() -> None:
        pin()
        if not kit.authenticate(victim, kit.sample(own)).match:
            raise SetupError("a second face is not accepted")

    return act


def beside_the_victim(kit: Kit) -> str | None:
    """Enroll a face beside the victim's: searches that name it are given back, and ask whether the victim beats it."""
    victim, attacker = kit.person(enrolled=True), kit.person()
    kit.need_search(victim)
    beside = FaceEmbedding.from_bytes(kit.near(victim.face, kit.border() + BESIDE)).vector.astype(float)
    kit.need(kit.enroll(attacker, kit.pin_token(attacker, kit.challenge(attacker)), face=beside), "a face beside it")
    for _ in range(MANY):
        if kit.identify(kit.sample(beside)).user != attacker.user:
            raise SetupError("a search does not find the face beside it")
    if kit.identify(kit.sample(victim.face)).user == victim.user:
        return f"{MANY} searches around a face, and the next one may still name it"
    return None


def watch_the_disk(kit: Kit) -> str | None:
    """Watch what a refused claim or search asks of the disk, near the border and far from it."""
    victim = kit.person(enrolled=True)
    near, far = kit.beside(victim), kit.sample(kit.direction())
    own = kit.sample(victim.face)
    acts: tuple[tuple[str, Callable[[bytes], object]], ...] = (
        ("claim", lambda sample: kit.authenticate(victim, sample)),
        ("search", kit.identify),
    )
    for name, act in acts:
        for _ in range(2):  # what is read once, and whoever is here for the first time, has its own shape
            act(own)
        one, other, *others = [_asked(kit, act, sample, after=own) for sample in (far, far, near, near)]
        steady = [a if a == b else None for a, b in zip(one, other, strict=False)]
        if len(one) == len(other) and any(not _fits(seen, steady) for seen in others):
            return f"the requests to the disk tell how near a refused {name} was"
    return None


def _asked(kit: Kit, act: Callable[[bytes], object], sample: bytes, *, after: bytes) -> list[tuple[str, bytes, int]]:
    """What was read and written, in order, with the sizes; after a match, so that each begins from the same state."""
    act(after)
    before = len(kit.target.disk.traffic)
    act(sample)
    return kit.target.disk.traffic[before:]


def _fits(seen: list[tuple[str, bytes, int]], steady: list[tuple[str, bytes, int] | None]) -> bool:
    """Whether everything is there that does not change by itself from one decision to the next."""
    same = all(b is None or a == b for a, b in zip(seen, steady, strict=False))
    return len(seen) == len(steady) and same


_TABLE: tuple[tuple[str, str, str, Callable[[Kit], str | None]], ...] = (
    ("search.uncounted", "search with one stranger after the other", ORACLE, search_uncounted),
    ("search.own-match", "clear the counter of searches with the own face", OURS, search_own_match),
    ("search.while-locked", "search while searches are locked", OURS, search_while_locked),
    ("search.for-the-locked", "search for somebody who is locked out", OURS, search_for_the_locked),
    ("search.guest-pin", "unlock searches with the PIN of somebody not enrolled", OURS, search_guest_pin),
    ("search.restart", "restart before searches are locked", OURS, search_restart),
    ("exposure.walk", "walk along the threshold, with the PIN", ORACLE, _walk(_pin, "with the PIN in between")),
    (
        "exposure.search",
        "walk along the threshold of a search",
        ORACLE,
        _walk(_pin, "by searches, with the PIN in between", search=True),
    ),
    ("exposure.restart", "walk on after a restart", ORACLE, _walk(_restart, "with restarts in between")),
    (
        "exposure.other-person",
        "walk on after a match of another person",
        ORACLE,
        _walk(_other_person, "with matches of another person in between"),
    ),
    (
        "exposure.own-record",
        "walk on after a match of an own face in the same account",
        ORACLE,
        _walk(_own_record, "with matches of an own face in between"),
    ),
    ("exposure.beside", "search from an own face enrolled beside the victim's", ORACLE, beside_the_victim),
    ("disk.watch-decisions", "watch what a decision asks of the disk", ORACLE, watch_the_disk),
)
ATTACKS = tuple(Attack(*row) for row in _TABLE)
