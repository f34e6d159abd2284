"""What each refusal of a trusted application is here: kind of error, stable code, message, hint; by vocabulary."""

from enum import IntEnum
from typing import cast

from bioguard.commands.status import GatekeeperStatus, KeystoreError, ReplyStatus, SensorStatus
from bioguard.errors import BioguardError, InputRefused, IntegrityFailure, NotAcquired, NotPermitted

Row = tuple[type[BioguardError], str, str, str]
"""Kind of error, stable code, message, hint."""

# fmt: off
_STATUSES: dict[ReplyStatus, Row] = {
    ReplyStatus.UNKNOWN_USER: (InputRefused, "user.unknown", "no such user", "run: bioguard user list"),
    ReplyStatus.USER_EXISTS: (NotPermitted, "user.exists", "the user exists already", "run: bioguard user list"),
    ReplyStatus.UNKNOWN_RECORD: (InputRefused, "record.unknown", "no such record", "run: bioguard list"),
    ReplyStatus.ALREADY_ENROLLED: (NotPermitted, "enroll.already_enrolled",
        "this finger of the user is enrolled already",
        "erase it first, or enroll with --replace"),
    ReplyStatus.DUPLICATE_FINGER: (NotPermitted, "enroll.duplicate_finger",
        "the same finger is enrolled under another position",
        "use another finger, or erase the other record first"),
    ReplyStatus.USER_FULL: (NotPermitted, "enroll.user_full", "the user has as many records of this kind as allowed",
        "erase one first; the limit is set by `bioguard device init --max-fingers/--max-faces`"),
    ReplyStatus.STORE_FULL: (NotPermitted, "store.full", "the store is full", "erase records or free disk space"),
    ReplyStatus.POOR_QUALITY: (InputRefused, "enroll.poor_quality", "a sample cannot be enrolled",
        "capture it again: another view of the face, or more of the finger"),
    ReplyStatus.INCONSISTENT_SAMPLES: (InputRefused, "enroll.inconsistent",
        "the samples do not look like the same finger or face",
        "check that all files belong together"),
    ReplyStatus.WRONG_DIMENSION: (InputRefused, "enroll.dimension",
        "the face embedding has another dimension than the enrolled ones, or than the other views",
        "use the model that the faces were enrolled with, or erase them all first"),
    ReplyStatus.NOT_CENTERED: (InputRefused, "enroll.not_centered", "a sample is no embedding of a centered face model",
        "subtract the model's zero point or mean before you save embeddings, then normalize them"),
    ReplyStatus.PROBE_NOT_CENTERED: (InputRefused, "match.not_centered",
        "the sample is no embedding of a centered face model",
        "subtract the model's zero point or mean before you save embeddings, then normalize them"),
    ReplyStatus.RECORD_EXPIRED: (NotPermitted, "match.record_expired",
        "what the user enrolled is past its retention: kept, and not used",
        "enroll again; `bioguard purge --confirm` erases what is over"),
    ReplyStatus.PROBE_DIMENSION: (InputRefused, "match.dimension",
        "the face embedding has another dimension than the enrolled ones",
        "use the model that the faces were enrolled with"),
    ReplyStatus.NOT_ENROLLED: (InputRefused, "match.not_enrolled", "the user has no record of this kind on this sensor",
        "run: bioguard enroll USER --finger FINGER FILE..., or bioguard enroll USER --face FILE..."),
    ReplyStatus.BAD_REQUEST: (InputRefused, "request", "the secure world refused the request",
        "check its arguments, and whether it is closed"),
    ReplyStatus.LOCKED_TIMED: (NotPermitted, "lockout.timed",
        "too many failed attempts, the sensor is locked for a while",
        "wait 30 seconds, or run: bioguard pin unlock USER"),
    ReplyStatus.LOCKED_PERMANENT: (NotPermitted, "lockout.permanent",
        "too many failed attempts, only the PIN helps now",
        "run: bioguard pin unlock USER"),
    ReplyStatus.TOKEN_REFUSED: (NotPermitted, "token.refused", "the secure world does not accept this auth token",
        "get a fresh one with this user's PIN (bioguard pin set USER sets it); to enroll, for a new challenge"),
    ReplyStatus.PIN_REQUIRED: (NotPermitted, "enroll.pin_required", "this device enrolls nobody without a PIN",
        "run: bioguard pin set USER, then enroll with it"),
    ReplyStatus.ENROLLED_WITHOUT_PIN: (NotPermitted, "enroll.without_pin",
        "what this user has enrolled was enrolled without a PIN",
        "erase it first: bioguard erase USER --all, then enroll again"),
    ReplyStatus.ENROLLED_WITH_OTHER_PIN: (NotPermitted, "enroll.other_pin",
        "what this user has enrolled belongs to a PIN that was reset since",
        "erase it first: bioguard erase USER --all --operator, then enroll again"),
    ReplyStatus.NOT_OWNER: (NotPermitted, "pin.not_owner",
        "records and consents of this user belong to a PIN that was reset since",
        "only the operator can help: bioguard erase USER --all --operator, or bioguard user remove USER --operator"),
    ReplyStatus.NOT_CONFIGURABLE: (NotPermitted, "device.not_configurable",
        "what a device is was chosen when it was made",
        "run: bioguard device wipe, then device init"),
    ReplyStatus.NOT_CONFIGURED: (NotPermitted, "device.not_configured",
        "the initialization of this device was interrupted",
        "run: bioguard device wipe, then device init"),
    ReplyStatus.WRONG_LABEL: (IntegrityFailure, "store.names_altered", "names.json gives this name to somebody else",
        "the file was altered: restore it, nothing was done in this name"),
    ReplyStatus.NO_CONSENT: (NotPermitted, "consent.missing", "the user has not consented to this",
        "if they agree and are of age, run: bioguard consent grant USER --purpose unlock --of-age "
        "(identify for 1:N, key-use for a token of an operation)"),
    ReplyStatus.CONSENT_EXPIRED: (NotPermitted, "consent.expired", "the user's consent has expired",
        "if they agree again, run: bioguard consent grant USER --purpose PURPOSE --of-age"),
    ReplyStatus.SUSPENDED: (NotPermitted, "consent.suspended", "the policy changed since the user consented",
        "show them `bioguard notice`, then run: bioguard consent confirm USER"),
    ReplyStatus.OBJECTED: (NotPermitted, "consent.objected", "the user objected to this purpose",
        "only a new grant by the user lifts an objection"),
    ReplyStatus.RESTRICTED: (NotPermitted, "consent.restricted",
        "the user's data are restricted: stored, not processed",
        "run: bioguard unrestrict USER"),
    ReplyStatus.UNDERAGE: (NotPermitted, "consent.underage", "the user has not attested the minimum age",
        "grant consent with --of-age, if it is true"),
    ReplyStatus.UNKNOWN_REQUEST: (InputRefused, "request.unknown", "no such request", "run: bioguard request list"),
    ReplyStatus.NOT_SUPPORTED: (InputRefused, "request.not_supported", "this profile cannot do that",
        "run: bioguard device init --profile standard"),
    ReplyStatus.RATE_NOT_OFFERED: (InputRefused, "match.rate_not_offered", "this device does not decide at that rate",
        "leave the rate out: then it is the device's, which `bioguard device status` shows"),
    ReplyStatus.PROFILE_REFUSED: (InputRefused, "comparison_profile.refused",
        "the secure world does not take this comparison profile",
        "give one of faces and one of fingerprints at most, as `python -m bench calibrate` makes them"),
    ReplyStatus.OTHER_EXTRACTOR: (InputRefused, "sample.other_extractor",
        "the sample is of another extractor than what is enrolled",
        "give a sample of the extractor that `bioguard list` names, or erase what is enrolled and enroll it anew; of a "
        "sensor install what the device was made with, which `bioguard doctor` names, or make a new device"),
    ReplyStatus.SENSOR_ONLY: (InputRefused, "sample.sensor_only",
        "this device takes samples of this kind from its own sensor only",
        "give pictures (PNG, BMP, TIFF, PGM, WSQ); a device that takes feature files: "
        "bioguard device init without --sensor, or with --for-testing"),
    ReplyStatus.UNKNOWN_CAPTURE: (InputRefused, "sample.unknown_capture",
        "there is no such capture: it was used, or is older than a minute",
        "have the picture captured again"),
    ReplyStatus.SAMPLE_UNREADABLE: (NotAcquired, "sample.not_acquired",
        "the sensor's extractor made what is no sample (vendor)",
        "try again with another picture; if it stays so, the extractor is broken: bioguard doctor"),
    ReplyStatus.NO_SENSOR: (InputRefused, "device.no_sensor",
        "a sensor that the device was to be made with is not there",
        "run: bioguard doctor; it says what is missing"),
    ReplyStatus.UNKNOWN_SENSOR: (InputRefused, "sensor.unknown", "this device has no such sensor",
        "`bioguard device status` lists its sensors"),
    ReplyStatus.NO_FEATURE: (InputRefused, "sensor.no_feature", "a fingerprint sensor has no features to switch",
        "name a face sensor"),
    ReplyStatus.NOT_CALIBRATED: (InputRefused, "match.not_calibrated",
        "no comparison profile of this device is of the model or extractor that made these features",
        "`bioguard device status` names its profiles; make one: python -m bench calibrate, "
        "then a new device: bioguard device init --comparison-profile FILE (or --uncalibrated strict)"),
    ReplyStatus.FMR_NOT_MEASURABLE: (InputRefused, "match.fmr_not_measurable", "there is no threshold for this rate",
        "a single comparison can be held to a rate from 1/10 to 1/1000000000000"),
}
# fmt: on

