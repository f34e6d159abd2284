"""From answers of the secure world to errors of bioguard: a table for each vocabulary of statuses, one for TEE results.

The one place where a status becomes an error. `Device.ask` passes every reply through `raise_for_status`, so a caller
that does not look at the status cannot go on with a refusal.
"""

from collections.abc import Collection
from dataclasses import fields
from enum import IntEnum
from typing import TypeVar, cast

from bioguard.commands.biometric import Status
from bioguard.commands.gatekeeper import GatekeeperStatus
from bioguard.commands.keystore import KeyError_
from bioguard.commands.sensor import SensorStatus
from bioguard.errors import BioguardError, InputRefused, IntegrityFailure, NotPermitted, TeeUnavailable
from tee_sim.errors import Origin, TeeError, TeeResult
from tee_sim.schema import Record

__all__ = ["VOCABULARIES", "from_status", "from_tee", "promised", "raise_for_status", "status_of"]

Row = tuple[type[BioguardError], str, str, str]
"""Kind of error, stable code, message, hint."""
T = TypeVar("T")

_STATUSES: dict[Status, Row] = {
    Status.UNKNOWN_USER: (InputRefused, "user.unknown", "no such user", "run: bioguard user list"),
    Status.USER_EXISTS: (NotPermitted, "user.exists", "the user exists already", "run: bioguard user list"),
    Status.UNKNOWN_RECORD: (InputRefused, "record.unknown", "no such record", "run: bioguard list"),
    Status.ALREADY_ENROLLED: (
        NotPermitted,
        "enroll.already_enrolled",
        "this finger of the user is enrolled already",
        "erase it first, or enroll with --replace",
    ),
    Status.DUPLICATE_FINGER: (
        NotPermitted,
        "enroll.duplicate_finger",
        "the same finger is enrolled under another position",
        "use another finger, or erase the other record first",
    ),
    Status.USER_FULL: (
        NotPermitted,
        "enroll.user_full",
        "the user has as many records of this kind as allowed",
        "erase one first; the limit is set by `bioguard device init --max-fingers/--max-faces`",
    ),
    Status.STORE_FULL: (NotPermitted, "store.full", "the store is full", "erase records or free disk space"),
    Status.POOR_QUALITY: (
        InputRefused,
        "enroll.poor_quality",
        "a sample cannot be enrolled",
        "capture it again: another view of the face, or more of the finger",
    ),
    Status.INCONSISTENT_SAMPLES: (
        InputRefused,
        "enroll.inconsistent",
        "the samples do not look like the same finger or face",
        "check that all files belong together",
    ),
    Status.WRONG_DIMENSION: (
        InputRefused,
        "enroll.dimension",
        "the face embedding has another dimension than the enrolled ones, or than the other views",
        "use the model that the faces were enrolled with, or erase them all first",
    ),
    Status.NOT_CENTERED: (
        InputRefused,
        "enroll.not_centered",
        "a sample is no embedding of a centered face model",
        "subtract the model's zero point or mean before you save embeddings, then normalize them",
    ),
    Status.PROBE_NOT_CENTERED: (
        InputRefused,
        "match.not_centered",
        "the sample is no embedding of a centered face model",
        "subtract the model's zero point or mean before you save embeddings, then normalize them",
    ),
    Status.PROBE_DIMENSION: (
        InputRefused,
        "match.dimension",
        "the face embedding has another dimension than the enrolled ones",
        "use the model that the faces were enrolled with",
    ),
    Status.NOT_ENROLLED: (
        InputRefused,
        "match.not_enrolled",
        "the user has no record of this kind",
        "run: bioguard list USER",
    ),
    Status.BAD_REQUEST: (
        InputRefused,
        "request",
        "the secure world refused the request",
        "check its arguments, and whether it is closed",
    ),
    Status.LOCKED_TIMED: (
        NotPermitted,
        "lockout.timed",
        "too many failed attempts, the sensor is locked for a while",
        "wait 30 seconds, or run: bioguard pin unlock USER",
    ),
    Status.LOCKED_PERMANENT: (
        NotPermitted,
        "lockout.permanent",
        "too many failed attempts, only the PIN helps now",
        "run: bioguard pin unlock USER",
    ),
    Status.TOKEN_REFUSED: (
        NotPermitted,
        "token.refused",
        "the secure world does not accept this auth token",
        "get a fresh one with this user's PIN (bioguard pin set USER sets it); to enroll, for a new challenge",
    ),
    Status.PIN_REQUIRED: (
        NotPermitted,
        "enroll.pin_required",
        "this device enrolls nobody without a PIN",
        "run: bioguard pin set USER, then enroll with it",
    ),
    Status.ENROLLED_WITHOUT_PIN: (
        NotPermitted,
        "enroll.without_pin",
        "what this user has enrolled was enrolled without a PIN",
        "erase it first: bioguard erase USER --all, then enroll again",
    ),
    Status.ENROLLED_WITH_OTHER_PIN: (
        NotPermitted,
        "enroll.other_pin",
        "what this user has enrolled belongs to a PIN that was reset since",
        "erase it first: bioguard erase USER --all --operator, then enroll again",
    ),
    Status.NOT_OWNER: (
        NotPermitted,
        "pin.not_owner",
        "records and consents of this user belong to a PIN that was reset since",
        "only the operator can help: bioguard erase USER --all --operator, or bioguard user remove USER --operator",
    ),
    Status.NOT_CONFIGURABLE: (
        NotPermitted,
        "device.not_configurable",
        "what a device is was chosen when it was made",
        "run: bioguard device wipe, then device init",
    ),
    Status.NOT_CONFIGURED: (
        NotPermitted,
        "device.not_configured",
        "the initialization of this device was interrupted",
        "run: bioguard device wipe, then device init",
    ),
    Status.WRONG_LABEL: (
        IntegrityFailure,
        "store.names_altered",
        "names.json gives this name to somebody else",
        "the file was altered: restore it, nothing was done in this name",
    ),
    Status.NO_CONSENT: (
        NotPermitted,
        "consent.missing",
        "the user has not consented to this",
        "bioguard consent grant USER --purpose unlock (identify for 1:N, key-use for a token of an operation)",
    ),
    Status.CONSENT_EXPIRED: (
        NotPermitted,
        "consent.expired",
        "the user's consent has expired",
        "run: bioguard consent grant USER again",
    ),
    Status.SUSPENDED: (
        NotPermitted,
        "consent.suspended",
        "the policy changed since the user consented",
        "show them `bioguard notice`, then run: bioguard consent confirm USER",
    ),
    Status.OBJECTED: (
        NotPermitted,
        "consent.objected",
        "the user objected to this purpose",
        "only a new grant by the user lifts an objection",
    ),
    Status.RESTRICTED: (
        NotPermitted,
        "consent.restricted",
        "the user's data are restricted: stored, not processed",
        "run: bioguard unrestrict USER",
    ),
    Status.UNDERAGE: (
        NotPermitted,
        "consent.underage",
        "the user has not attested the minimum age",
        "grant consent with --of-age, if it is true",
    ),
    Status.UNKNOWN_REQUEST: (InputRefused, "request.unknown", "no such request", "run: bioguard requests"),
    Status.NOT_SUPPORTED: (
        InputRefused,
        "request.not_supported",
        "this profile cannot do that",
        "run: bioguard device init --profile standard",
    ),
    Status.RATE_NOT_OFFERED: (
        InputRefused,
        "match.rate_not_offered",
        "this device does not decide at that rate",
        "leave the rate out: then it is the device's, which `bioguard device status` shows",
    ),
    Status.FMR_NOT_MEASURABLE: (
        InputRefused,
        "match.fmr_not_measurable",
        "there is no threshold for this rate",
        "a single comparison can be held to a rate from 1/10 to 1/1000000000000",
    ),
}

