"""PINs, tokens and lockout of a device, in the caller's words.

    set_pin(device, "alice", b"1234")
    token = enrollment_token(device, "alice", Modality.FACE, b"1234")
    device.enroll("alice", views, token=token)
    check_token(device, device.authenticate("alice", probe, operation_id=7).token)

A PIN is bytes here and only passes through; tokens are returned, never logged.
"""

from bioguard.commands import gatekeeper, keystore, sensor
from bioguard.commands.gatekeeper import GATEKEEPER_UUID, MAX_PIN_BYTES
from bioguard.commands.keystore import KEYSTORE_UUID
from bioguard.commands.status import KeystoreError, ReplyStatus, SensorStatus
from bioguard.device.errors import from_status, promised
from bioguard.device.facade import Device
from bioguard.device.password_handles import PasswordHandles
from bioguard.errors import InputRefused, NotPermitted
from bioguard.records.locks import LockStatus
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken, TokenRejected


def _check_pin(pin: bytes) -> bytes:
    if not isinstance(pin, bytes) or not 1 <= len(pin) <= MAX_PIN_BYTES:
        raise InputRefused(f"a PIN has 1 to {MAX_PIN_BYTES} bytes", hint="give another one", code="pin.length")
    return pin


def has_pin(device: Device, name: str) -> bool:
    """Whether a PIN was set for this user. Raises InputRefused for an unknown user."""
    return device.user_handle(name, fresh=True) in PasswordHandles.load(device.directory).users


def set_pin(device: Device, name: str, pin: bytes, *, current: bytes | None = None) -> int:
    """Set a PIN; return the secure user id. Without `current` the old id, and every key bound to it, is lost.

    Raises:
        InputRefused: unknown user, or a PIN of no or too many bytes.
        NotPermitted: the current PIN is wrong or throttled.
    """
    handles = PasswordHandles.load(device.directory)
    user = device.user_handle(name, fresh=True)
    request = gatekeeper.EnrollPin(
        user=user,
        desired=_check_pin(pin),
        current_handle=handles.users.get(user) if current is not None else None,
        current=_check_pin(current) if current is not None else b"",
    )
    answer = device.ask(gatekeeper.ENROLL_PIN, request, uuid=GATEKEEPER_UUID)
    handles.users[user] = promised(answer.handle, "a password handle")
    handles.save()
    return answer.secure_user_id


def verify_pin(device: Device, name: str, pin: bytes, *, challenge: int = 0) -> bytes:
    """Check a PIN; return the 69-byte token with this challenge.

    Raises:
        InputRefused: unknown user.
        NotPermitted: no PIN is set, it is wrong, or it is throttled.
    """
    user = device.user_handle(name, fresh=True)
    handle = PasswordHandles.load(device.directory).users.get(user)
    if handle is None:
        raise NotPermitted("the user has no PIN", hint=f"run: bioguard pin set {name}", code="pin.none")
    request = gatekeeper.VerifyPin(user=user, challenge=challenge, handle=handle, pin=_check_pin(pin))
    return promised(device.ask(gatekeeper.VERIFY_PIN, request, uuid=GATEKEEPER_UUID).token, "a token")


def generate_challenge(device: Device, name: str, modality: Modality) -> int:
    """A new live challenge of the sensor for this user."""
    request = sensor.SensorRequest(user=device.user_handle(name), modality=modality)
    return device.ask(sensor.GENERATE_CHALLENGE, request, about=repr(name)).challenge


def enrollment_token(device: Device, name: str, modality: Modality, pin: bytes) -> bytes:
    """A token for one visit to the settings: a fresh challenge of the sensor, confirmed with the PIN."""
    return verify_pin(device, name, pin, challenge=generate_challenge(device, name, modality))


def authenticator_id(device: Device, name: str, modality: Modality) -> int:
    """The sensor's authenticator id for this user; 0 when nothing is enrolled."""
    request = sensor.SensorRequest(user=device.user_handle(name), modality=modality)
    return device.ask(sensor.GET_AUTHENTICATOR_ID, request, about=repr(name)).authenticator_id


def lock_info(device: Device, name: str, modality: Modality) -> LockStatus:
    """Whether attempts are refused now."""
    request = sensor.SensorRequest(user=device.user_handle(name), modality=modality)
    answer = device.ask(sensor.LOCK_STATUS, request, about=repr(name))
    return LockStatus(answer.lock, answer.remaining_ms)


def search_lock_info(device: Device, modality: Modality) -> LockStatus:
    """Whether 1:N is refused now on a sensor. It has a counter of its own, which every user shares."""
    answer = device.ask(sensor.SEARCH_LOCK_STATUS, sensor.SearchRequest(modality=modality))
    return LockStatus(answer.lock, answer.remaining_ms)


def unlock(device: Device, name: str, pin: bytes) -> None:
    """End the lockouts of a user, and those of 1:N on the sensors that the user is enrolled on, with the PIN.

    Raises:
        InputRefused: unknown user, or nothing is enrolled.
        NotPermitted: the PIN is wrong, or nothing of this user was enrolled with it.
    """
    token = verify_pin(device, name, pin)
    user = device.user_handle(name)
    foreign = (SensorStatus.TOKEN_REFUSED,)
    requests = [sensor.ResetLockout(user=user, modality=modality, token=token) for modality in Modality]
    answers = [device.ask(sensor.RESET_LOCKOUT, request, about=repr(name), expected=foreign) for request in requests]
    if all(answer.status in foreign for answer in answers):
        if next(device.records(name), None) is None:
            raise from_status(ReplyStatus.NOT_ENROLLED, repr(name))
        raise NotPermitted(
            "this user's records were enrolled without a PIN, or with one that was reset",
            hint=f"erase them: bioguard erase {name} --all --operator, then enroll again",
            code="pin.not_owner",
        )


def check_token(device: Device, token: bytes) -> AuthToken:
    """Return the token if the secure world made it in this boot.

    Raises:
        MalformedToken: not 69 bytes of version 0.
        TokenRejected: changed, from another boot or device, or from the future.
    """
    if not isinstance(token, bytes):
        raise InputRefused(f"a {type(token).__name__} is no token", hint="give its 69 bytes", code="request.argument")
    seen = AuthToken.from_bytes(token)
    foreign = (KeystoreError.VERIFICATION_FAILED,)
    request = keystore.CheckToken(token=token)
    answer = device.ask(keystore.CHECK_TOKEN, request, uuid=KEYSTORE_UUID, expected=foreign)
    if answer.error in foreign:
        raise TokenRejected("the secure world did not make this token in this boot", hint="get a new token")
    return seen
