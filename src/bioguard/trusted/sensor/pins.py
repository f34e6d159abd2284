"""What Gatekeeper knows of a user's PIN. Asked there: a caller who says that a user has no PIN is no evidence."""

from typing import Protocol

from bioguard.commands.gatekeeper import GATEKEEPER_UUID, HAS_PIN, GatekeeperStatus, HasPin, PinHeld
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.ta_api import Peers


class Pins(Protocol):
    """Whether a user has a PIN, and whether `secure_user_id` is the present one's."""

    def __call__(self, user: bytes, secure_user_id: int = 0) -> PinHeld: ...


class GatekeeperPins:
    """`Pins` of the Gatekeeper application of this secure world."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def __call__(self, user: bytes, secure_user_id: int = 0) -> PinHeld:
        """Ask.

        Raises:
            TeeError: COMMUNICATION when there is no answer, whatever the reason: no answer is not "no PIN", and a dead
                Gatekeeper is not this application's death.
        """
        try:
            with self._peers.open_session(GATEKEEPER_UUID) as session:
                held = session.call(HAS_PIN, HasPin(user=user, secure_user_id=secure_user_id))
        except TeeError as error:
            raise _no_answer(error.result.name) from None
        if held.status is not GatekeeperStatus.OK:
            raise _no_answer(held.status.name)
        return held


def _no_answer(name: str) -> TeeError:
    return TeeError(TeeResult.COMMUNICATION, f"Gatekeeper answers {name}", origin=Origin.TRUSTED_APP)