_SENSOR = {
    SensorStatus.UNKNOWN_USER: _STATUSES[Status.UNKNOWN_USER],
    SensorStatus.TOKEN_REFUSED: _STATUSES[Status.TOKEN_REFUSED],
}

_GATEKEEPER: dict[GatekeeperStatus, Row] = {
    GatekeeperStatus.GENERAL_FAILURE: (
        NotPermitted,
        "pin.wrong",
        "the PIN is wrong",
        "try again; failures are counted and slow down further tries",
    ),
    GatekeeperStatus.RETRY_TIMEOUT: (
        NotPermitted,
        "pin.wait",
        "too many wrong PINs",
        "wait {wait_s} s, then try again",
    ),
    GatekeeperStatus.REENROLL: (
        NotPermitted,
        "pin.reenroll",
        "the PIN was set by an older Gatekeeper",
        "run: bioguard pin set USER",
    ),
    GatekeeperStatus.NOT_IMPLEMENTED: (
        InputRefused,
        "pin.not_implemented",
        "Gatekeeper does not do that",
        "see docs/android-contract.md section 5",
    ),
}

_KEYSTORE: dict[KeyError_, Row] = {
    KeyError_.UNSUPPORTED_PURPOSE: (
        InputRefused,
        "key.unsupported_purpose",
        "keystore does not do that with this kind of key",
        "sign or verify",
    ),
    KeyError_.INCOMPATIBLE_PURPOSE: (
        InputRefused,
        "key.incompatible_purpose",
        "the key is not for that",
        "make a key with this purpose",
    ),
    KeyError_.INVALID_AUTHORIZATION_TIMEOUT: (
        InputRefused,
        "key.invalid_authorization_timeout",
        "a key cannot be released for 0 seconds",
        "give at least one second, or none for a token at each operation",
    ),
    KeyError_.KEY_USER_NOT_AUTHENTICATED: (
        NotPermitted,
        "key.not_authenticated",
        "the auth token does not release this key",
        "authenticate again, for this operation",
    ),
    KeyError_.INVALID_OPERATION_HANDLE: (
        InputRefused,
        "key.invalid_operation_handle",
        "there is no such operation",
        "begin it again: an operation is over after its first finish or abort",
    ),
    KeyError_.VERIFICATION_FAILED: (
        NotPermitted,
        "key.verification_failed",
        "the signature does not verify",
        "check message, signature and key",
    ),
    KeyError_.TOO_MANY_OPERATIONS: (
        NotPermitted,
        "key.too_many_operations",
        "too many operations are open",
        "finish or abort one first",
    ),
    KeyError_.INVALID_KEY_BLOB: (
        InputRefused,
        "key.invalid_key_blob",
        "there is no such key, or it cannot be made like this",
        "make a key with secure ids or without authorization, not both",
    ),
    KeyError_.INVALID_ARGUMENT: (
        InputRefused,
        "key.invalid_argument",
        "keystore refused an argument",
        "see docs/android-contract.md",
    ),
}

