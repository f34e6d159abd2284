"""From results of the secure world to errors of bioguard: one table for statuses, one for TEE results."""

from bioguard.commands.biometric import Status
from bioguard.errors import BioguardError, InputRefused, IntegrityFailure, NotPermitted, TeeUnavailable
from tee_sim.errors import TeeError, TeeResult

__all__ = ["from_status", "from_tee"]

_STATUSES: dict[Status, tuple[type[BioguardError], str, str, str]] = {
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
        "a sample is too poor to enroll",
        "capture it again: more minutiae, spread over the finger",
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
        "the face embedding has another dimension than this device's",
        "use the model that the first face was enrolled with",
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
        "give the PIN with --pin-file, or at the prompt",
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
    Status.FMR_NOT_MEASURABLE: (
        InputRefused,
        "match.fmr_not_measurable",
        "no threshold was measured for this false match rate",
        "choose a higher rate, for instance 1/10000",
    ),
}

_RESULTS: dict[TeeResult, tuple[type[BioguardError], str, str, str]] = {
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
    TeeResult.ACCESS_DENIED: (NotPermitted, "tee.access_denied", "not allowed", "the trusted application refused"),
}


def from_status(status: Status, about: str = "") -> BioguardError:
    """The error for a refusal. `about` names what was asked for."""
    kind, code, message, hint = _STATUSES[status]
    return kind(f"{message}: {about}" if about else message, hint=hint, code=code)


def from_tee(error: TeeError) -> BioguardError:
    """The error for a TEE result, whatever its origin. Unknown results count as the secure world being unusable."""
    unknown = (TeeUnavailable, f"tee.{error.result.name.lower()}", "the secure world failed", "run: bioguard doctor")
    kind, code, message, hint = _RESULTS.get(error.result, unknown)
    return kind(f"{message}: {error.message}", hint=error.hint or hint, code=code)
