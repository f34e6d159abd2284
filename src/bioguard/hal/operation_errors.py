"""Which onError a refusal is. AIDL has a number for few of them: the others say theirs in `reason`.

`reason` is the stable code of the refusal, the one of the command line; it is empty where AIDL says it all.
"""

from bioguard.errors import BioguardError, IntegrityFailure, TeeUnavailable
from bioguard.hal.aidl_codes import ErrorCode
from bioguard.hal.callbacks import OperationError

DUPLICATE_VENDOR_CODE = 1
"""onError(VENDOR, 1): this finger is enrolled already. AIDL has no code of its own for it."""

_UNABLE = OperationError(ErrorCode.UNABLE_TO_PROCESS)
_TOO_OLD = "sample.unknown_capture"
"""Callers name no captures here: it is one of an enrollment on its way, which the secure world has dropped."""
_TABLE = {
    _TOO_OLD: OperationError(ErrorCode.TIMEOUT, reason=_TOO_OLD),
    "token.refused": _UNABLE,
    "token.unusable": _UNABLE,
    "enroll.user_full": OperationError(ErrorCode.NO_SPACE),
    "store.full": OperationError(ErrorCode.NO_SPACE, reason="store.full"),
    "enroll.duplicate_finger": OperationError(
        ErrorCode.VENDOR, DUPLICATE_VENDOR_CODE, reason="enroll.duplicate_finger"
    ),
    "enroll.already_enrolled": OperationError(
        ErrorCode.VENDOR, DUPLICATE_VENDOR_CODE, reason="enroll.already_enrolled"
    ),
}

_SAMPLES = ("sample.", "capture.", "picture.", "features.")
_OF_A_SAMPLE = {
    "match.dimension",
    "match.not_centered",
    "match.not_calibrated",
    "enroll.modality",
    "sensor.kind",
    "request.argument",
}


def error_of(refusal: BioguardError, otherwise: ErrorCode = ErrorCode.UNABLE_TO_PROCESS) -> OperationError:
    """The onError that ends the operation. otherwise: for a refusal that AIDL has no number for."""
    known = _TABLE.get(refusal.code)
    if known is not None:
        return known
    broken = isinstance(refusal, TeeUnavailable | IntegrityFailure)
    return OperationError(ErrorCode.HW_UNAVAILABLE if broken else otherwise, reason=refusal.code)


def is_of_the_sample(refusal: BioguardError) -> bool:
    """Whether only what was presented is at fault: no sensor would deliver that, so it is the caller's refusal and the
    operation waits on."""
    return refusal.code in _OF_A_SAMPLE or (refusal.code.startswith(_SAMPLES) and refusal.code != _TOO_OLD)
