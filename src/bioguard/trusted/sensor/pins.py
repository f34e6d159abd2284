"""Check that a token is of the PIN that a user has now. Every trusted rule that wants the person asks here.

Enforces: departures 1 to 3 of docs/android-contract.md section 5 (type PASSWORD, the present PIN, not from the future),
POL-09 and POL-13. Whether a user has a PIN, and which, is asked of Gatekeeper: a caller who says that a user has none
is no evidence.

Does not promise: that the person is at the device, only that whoever is there knew the PIN when the token was made.
"""

from typing import Protocol

from bioguard.commands.gatekeeper import GATEKEEPER_UUID, HAS_PIN, HasPin, PinHeld
from bioguard.commands.status import GatekeeperStatus
from bioguard.records.tokens import AuthenticatorType, AuthToken, Check, TokenUnusable, verified_token
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.ta_api import Peers


class Pins(Protocol):
    """Whether a user has a PIN, and whether `secure_user_id` is the present one's."""

    def __call__(self, user: bytes, secure_user_id: int = 0) -> PinHeld: ...


def check_pin_token(
    data: bytes, *, user: bytes, check: Check, now_ms: int, pins: Pins, max_age_ms: int | None = None
) -> AuthToken:
    """Check a token of the PIN that this user has now.

    Args:
        check: whether a MAC is that of this boot.
        max_age_ms: None where a live challenge in the token says that it is recent.

    Raises:
        TokenUnusable: whatever is wrong.
    """
    # 1. Of this device and boot, unchanged: before that no field of it means anything.
    token = verified_token(data, check, now_ms=now_ms)
    # 2. Made from a PIN. A finger must not add a finger, or end its own lockout (`enroll.biometric-token`).
    if token.authenticator_type != AuthenticatorType.PASSWORD or not token.user_id:
        raise TokenUnusable
    # 3. Recent (POL-13: minutes, not the day).
    if max_age_ms is not None and now_ms - token.timestamp_ms > max_age_ms:
        raise TokenUnusable
    # 4. Of this user's present PIN: otherwise anybody's would do (`consent.other-pin`). Last, as it is the only step
    #    that asks another application.
    if not pins(user, token.user_id).is_current:
        raise TokenUnusable
    return token


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
