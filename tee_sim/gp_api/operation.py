"""One operation: what it is for, which keys it has, what state it is in, and which call is allowed in which state.

The states are those of TEE Internal Core API 1.3.1, section 6.2, and one more: an operation of authenticated encryption
stays *initial* between TEE_AEInit and the first payload, which is where its associated data belongs (6.6.1 to 6.6.3).
"""

from collections.abc import Mapping
from enum import Enum, unique
from typing import Final, Protocol, Self

from tee_sim.gp_api.algorithm import Algorithm, Kind, Mode
from tee_sim.gp_api.words import breach_unless
from tee_sim.gp_objects.keys import Key
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.gp_functions import Function


@unique
class State(Enum):
    """TEE_OPERATION_STATE_*, with the number that TEE_GetOperationInfoMultiple says."""

    INITIAL = "initial"
    STARTED = "started"
    """Of authenticated encryption: TEE_AEInit was called, and no payload came yet."""
    ACTIVE = "active"
    EXTRACTING = "extracting"

    @property
    def number(self) -> int:
        """What an application sees of it."""
        return {State.INITIAL: 0, State.STARTED: 0, State.ACTIVE: 1, State.EXTRACTING: 2}[self]


class Work(Protocol):
    """What an operation computes, from where its data began: bytes of the cipher, hash or MAC."""

    def copy(self) -> Self:
        """The same, from here on its own. Raises BreachError where that is not possible."""
        ...


class Operation:
    """One of an instance.

    Attributes:
        keys: none, one or two.
        work: of the kind that its class computes; None in the initial state.
        tag_bytes: of authenticated encryption, as TEE_AEInit was told.
    """

    def __init__(self, algorithm: Algorithm, mode: Mode, max_bits: int) -> None:
        self.algorithm = algorithm
        self.mode = mode
        self.max_bits = max_bits
        self.keys: tuple[Key, ...] = ()
        self.state = State.INITIAL
        self.work: Work | None = None
        self.tag_bytes = 0

    @property
    def has_key(self) -> bool:
        """A key is set, or none is wanted."""
        return bool(self.keys) or not self.algorithm.keys

    def start(self, state: State, work: Work) -> None:
        """Begin to compute."""
        self.state, self.work = state, work

    def end(self) -> None:
        """Back to the initial state; the keys stay."""
        self.state, self.work = State.INITIAL, None


@dataclass(frozen=True, slots=True)
class Call:
    """When a function may be called.

    Attributes:
        kind: of the operation.
        states: that it may be in.
        mode: that it must have; None for any.
    """

    kind: Kind
    states: frozenset[State]
    mode: Mode | None = None


_INITIAL = frozenset({State.INITIAL})
_ACTIVE = frozenset({State.ACTIVE})
_FEEDING = _INITIAL | _ACTIVE
_STARTED = frozenset({State.STARTED})
_F, _K = Function, Kind

CALLS: Final[Mapping[Function, Call]] = {
    _F.DIGEST_UPDATE: Call(_K.DIGEST, _FEEDING),
    _F.DIGEST_DO_FINAL: Call(_K.DIGEST, _FEEDING | {State.EXTRACTING}),
    _F.DIGEST_EXTRACT: Call(_K.DIGEST, _FEEDING | {State.EXTRACTING}),
    _F.CIPHER_INIT: Call(_K.CIPHER, _FEEDING),
    _F.CIPHER_UPDATE: Call(_K.CIPHER, _ACTIVE),
    _F.CIPHER_DO_FINAL: Call(_K.CIPHER, _ACTIVE),
    _F.MAC_INIT: Call(_K.MAC, _FEEDING),
    _F.MAC_UPDATE: Call(_K.MAC, _ACTIVE),
    _F.MAC_COMPUTE_FINAL: Call(_K.MAC, _ACTIVE),
    _F.MAC_COMPARE_FINAL: Call(_K.MAC, _ACTIVE),
    _F.AE_INIT: Call(_K.AE, _INITIAL | _STARTED),
    _F.AE_UPDATE_AAD: Call(_K.AE, _STARTED),
    _F.AE_UPDATE: Call(_K.AE, _STARTED | _ACTIVE),
    _F.AE_ENCRYPT_FINAL: Call(_K.AE, _STARTED | _ACTIVE, Mode.ENCRYPT),
    _F.AE_DECRYPT_FINAL: Call(_K.AE, _STARTED | _ACTIVE, Mode.DECRYPT),
    _F.ASYMMETRIC_ENCRYPT: Call(_K.ASYMMETRIC_CIPHER, _INITIAL, Mode.ENCRYPT),
    _F.ASYMMETRIC_DECRYPT: Call(_K.ASYMMETRIC_CIPHER, _INITIAL, Mode.DECRYPT),
    _F.ASYMMETRIC_SIGN_DIGEST: Call(_K.ASYMMETRIC_SIGNATURE, _INITIAL, Mode.SIGN),
    _F.ASYMMETRIC_VERIFY_DIGEST: Call(_K.ASYMMETRIC_SIGNATURE, _INITIAL, Mode.VERIFY),
    _F.DERIVE_KEY: Call(_K.KEY_DERIVATION, _INITIAL, Mode.DERIVE),
}
"""Every other call is a programming mistake, which is a panic; so is one without a key (sections 6.3 to 6.8)."""


def allow(function: Function, operation: Operation) -> None:
    """Panics (BreachError) for a call that is not in the table."""
    call = CALLS[function]
    breach_unless(operation.algorithm.kind is call.kind, "the operation is of another class")
    breach_unless(call.mode in (None, operation.mode), "the operation has another mode")
    breach_unless(operation.has_key, "the operation has no key")
    breach_unless(operation.state in call.states, f"the operation is {operation.state.value}")
