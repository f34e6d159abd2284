"""The compiled comparison, when it was built, and which variant of it to use."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match.fingerprint.alignment import HULL
from bioguard.match.fingerprint.calibration import calibrated
from bioguard.match.fingerprint.comparator import N_EVIDENCE, kept_count, score_block
from bioguard.match.fingerprint.native import NATIVE
from bioguard.match.fingerprint.parameters import ALIGNMENT, CYLINDER, PAIRING
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare
from bioguard.match.fingerprint.records import Records
from bioguard.records import FingerprintTemplate

NUMPY = "numpy"


def backends() -> tuple[str, ...]:
    """What this machine can use, fastest first; always ends in "numpy"."""
    compiled: tuple[str, ...] = NATIVE.variants() if NATIVE else ()
    return (*compiled, NUMPY)


def pick(wanted: str | None = None) -> str:
    """The backend to use. Raises InputRefused for one that this machine does not have."""
    available = backends()
    if wanted is None:
        return available[0]
    if wanted not in available:
        hint = f"choose one of {', '.join(available)}"
        raise InputRefused(f"no fingerprint backend {wanted} here", hint=hint, code="input.backend")
    return wanted


def _constants() -> NDArray[np.float32]:
    """In the order of `fg_constants` in native/fingers/compare.h."""
    return np.array(
        [
            1 / CYLINDER.code_scale**2,
            int(PAIRING.floor * CYLINDER.code_scale**2),
            PAIRING.offset,
            1 / (1 + PAIRING.offset),
            PAIRING.tolerance_px500_squared,
            PAIRING.tolerance_growth,
            PAIRING.near_gain,
            PAIRING.turn_none_cos,
            1 / (PAIRING.turn_full_cos - PAIRING.turn_none_cos),
            PAIRING.iterations,
            ALIGNMENT.gate,
            *(t * t for t in ALIGNMENT.tolerances_px500),
            ALIGNMENT.direction_cos,
            ALIGNMENT.affine_ridge,
            ALIGNMENT.fit_floor,
            ALIGNMENT.min_matched,
            *HULL[0],
            *HULL[1],
        ],
        np.float32,
    )


_CONSTANTS = _constants()
_KEPT = kept_count(np.arange(256)).astype(np.int32)


def compare(probe: PreparedTemplate, records: Records, backend: str) -> NDArray[np.float32]:
    """Evidence of one probe against packed records, float32 [n, 6], by a compiled variant."""
    if NATIVE is None:
        raise InputRefused("the fingerprint kernel was not built", hint="use the numpy backend", code="input.backend")
    evidence = np.empty((len(records), N_EVIDENCE), np.float32)
    NATIVE.compare(
        NATIVE.variants().index(backend),
        probe.codes.shape[1],
        np.ascontiguousarray(probe.codes),
        np.ascontiguousarray(probe.places),
        _CONSTANTS,
        _KEPT,
        records.data,
        records.starts,
        records.counts,
        0,
        len(records),
        evidence,
    )
    return evidence


def scores_of(probe: PreparedTemplate, templates: Sequence[PreparedTemplate]) -> NDArray[np.float32]:
    """Scores of one probe against a few templates by the fastest backend, float32 [n]; for many, use a gallery."""
    fastest = backends()[0]
    if fastest == NUMPY or not templates:
        return score_block(probe, templates)
    return calibrated(compare(probe, Records.of(templates, probe.codes.shape[1]), fastest))


def score(probe: FingerprintTemplate | PreparedTemplate, template: FingerprintTemplate | PreparedTemplate) -> float:
    """Score of two templates, the decimal logarithm of a likelihood ratio; higher is more alike."""
    a, b = (t if isinstance(t, PreparedTemplate) else prepare(t) for t in (probe, template))
    return float(scores_of(a, [b])[0])
