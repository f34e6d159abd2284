"""Is this the person? A PIN token of the user, recent, bound to the user's book at its first use."""

from collections.abc import Callable

from bioguard.commands.biometric import Status
from bioguard.commands.policy import RIGHTS_TOKEN_AGE_MS
from bioguard.errors import InputRefused, NotPermitted
from bioguard.records.tokens import AuthenticatorType, AuthToken
from bioguard.trusted.refusal import Refused
from bioguard.trusted.sensor.pins import Pins
from tee_sim.shared.clock import Clock


class Identity:
    """Checks PIN tokens.

    Args:
        token_key: gives the token key of this boot; asked each time, never kept.
        pins: which users have a PIN, and which one.
    """

    def __init__(self, clock: Clock, token_key: Callable[[], bytes], pins: Pins) -> None:
        self._clock = clock
        self._token_key = token_key
        self._pins = pins

    def owner(self, user: bytes, bound: int, token: bytes, *, required: bool) -> int:
        """The secure user id that this user's book belongs to after the request; 0: still nobody's.

        Args:
            bound: the one it belongs to before, 0 for nobody's.
            required: whether a token is needed even while it is nobody's.

        Raises:
            Refused: TOKEN_REFUSED, one answer for all that is wrong with a token; NOT_OWNER to the user who has shown
                the PIN, when what is here belongs to an earlier one.
        """
        if not token:
            if required or bound:
                raise Refused(Status.TOKEN_REFUSED)
            return 0
        try:
            seen = AuthToken.from_bytes(token).verify(self._token_key())
        except (InputRefused, NotPermitted):
            raise Refused(Status.TOKEN_REFUSED) from None
        age_ms = self._clock.boot_ms() - seen.timestamp_ms
        fresh = 0 <= age_ms <= RIGHTS_TOKEN_AGE_MS
        from_pin = seen.authenticator_type == AuthenticatorType.PASSWORD and seen.user_id != 0
        # Without asking, the PIN of anybody would do at the first use, and the book would be theirs from then on.
        if not fresh or not from_pin or not self._pins(user, seen.user_id).is_current:
            raise Refused(Status.TOKEN_REFUSED)
        if bound not in (0, seen.user_id):
            raise Refused(Status.NOT_OWNER)
        return seen.user_id