VOCABULARIES: dict[type[IntEnum], dict[IntEnum, Row]] = {
    Status: cast("dict[IntEnum, Row]", _STATUSES),
    SensorStatus: cast("dict[IntEnum, Row]", _SENSOR),
    GatekeeperStatus: cast("dict[IntEnum, Row]", _GATEKEEPER),
    KeyError_: cast("dict[IntEnum, Row]", _KEYSTORE),
}
"""Every vocabulary in which a trusted application says yes (0) or no, and what each no is here."""

_RESULTS: dict[TeeResult, Row] = {
    TeeResult.TARGET_DEAD: (
        TeeUnavailable,
        "tee.dead",
        "the secure world ended",
        "run the command again; `bioguard doctor` looks at the host",
    ),
    TeeResult.TIMEOUT: (
        TeeUnavailable,
        "tee.timeout",
        "no answer in time",
        "look at the load of this machine, then try again",
    ),
    TeeResult.COMMUNICATION: (TeeUnavailable, "tee.communication", "no understandable answer", "run: bioguard doctor"),
    TeeResult.BUSY: (TeeUnavailable, "tee.busy", "busy", "wait for the other session to end"),
    TeeResult.STORAGE_NOT_AVAILABLE: (
        TeeUnavailable,
        "store.unavailable",
        "the store cannot be used",
        "check the device directory and the disk",
    ),
    TeeResult.STORAGE_NO_SPACE: (
        NotPermitted,
        "store.full",
        "the store is full, nothing was changed",
        "erase records or free disk space",
    ),
    TeeResult.ITEM_NOT_FOUND: (
        IntegrityFailure,
        "store.missing",
        "the store of this device, or its RPMB, was taken away or exchanged",
        "put the store and rpmb.img back that belong together, or run: bioguard device wipe",
    ),
    TeeResult.UNSUPPORTED_VERSION: (
        IntegrityFailure,
        "store.version",
        "the store is of another version than the device",
        "put back the store that belongs to this device, or run: bioguard device wipe",
    ),
    TeeResult.CORRUPT_OBJECT: (
        IntegrityFailure,
        "store.corrupt",
        "the store was tampered with or damaged",
        "the stored bytes were changed; the damaged record was not used",
    ),
    TeeResult.SECURITY: (
        IntegrityFailure,
        "store.security",
        "the store is not the one of the last commit",
        "an old copy, another device's copy or a manipulated store; restore nothing, investigate",
    ),
    TeeResult.MAC_INVALID: (
        IntegrityFailure,
        "store.mac",
        "the store was tampered with",
        "the stored bytes were changed",
    ),
    TeeResult.TIME_NEEDS_RESET: (
        TeeUnavailable,
        "tee.time_namespace",
        "the secure world does not start",
        "start bioguard outside of the time namespace; boot time must be the host's",
    ),
    TeeResult.TIME_NOT_SET: (
        TeeUnavailable,
        "tee.time",
        "the secure world does not start",
        "look at the load of this machine, then try again",
    ),
    TeeResult.ACCESS_DENIED: (NotPermitted, "tee.access_denied", "not allowed", "the trusted application refused"),
}


