"""Attacks on the rate of a decision: chosen by a caller, by who makes the device, or later."""

from collections.abc import Callable

from bioguard.commands import biometric
from bioguard.commands.biometric import BIOMETRIC_UUID, EraseAuthorization
from bioguard.commands.configuration import CONFIGURE, Configuration, LockoutChoice
from bioguard.commands.status import ReplyStatus
from bioguard.evidence.attack.kit import Attack, Kit, SetupError

CDD = "CDD 7.3.10, Class 3"
ORACLE = "ISO/IEC 30107, CWE-203"
OURS = "docs/android-contract.md section 5"
LIMIT = 5
MANY = 25
LOOSE = (2, 4, 10, 100, 1_000, 10_000, 49_999)
"""Rates 1/N that no sensor of Class 3 may decide at."""


def loose_token(kit: Kit) -> str | None:
    """Ask for a token at a rate at which strangers pass."""
    victim = kit.person(enrolled=True)
    sample = kit.beside(victim)
    for inverse in LOOSE:
        answer = kit.authenticate(victim, sample, 7, fmr_inverse=inverse)
        if answer.token:
            return f"a token is given at a false match rate of 1/{inverse}, chosen by the caller"
        kit.match_token(victim)
    return None


def loose_match(kit: Kit) -> str | None:
    """Choose the rate, and read the score off the rate at which the answer turns."""
    victim = kit.person(enrolled=True)
    sample = kit.beside(victim)
    for inverse in LOOSE:
        if kit.authenticate(victim, sample, fmr_inverse=inverse).match:
            return f"a claim is decided at 1/{inverse}, chosen by the caller"
        kit.match_token(victim)
    return None


def loose_clears(kit: Kit) -> str | None:
    """Put a match at a loose rate between strict misses."""
    victim = kit.person(enrolled=True)
    sample = kit.beside(victim)
    for inverse in LOOSE:
        for _ in range(LIMIT + 3):
            kit.authenticate(victim, kit.sample(kit.direction()))
            kit.authenticate(victim, sample, fmr_inverse=inverse)
            if kit.locked(victim):
                break
        else:
            return f"{LIMIT + 3} failed attempts without a lockout, between matches at 1/{inverse}"
        if not kit.reset_lockout(victim, kit.pin_token(victim)):
            raise SetupError("the right PIN does not end a lockout")
    return None


def loose_search(kit: Kit) -> str | None:
    """Choose the rate of a search."""
    victim = kit.person(enrolled=True)
    sample = kit.beside(victim)
    kit.need_search(victim)
    for inverse in LOOSE:
        if kit.identify(sample, fpir_inverse=inverse).match:
            return f"a search names somebody at 1/{inverse}, chosen by the caller"
        kit.reset_lockout(victim, kit.pin_token(victim))
    return None


def small_gallery(kit: Kit) -> str | None:
    """Search among one person: a rate for the whole search lets a single comparison pass easily."""
    victim = kit.person(enrolled=True)
    sample = kit.beside(victim)
    kit.need_search(victim)
    claimed = kit.authenticate(victim, sample).match
    return "a search names somebody whom a claim refuses" if kit.identify(sample).match and not claimed else None


def configure_again(kit: Kit) -> str | None:
    """Weaken a device that people trust already, or after the last one has left."""
    weaker = Configuration(lockout=LockoutChoice.ANDROID_11, require_pin=False, for_testing=True)
    person = kit.person(enrolled=True)
    for when in ("while people are enrolled", "after everybody has left", "after a restart"):
        if kit.target.call(BIOMETRIC_UUID, CONFIGURE, weaker).status is ReplyStatus.OK:
            return f"a device is made anew {when}"
        if when == "while people are enrolled":
            removal = biometric.RemoveUser(user=person.user, leave=EraseAuthorization(by_operator=True))
            kit.need(kit.target.call(BIOMETRIC_UUID, biometric.REMOVE_USER, removal).status, "removal of a user")
        else:
            kit.target.restart()
    return None


def configure_loose(kit: Kit) -> str | None:
    """Make a device that decides at a loose rate and gives tokens all the same."""
    for inverse in LOOSE:
        other = Kit(type(kit.target)(kit.target.manifests), configuration=None)
        wanted = Configuration(fmr_inverse=inverse)
        if other.target.call(BIOMETRIC_UUID, CONFIGURE, wanted).status is ReplyStatus.OK:
            return f"a device is made that decides at 1/{inverse}"
    return None


def _laboratory(kit: Kit) -> Kit:
    """A device for testing, of the same applications."""
    return Kit(type(kit.target)(kit.target.manifests), configuration=Configuration(for_testing=True))


def testing_token(kit: Kit) -> str | None:
    """Get a token of a device for testing."""
    testing = _laboratory(kit)
    person = testing.person(enrolled=True)
    for inverse in (0, 50_000, *LOOSE):
        if testing.authenticate(person, testing.sample(person.face), 7, fmr_inverse=inverse).token:
            return f"a device for testing gives a token, asked at 1/{inverse}" if inverse else "it gives a token"
    return None


def testing_clears(kit: Kit) -> str | None:
    """On a device for testing, clear a counter with matches at a loose rate."""
    testing = _laboratory(kit)
    victim = testing.person(enrolled=True)
    for _ in range(MANY):
        testing.authenticate(victim, testing.sample(testing.direction()))
        testing.authenticate(victim, testing.sample(victim.face), fmr_inverse=100)
        if testing.locked(victim):
            return None
    return f"{MANY} failed attempts without a lockout, between matches at 1/100"


_TABLE: tuple[tuple[str, str, str, Callable[[Kit], str | None]], ...] = (
    ("rate.loose-token", "get a token at a rate of the caller's choice", CDD, loose_token),
    ("rate.loose-match", "read a score off the rates at which it matches", ORACLE, loose_match),
    ("rate.loose-clears", "clear the counter with a match at a loose rate", CDD, loose_clears),
    ("rate.loose-search", "search at a rate of the caller's choice", ORACLE, loose_search),
    ("rate.small-gallery", "search among few people", CDD, small_gallery),
    ("configure.again", "weaken a device later", OURS, configure_again),
    ("configure.loose", "make a device that decides at a loose rate", CDD, configure_loose),
    ("testing.token", "get a token of a device for testing", OURS, testing_token),
    ("testing.clears", "clear a counter of a device for testing", OURS, testing_clears),
)
ATTACKS = tuple(Attack(*row) for row in _TABLE)
