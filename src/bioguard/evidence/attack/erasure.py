"""Attacks on erasure and correction: make another person's records go away, or change, without their PIN."""

from collections.abc import Callable, Iterator

from bioguard.commands import biometric
from bioguard.commands.biometric import BIOMETRIC_UUID, EraseAuthorization
from bioguard.commands.status import ReplyStatus
from bioguard.evidence.attack.kit import Attack, Kit, Person

SOURCE = "policy POL-13"


def _tokens(kit: Kit, victim: Person) -> Iterator[tuple[str, bytes]]:
    """What a thief may hold: nothing, made-up bytes, the thief's own PIN, the victim's face."""
    yield "without a token", b""
    yield "with a made-up token", bytes(69)
    yield "with another user's PIN", kit.pin_token(kit.person())
    yield "with a face instead of the PIN", kit.match_token(victim)


def _tries(kit: Kit, attempt: Callable[[Person, bytes], ReplyStatus]) -> str | None:
    victim = kit.person(enrolled=True)
    for what, token in _tokens(kit, victim):
        status = attempt(victim, token)
        if status is not ReplyStatus.TOKEN_REFUSED:
            return f"it gets past the token check {what} ({status.name})"
    return None


def _record(kit: Kit, person: Person) -> bytes:
    page = kit.ask(BIOMETRIC_UUID, biometric.LIST, biometric.ListRecords(user=person.user))
    return page.records[0].record_id


def erase_without_pin(kit: Kit) -> str | None:
    """Erase a record of somebody with a PIN."""

    def attempt(victim: Person, token: bytes) -> ReplyStatus:
        request = biometric.Erase(
            user=victim.user, record_id=_record(kit, victim), leave=EraseAuthorization(token=token)
        )
        return kit.target.call(BIOMETRIC_UUID, biometric.ERASE, request).status

    return _tries(kit, attempt)


def remove_without_pin(kit: Kit) -> str | None:
    """Remove somebody with a PIN."""

    def attempt(victim: Person, token: bytes) -> ReplyStatus:
        request = biometric.RemoveUser(user=victim.user, leave=EraseAuthorization(token=token))
        return kit.target.call(BIOMETRIC_UUID, biometric.REMOVE_USER, request).status

    return _tries(kit, attempt)


def relabel_without_pin(kit: Kit) -> str | None:
    """Say that a record of somebody with a PIN is of another finger."""

    def attempt(victim: Person, token: bytes) -> ReplyStatus:
        request = biometric.Relabel(user=victim.user, record_id=_record(kit, victim), position=1, token=token)
        return kit.target.call(BIOMETRIC_UUID, biometric.RELABEL, request).status

    return _tries(kit, attempt)


ATTACKS = (
    Attack("erase.without-pin", "erase another person's record", SOURCE, erase_without_pin),
    Attack("erase.remove-user", "remove another person", SOURCE, remove_without_pin),
    Attack("erase.relabel", "relabel another person's record", SOURCE, relabel_without_pin),
)
