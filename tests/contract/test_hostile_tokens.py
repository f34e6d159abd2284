"""An application of the product that turned hostile, and a client that helps it, get no token of their choice."""

import pytest

from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.keystore import KEYSTORE_UUID
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit, Person
from bioguard.evidence.attack.target import Target
from bioguard.records.tokens import AuthToken
from tee_sim.shared.errors import TeeError, TeeResult
from tests.contract import hostile_tokens as hostile
from tests.contract.hostile_tokens import HostileBiometric, HostileKeystore, Wish, turned

pytestmark = pytest.mark.usefixtures("fast_pins")


@pytest.fixture
def kit() -> Kit:
    HostileBiometric.got.clear()
    return Kit(Target(turned(manifests(), "biometric", HostileBiometric)))


def wish(kit: Kit, victim: Person, user: bytes) -> TeeResult | None:
    """None if it was answered."""
    try:
        kit.target.call(BIOMETRIC_UUID, hostile.WISH, Wish(owner=victim.secure_user_id, echo=77, user=user))
    except TeeError as error:
        return TeeResult(error.result)
    return None


@pytest.mark.parametrize("name", hostile.TRIES)
def test_it_gets_none(kit: Kit, name: str) -> None:
    accomplice, victim = kit.person(enrolled=True), kit.person()
    HostileBiometric.todo = staticmethod(hostile.TRIES[name])  # type: ignore[assignment]
    said = wish(kit, victim, accomplice.user)
    assert said is (TeeResult.TARGET_DEAD if name in hostile.PANICS else None)
    assert HostileBiometric.got in ([], [None])


def test_what_it_can_have_is_a_token_of_its_own_people_over_what_was_asked(kit: Kit) -> None:
    """The positive control, and the residual: without any match, of an enrolled person, and never of a PIN."""
    accomplice, victim = kit.person(enrolled=True), kit.person()
    HostileBiometric.todo = staticmethod(  # type: ignore[assignment]
        lambda env, wish: env.keys.state(
            "auth-token", object_id=b"S\1" + wish.user, echo=wish.echo.to_bytes(8, "little")
        )
    )
    assert wish(kit, victim, accomplice.user) is None
    (made,) = HostileBiometric.got
    assert isinstance(made, bytes)
    assert kit.target.is_genuine(made)
    token = AuthToken.from_bytes(made)
    assert (token.user_id, token.challenge, token.authenticator_type) == (accomplice.secure_user_id, 77, 2)
    assert wish(kit, victim, victim.user) is TeeResult.ITEM_NOT_FOUND, "nothing of hers is enrolled here"


def test_one_that_may_check_may_not_make() -> None:
    kit = Kit(Target(turned(manifests(), "keystore", HostileKeystore)))
    with pytest.raises(TeeError) as caught:
        kit.target.call(KEYSTORE_UUID, hostile.WISH, Wish(owner=1, echo=2, user=bytes(16)))
    assert caught.value.result is TeeResult.ACCESS_DENIED


def test_the_three_manifests_say_what_each_may_have_made() -> None:
    layouts = {m.name: ([s.parts for s in m.statements], m.shared_keys) for m in manifests()}
    pin = ("00", "echo:8", "id:8", "0000000000000000", "00000001", "time:8")
    match = ("00", "echo:8", "id:8", "id:8", "00000002", "time:8")
    assert layouts["gatekeeper"] == ([pin], ())
    assert layouts["biometric"] == ([match], ("auth-token",))
    assert layouts["keystore"] == ([], ("auth-token",))
