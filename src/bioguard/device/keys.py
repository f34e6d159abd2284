"""Keys that a PIN, a finger or a face releases, in the caller's words.

    key = make_key(device, "alice", biometric_only=True)
    operation = begin(device, key)                                   # per-operation key: no token yet
    answer = device.authenticate("alice", probe, operation_id=operation)
    finish(device, operation, b"message", token=answer.token)

Which ids go into a key, and whether one can ever be released again, are the framework's rules
(`bioguard.trusted.keystore.rules`); Keystore itself only says that a user is not authenticated.
"""

from bioguard.commands import keystore as commands
from bioguard.commands.keystore import (
    KEYSTORE_UUID,
    Authorizations,
    KeyAlgorithm,
    KeyPurpose,
)
from bioguard.device.errors import promised
from bioguard.device.facade import Device
from bioguard.device.key_framework import KeyVerdict, binding_ids, key_verdict
from bioguard.device.password_handles import PasswordHandles
from bioguard.device.pins import authenticator_id
from bioguard.errors import InputRefused, NotPermitted
from bioguard.records.password_handle import PasswordHandle
from bioguard.records.tokens import AuthenticatorType
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundKey:
    """A key inside the secure world.

    Attributes:
        key_id: 16 bytes.
        secure_ids: what it is bound to: the PIN's secure user id, or authenticator ids.
        public_key: of an Ed25519 key.
    """

    key_id: bytes
    secure_ids: tuple[int, ...]
    public_key: bytes | None


def _current(device: Device, name: str) -> tuple[int, list[int]]:
    """The PIN's secure user id (0 without a PIN) and the authenticator ids of all sensors."""
    handle = PasswordHandles.load(device.directory).users.get(device.user_handle(name, fresh=True))
    root = PasswordHandle.from_bytes(handle).user_id if handle else 0
    table = device.configuration.sensor_table
    return root, [authenticator_id(device, name, props.kind, props.sensor_id) for props in table]


def _bound(key: BoundKey) -> BoundKey:
    """The key itself. Raises InputRefused for what is none, for instance the id of one."""
    if not isinstance(key, BoundKey):
        raise InputRefused(
            f"a {type(key).__name__} is no key",
            hint="give the BoundKey that make_key returned",
            code="request.argument",
        )
    return key


def make_key(
    device: Device,
    name: str,
    *,
    biometric_only: bool = False,
    invalidated_by_enrollment: bool = True,
    timeout_s: int | None = None,
    algorithm: KeyAlgorithm = KeyAlgorithm.HMAC_SHA256,
) -> BoundKey:
    """Make a key of this user. timeout_s None: a token for each operation.

    Raises:
        NotPermitted: the user has no PIN, or wants a biometric-only key with nothing enrolled.
    """
    root, authenticators = _current(device, name)
    if not root:
        raise NotPermitted("the user has no PIN", hint=f"run: bioguard pin set {name}", code="pin.none")
    ids = binding_ids(
        root_sid=root,
        authenticator_ids=authenticators,
        biometric_only=biometric_only,
        invalidated_by_enrollment=invalidated_by_enrollment,
    )
    types = AuthenticatorType.FINGERPRINT | (AuthenticatorType.NONE if biometric_only else AuthenticatorType.PASSWORD)
    auth = Authorizations(secure_ids=ids, auth_types=int(types), timeout_s=timeout_s)
    request = commands.GenerateKey(algorithm=algorithm, authorizations=auth)
    answer = device.ask(commands.GENERATE_KEY, request, uuid=KEYSTORE_UUID)
    return BoundKey(key_id=promised(answer.key_id, "a key"), secure_ids=ids, public_key=answer.public_key)


def begin(device: Device, key: BoundKey, *, token: bytes = b"") -> int:
    """Begin a signature; return the operation, which a per-operation token must carry as its challenge.

    Raises:
        NotPermitted: a timeout key without a fresh enough token.
    """
    request = commands.Begin(key_id=_bound(key).key_id, purpose=KeyPurpose.SIGN, token=token)
    return device.ask(commands.BEGIN, request, uuid=KEYSTORE_UUID).operation


def finish(device: Device, operation: int, message: bytes, *, token: bytes = b"") -> bytes:
    """End a signature; return the MAC or signature.

    Raises:
        NotPermitted: a per-operation key without a token for this operation. The operation is gone.
    """
    request = commands.Finish(operation=operation, message=message, token=token)
    answer = device.ask(commands.FINISH, request, uuid=KEYSTORE_UUID)
    return promised(answer.mac or answer.signature, "a signature")


def delete_key(device: Device, key: BoundKey) -> None:
    """Destroy a key."""
    device.ask(commands.DELETE_KEY, commands.DeleteKey(key_id=_bound(key).key_id), uuid=KEYSTORE_UUID)


def verdict(device: Device, name: str, key: BoundKey) -> KeyVerdict:
    """Whether any token of this user can still release the key."""
    bound = _bound(key)
    root, authenticators = _current(device, name)
    return key_verdict(bound.secure_ids, root_sid=root, authenticator_ids=authenticators)
