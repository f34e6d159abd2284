"""Is this the person? A PIN token of the user, recent, bound to the user's book at its first use."""

from collections.abc import Callable

from bioguard.commands.policy import RIGHTS_TOKEN_AGE_MS
from bioguard.errors import InputRefused, NotPermitted
from bioguard.records.grants import ConsentBook
from bioguard.records.tokens import AuthenticatorType, AuthToken
from tee_sim.clock import Clock

__all__ = ["Identity"]


class Identity:
    """Checks PIN tokens.

    Args:
        token_key: gives the token key of this boot; asked each time, never kept.
    """

    def __init__(self, clock: Clock, token_key: Callable[[], bytes]) -> None:
        self._clock = clock
        self._token_key = token_key

    def owner(self, book: ConsentBook, token: bytes, *, required: bool) -> int | None:
        """The secure user id the book belongs to after this request (0: still nobody's), or None: refused.

        Args:
            required: whether a token is needed even while the book is bound to nobody.
        """
        if not token:
            return None if required or book.secure_user_id else 0
        try:
            seen = AuthToken.from_bytes(token).verify(self._token_key())
        except (InputRefused, NotPermitted):
            return None
        age_ms = self._clock.boot_ms() - seen.timestamp_ms
        fresh = 0 <= age_ms <= RIGHTS_TOKEN_AGE_MS
        from_pin = seen.authenticator_type == AuthenticatorType.PASSWORD and seen.user_id != 0
        same = book.secure_user_id in (0, seen.user_id)
        return seen.user_id if fresh and from_pin and same else None