_BY_ORIGIN: dict[tuple[TeeResult, Origin], Row] = {
    (TeeResult.BAD_PARAMETERS, Origin.API): (
        InputRefused,
        "request.argument",
        "an argument cannot be sent",
        "see the bounds in the documentation of this call",
    ),
    (TeeResult.TARGET_DEAD, Origin.TEE): (
        TeeUnavailable,
        "tee.panic",
        "a trusted application failed",
        "what it had stored stays; run the command again",
    ),
}
"""Results that mean something else from there."""


def from_status(status: IntEnum, about: str = "", *, wait_ms: int = 0) -> BioguardError:
    """The error for a refusal in any of the vocabularies.

    Args:
        about: names what was asked for.
        wait_ms: what a refusal for a while says of its end.
    """
    kind, code, message, hint = VOCABULARIES[type(status)][status]
    wait_s = -(-wait_ms // 1000)
    return kind(f"{message}: {about}" if about else message, hint=hint.format(wait_s=wait_s), code=code)


def status_of(reply: Record) -> IntEnum:
    """The status in a reply, whatever the field and its vocabulary are called.

    Raises:
        TypeError: a reply that says neither yes nor no: a command with one must not exist.
    """
    for field in fields(reply):  # type: ignore[arg-type]  # every record is a dataclass
        value = getattr(reply, field.name)
        if type(value) in VOCABULARIES:
            return cast("IntEnum", value)
    raise TypeError(f"{type(reply).__name__} has no status")


def raise_for_status(reply: Record, about: str = "", *, expected: Collection[IntEnum] = ()) -> None:
    """Raise the error of a reply that is a refusal.

    Args:
        about: names what was asked for.
        expected: refusals that the caller looks at itself.
    """
    status = status_of(reply)
    if status == 0 or any(status is one for one in expected):  # members of two vocabularies are equal as numbers
        return
    raise from_status(status, about, wait_ms=getattr(reply, "timeout_ms", 0))


def promised(value: T | None, what: str) -> T:
    """What an OK must come with. Raises IntegrityFailure for an OK without it."""
    if value is None:
        raise IntegrityFailure(
            f"the secure world says yes without {what}",
            hint="this build of the trusted application breaks its contract: do not use it",
            code="tee.incomplete",
        )
    return value


def from_tee(error: TeeError) -> BioguardError:
    """The error for a TEE result, whatever its origin. Unknown results count as the secure world being unusable."""
    unknown = (TeeUnavailable, f"tee.{error.result.name.lower()}", "the secure world failed", "run: bioguard doctor")
    row = _BY_ORIGIN.get((error.result, error.origin)) or _RESULTS.get(error.result, unknown)
    kind, code, message, hint = row
    return kind(f"{message}: {error.message}", hint=error.hint or hint, code=code)
