"""Whether a user has a PIN: asked of Gatekeeper in the secure world, never of the caller."""

from pathlib import Path

import pytest

from bioguard.commands.gatekeeper import HasPin, PinHeld
from bioguard.commands.status import GatekeeperStatus
from bioguard.trusted.sensor.pins import GatekeeperPins
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.ta_api import NoPeers

ALICE, BOB = b"A" * 16, b"B" * 16
OK = GatekeeperStatus.OK


def test_gatekeeper_says_who_has_a_pin_and_which(world) -> None:
    assert world.held(ALICE) == world.held(ALICE, 1) == PinHeld(status=OK)
    first = world.set_pin(ALICE)
    assert world.held(ALICE, first) == PinHeld(status=OK, has_pin=True, is_current=True)
    assert world.held(ALICE, first ^ 1) == world.held(ALICE) == PinHeld(status=OK, has_pin=True)
    assert world.held(BOB, first) == PinHeld(status=OK)
    second = world.set_pin(ALICE)
    assert not world.held(ALICE, first).is_current
    assert world.held(ALICE, second).is_current
    world.gatekeeper.delete_user(ALICE)
    assert world.held(ALICE, second) == PinHeld(status=OK)


def test_asking_counts_nothing_and_writes_nothing(world) -> None:
    world.set_pin(ALICE)
    before, writes = dict(world.pins.rows), len(world.pins.writes)
    world.gatekeeper.has_pin(HasPin(user=ALICE, secure_user_id=7))
    assert (world.pins.rows, len(world.pins.writes)) == (before, writes)


class Peers:
    """A Gatekeeper that answers this, or fails with that."""

    def __init__(self, answer: PinHeld | TeeResult, *, at: str = "call") -> None:
        self.answer, self.at = answer, at

    def open_session(self, uuid, params=None):
        self._fail("open")
        return self

    def call(self, command, request):
        self._fail("call")
        return self.answer

    def _fail(self, at: str) -> None:
        if isinstance(self.answer, TeeResult) and self.at == at:
            raise TeeError(self.answer, "no")

    def __enter__(self):
        return self

    def __exit__(self, *exc) -> None: ...


@pytest.mark.parametrize("at", ["open", "call"])
@pytest.mark.parametrize("result", [TeeResult.TARGET_DEAD, TeeResult.BUSY, TeeResult.CORRUPT_OBJECT])
def test_no_answer_is_not_no_pin(at: str, result: TeeResult) -> None:
    with pytest.raises(TeeError, match=f"^Gatekeeper answers {result.name}") as caught:
        GatekeeperPins(Peers(result, at=at))(ALICE)
    assert caught.value.result is TeeResult.COMMUNICATION


def test_a_refusal_and_a_missing_permission_are_no_answer_either() -> None:
    for peers in (Peers(PinHeld(status=GatekeeperStatus.NOT_IMPLEMENTED)), NoPeers()):
        with pytest.raises(TeeError) as caught:
            GatekeeperPins(peers)(ALICE)
        assert caught.value.result is TeeResult.COMMUNICATION


def test_only_the_biometric_application_calls_and_only_gatekeeper() -> None:
    import bioguard.trusted

    root = Path(bioguard.trusted.__file__).parent
    manifests = [Manifest.from_toml(path.read_text("utf-8")) for path in sorted(root.glob("*/manifest.toml"))]
    ids = {manifest.uuid: manifest.name for manifest in manifests}
    assert {m.name: [ids[uuid] for uuid in m.calls] for m in manifests} == {
        "biometric": ["gatekeeper"],
        "gatekeeper": [],
        "keystore": [],
    }