_SENSOR = {
    SensorStatus.UNKNOWN_USER: _STATUSES[ReplyStatus.UNKNOWN_USER],
    SensorStatus.TOKEN_REFUSED: _STATUSES[ReplyStatus.TOKEN_REFUSED],
    SensorStatus.UNKNOWN_SENSOR: _STATUSES[ReplyStatus.UNKNOWN_SENSOR],
}

# fmt: off
_GATEKEEPER: dict[GatekeeperStatus, Row] = {
    GatekeeperStatus.GENERAL_FAILURE: (NotPermitted, "pin.wrong", "the PIN is wrong",
        "try again; failures are counted and slow down further tries"),
    GatekeeperStatus.RETRY_TIMEOUT: (NotPermitted, "pin.wait", "too many wrong PINs",
        "wait {wait_s} s, then try again"),
    GatekeeperStatus.REENROLL: (NotPermitted, "pin.reenroll", "the PIN was set by an older Gatekeeper",
        "run: bioguard pin set USER"),
    GatekeeperStatus.NOT_IMPLEMENTED: (InputRefused, "pin.not_implemented", "Gatekeeper does not do that",
        "see docs/android-contract.md section 5"),
}
# fmt: on

# fmt: off
_KEYSTORE: dict[KeystoreError, Row] = {
    KeystoreError.UNSUPPORTED_PURPOSE: (InputRefused, "key.unsupported_purpose",
        "keystore does not do that with this kind of key",
        "sign or verify"),
    KeystoreError.INCOMPATIBLE_PURPOSE: (InputRefused, "key.incompatible_purpose", "the key is not for that",
        "make a key with this purpose"),
    KeystoreError.INVALID_AUTHORIZATION_TIMEOUT: (InputRefused, "key.invalid_authorization_timeout",
        "a key cannot be released for 0 seconds",
        "give at least one second, or none for a token at each operation"),
    KeystoreError.KEY_USER_NOT_AUTHENTICATED: (NotPermitted, "key.not_authenticated",
        "the auth token does not release this key",
        "authenticate again, for this operation"),
    KeystoreError.INVALID_OPERATION_HANDLE: (InputRefused, "key.invalid_operation_handle", "there is no such operation",
        "begin it again: an operation is over after its first finish or abort"),
    KeystoreError.VERIFICATION_FAILED: (NotPermitted, "key.verification_failed", "the signature does not verify",
        "check message, signature and key"),
    KeystoreError.TOO_MANY_OPERATIONS: (NotPermitted, "key.too_many_operations", "too many operations are open",
        "finish or abort one first"),
    KeystoreError.INVALID_KEY_BLOB: (InputRefused, "key.invalid_key_blob",
        "there is no such key, or it cannot be made like this",
        "make a key with secure ids or without authorization, not both"),
    KeystoreError.INVALID_ARGUMENT: (InputRefused, "key.invalid_argument", "keystore refused an argument",
        "see docs/android-contract.md"),
}
# fmt: on

VOCABULARIES: dict[type[IntEnum], dict[IntEnum, Row]] = {
    ReplyStatus: cast("dict[IntEnum, Row]", _STATUSES),
    SensorStatus: cast("dict[IntEnum, Row]", _SENSOR),
    GatekeeperStatus: cast("dict[IntEnum, Row]", _GATEKEEPER),
    KeystoreError: cast("dict[IntEnum, Row]", _KEYSTORE),
}
"""Every vocabulary in which a trusted application says yes (0) or no, and what each no is here."""
