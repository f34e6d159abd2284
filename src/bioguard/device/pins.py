"""PINs, tokens and lockout of a device, in the caller's words.

    set_pin(device, "alice", b"1234")
    token = enrollment_token(device, "alice", Modality.FACE, b"1234")
    device.enroll("alice", views, token=token)
    check_token(device, device.authenticate("alice", probe, operation_id=7).token)

A PIN is bytes here and only passes through; tokens are returned, never logged.
"""

from bioguard.commands import gatekeeper, keystore
from bioguard.commands import sensor as commands
from bioguard.commands.gatekeeper import GATEKEEPER_UUID, MAX_PIN_BYTES
from bioguard.commands.keystore import KEYSTORE_UUID
from bioguard.commands.status import KeystoreError, ReplyStatus, SensorStatus
from bioguard.device.arguments import sensor_of
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


def _asked(device: Device, name: str, modality: Modality, sensor: int | None) -> commands.SensorRequest:
    """A question about a user on a sensor of this kind; None for the first one."""
    return commands.SensorRequest(
        user=device.user_handle(name), sensor=sensor_of(device.configuration, modality, sensor)
    )


def generate_challenge(device: Device, name: str, modality: Modality, sensor: int | None = None) -> int:
    """A new live challenge of a sensor for this user. sensor: here and below, None for the first of its kind."""
    request = _asked(device, name, modality, sensor)
    return device.ask(commands.GENERATE_CHALLENGE, request, about=repr(name)).challenge


def revoke_challenge(device: Device, name: str, modality: Modality, challenge: int, sensor: int | None = None) -> None:
    """End a challenge; an unknown one is no error."""
    asked = _asked(device, name, modality, sensor)
    request = commands.RevokeChallenge(user=asked.user, sensor=asked.sensor, challenge=challenge)
    device.ask(commands.REVOKE_CHALLENGE, request, about=repr(name))


def enrollment_token(device: Device, name: str, modality: Modality, pin: bytes, sensor: int | None = None) -> bytes:
    """A token for one visit to the settings: a fresh challenge of the sensor, confirmed with the PIN."""
    return verify_pin(device, name, pin, challenge=generate_challenge(device, name, modality, sensor))


def authenticator_id(device: Device, name: str, modality: Modality, sensor: int | None = None) -> int:
    """The sensor's authenticator id for this user; 0 when nothing is enrolled, and of a sensor that is not strong."""
    request = _asked(device, name, modality, sensor)
    return device.ask(commands.GET_AUTHENTICATOR_ID, request, about=repr(name)).authenticator_id


def invalidate_authenticator_id(device: Device, name: str, modality: Modality, sensor: int | None = None) -> int:
    """Make keys that are bound to the present enrollments useless; return the new id, 0 as `authenticator_id`."""
    request = _asked(device, name, modality, sensor)
    return device.ask(commands.INVALIDATE_AUTHENTICATOR_ID, request, about=repr(name)).authenticator_id


def lock_info(device: Device, name: str, modality: Modality, sensor: int | None = None) -> LockStatus:
    """Whether attempts are refused now."""
    request = _asked(device, name, modality, sensor)
    answer = device.ask(commands.LOCK_STATUS, request, about=repr(name))
    return LockStatus(answer.lock, answer.remaining_ms)


def search_lock_info(device: Device, modality: Modality, sensor: int | None = None) -> LockStatus:
    """Whether 1:N is refused now on a sensor. It has a counter of its own, which every user shares."""
    request = commands.SearchRequest(sensor=sensor_of(device.configuration, modality, sensor))
    answer = device.ask(commands.SEARCH_LOCK_STATUS, request)
    return LockStatus(answer.lock, answer.remaining_ms)


def reset_lockout(device: Device, name: str, modality: Modality, token: bytes, sensor: int | None = None) -> None:
    """End the lockout of a user on a sensor, and on those no stronger where the device has the cascade.

    Raises:
        InputRefused: unknown user or sensor.
        NotPermitted: not a recent token of the PIN that the enrollments belong to.
    """
    asked = _asked(device, name, modality, sensor)
    request = commands.ResetLockout(user=asked.user, sensor=asked.sensor, token=token)
    device.ask(commands.RESET_LOCKOUT, request, about=repr(name))


def unlock(device: Device, name: str, pin: bytes) -> None:
    """End the lockouts of a user, and those of 1:N on the sensors that the user is enrolled on, with the PIN.

    Raises:
        InputRefused: unknown user, or nothing is enrolled.
        NotPermitted: the PIN is wrong, or nothing of this user was enrolled with it.
    """
    token = verify_pin(device, name, pin)
    user = device.user_handle(name)
    foreign = (SensorStatus.TOKEN_REFUSED,)
    table = device.configuration.sensor_table
    requests = [commands.ResetLockout(user=user, sensor=props.sensor_id, token=token) for props in table]
    answers = [device.ask(commands.RESET_LOCKOUT, request, about=repr(name), expected=foreign) for request in requests]
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
