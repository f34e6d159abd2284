"""The framework's rules for keys: which secure ids go into one, and whether a token can ever release it again.

Normal world, as in Android (KeyStore2ParameterUtils, KeyStoreCryptoOperationUtils); Keystore itself answers -26 only.
"""

from collections.abc import Collection, Sequence
from enum import Enum, unique

from bioguard.errors import NotPermitted


def binding_ids(
    *, root_sid: int, authenticator_ids: Sequence[int], biometric_only: bool, invalidated_by_enrollment: bool
) -> tuple[int, ...]:
    """Secure ids to put into a new key (framework KeyStore2ParameterUtils).

    Raises:
        NotPermitted: a biometric-only key while nothing is enrolled.
    """
    enrolled = tuple(i for i in authenticator_ids if i)
    if not biometric_only:
        return (root_sid,)
    if not enrolled:
        raise NotPermitted(
            "a key for biometrics only needs an enrollment",
            hint="enroll a finger or face first",
            code="key.not_enrolled",
        )
    return enrolled if invalidated_by_enrollment else (root_sid,)


@unique
class KeyVerdict(Enum):
    """What the framework reports to an app after -26."""

    USABLE = "usable"
    PERMANENTLY_INVALIDATED = "permanently invalidated"


def key_verdict(secure_ids: Collection[int], *, root_sid: int, authenticator_ids: Collection[int]) -> KeyVerdict:
    """Whether a token can ever release the key again (framework KeyStoreCryptoOperationUtils).

    Usable if bound to the PIN's secure id, or to every current authenticator id. With nothing enrolled the second rule
    would hold of itself; we require at least one id: nothing enrolled can release nothing.
    """
    current = {i for i in authenticator_ids if i}
    if root_sid in secure_ids or (current and current <= set(secure_ids)):
        return KeyVerdict.USABLE
    return KeyVerdict.PERMANENTLY_INVALIDATED
