"""PINs, tokens and lockout of a device, in the caller's words.

    set_pin(device, "alice", b"1234")
    token = enrollment_token(device, "alice", Modality.FACE, b"1234")
    device.enroll("alice", views, token=token)
    check_token(device, device.authenticate("alice", probe, operation_id=7).token)

A PIN is bytes here and only passes through; tokens are returned, never logged.
"""

from dataclasses import dataclass

from bioguard.commands import gatekeeper, keystore, sensor
from bioguard.commands.biometric import Modality
from bioguard.commands.gatekeeper import GATEKEEPER_UUID, MAX_PIN_BYTES, GatekeeperStatus
from bioguard.commands.keystore import KEYSTORE_UUID, KeyError_
from bioguard.commands.sensor import LockKind, SensorStatus
from bioguard.device.facade import Device
from bioguard.device.handles import Handles
from bioguard.errors import InputRefused, NotPermitted
from bioguard.records.tokens import AuthToken, TokenRejected

__all__ = [
    "LockInfo", "authenticator_id", "check_token", "enrollment_token", "generate_challenge", "has_pin", "lock_info",
    "set_pin", "unlock", "verify_pin",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LockInfo:
    """Whether attempts are refused: `none`, `timed` with the milliseconds left, or `permanent`."""

    lock: str
    remaining_ms: int


class WrongPin(NotPermitted):
    """The PIN is wrong, or the handle is not this user's current one. The failure was counted."""

    code = "pin.wrong"


class PinThrottled(NotPermitted):
    """Too many wrong PINs. The PIN was not looked at."""

    code = "pin.wait"


def _checked(pin: bytes) -> bytes:
    if not 1 <= len(pin) <= MAX_PIN_BYTES:
        raise InputRefused(f"a PIN has 1 to {MAX_PIN_BYTES} bytes", hint="give another one", code="pin.length")
    return pin


def _permitted(status: GatekeeperStatus, timeout_ms: int) -> None:
    if status is GatekeeperStatus.RETRY_TIMEOUT:
        raise PinThrottled("too many wrong PINs", hint=f"wait {-(-timeout_ms // 1000)} s, then try again")
    if status is not GatekeeperStatus.OK:
        raise WrongPin("the PIN is wrong", hint="try again; failures are counted and slow down further tries")


def has_pin(device: Device, name: str) -> bool:
    """Whether a PIN was set for this user."""
    return device.user_handle(name) in Handles.load(device.directory).users


def set_pin(device: Device, name: str, pin: bytes, *, current: bytes | None = None) -> int:
    """Set a PIN; return the secure user id. Without `current` the old id, and every key bound to it, is lost.

    Raises:
        InputRefused: unknown user, or a PIN of no or too many bytes.
        NotPermitted: the current PIN is wrong or throttled.
    """
    handles = Handles.load(device.directory)
    user = device.user_handle(name)
    request = gatekeeper.EnrollPin(
        user=user,
        desired=_checked(pin),
        current_handle=handles.users.get(user) if current is not None else None,
        current=_checked(current) if current is not None else b"",
    )
    answer = device.call(gatekeeper.ENROLL_PIN, request, uuid=GATEKEEPER_UUID)
    _permitted(answer.status, answer.timeout_ms)
    if answer.handle is not None:
        handles.users[user] = answer.handle
        handles.save()
    return answer.secure_user_id


def verify_pin(device: Device, name: str, pin: bytes, *, challenge: int = 0) -> bytes:
    """Check a PIN; return the 69-byte token with this challenge.

    Raises:
        InputRefused: unknown user.
        NotPermitted: no PIN is set, it is wrong, or it is throttled.
    """
    user = device.user_handle(name)
    handle = Handles.load(device.directory).users.get(user)
    if handle is None:
        raise NotPermitted("the user has no PIN", hint=f"run: bioguard pin set {name}", code="pin.none")
    request = gatekeeper.VerifyPin(user=user, challenge=challenge, handle=handle, pin=_checked(pin))
    answer = device.call(gatekeeper.VERIFY_PIN, request, uuid=GATEKEEPER_UUID)
    _permitted(answer.status, answer.timeout_ms)
    if answer.token is None:
        raise NotPermitted("the secure world confirmed a PIN without a token", hint="", code="pin.no_token")
    return answer.token


def generate_challenge(device: Device, name: str, modality: Modality) -> int:
    """A new live challenge of the sensor for this user."""
    request = sensor.SensorRequest(user=device.user_handle(name), modality=modality)
    return device.call(sensor.GENERATE_CHALLENGE, request).challenge


def enrollment_token(device: Device, name: str, modality: Modality, pin: bytes) -> bytes:
    """A token for one visit to the settings: a fresh challenge of the sensor, confirmed with the PIN."""
    return verify_pin(device, name, pin, challenge=generate_challenge(device, name, modality))


def authenticator_id(device: Device, name: str, modality: Modality) -> int:
    """The sensor's authenticator id for this user; 0 when nothing is enrolled."""
    request = sensor.SensorRequest(user=device.user_handle(name), modality=modality)
    return device.call(sensor.GET_AUTHENTICATOR_ID, request).authenticator_id


def lock_info(device: Device, name: str, modality: Modality) -> LockInfo:
    """Whether attempts are refused now."""
    request = sensor.SensorRequest(user=device.user_handle(name), modality=modality)
    answer = device.call(sensor.LOCK_STATUS, request)
    return LockInfo(LockKind(answer.lock).name.lower(), answer.remaining_ms)


def unlock(device: Device, name: str, pin: bytes) -> None:
    """End the lockouts of a user with the PIN.

    Raises:
        NotPermitted: the PIN is wrong, or nothing of this user was enrolled with a PIN.
    """
    token = verify_pin(device, name, pin)
    user = device.user_handle(name)
    answers = [
        device.call(sensor.RESET_LOCKOUT, sensor.ResetLockout(user=user, modality=modality, token=token)).status
        for modality in Modality
    ]
    if SensorStatus.OK not in answers:
        raise NotPermitted(
            "the PIN does not own this user's enrollments",
            hint="what was enrolled without a PIN, or with one that was reset, can only be erased",
            code="pin.not_owner",
        )


def check_token(device: Device, token: bytes) -> AuthToken:
    """Return the token if the secure world made it in this boot.

    Raises:
        MalformedToken: not 69 bytes of version 0.
        TokenRejected: changed, from another boot or device, or from the future.
    """
    seen = AuthToken.from_bytes(token)
    answer = device.call(keystore.CHECK_TOKEN, keystore.CheckToken(token=token), uuid=KEYSTORE_UUID)
    if answer.error is not KeyError_.OK:
        raise TokenRejected("the secure world did not make this token in this boot", hint="get a new token")
    return seen
