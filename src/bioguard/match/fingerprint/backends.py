"""Which backend compares: the variants of the compiled one, fastest first, then NumPy."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match.fingerprint.calibration import calibrated
from bioguard.match.fingerprint.extraction import NATIVE
from bioguard.match.fingerprint.native_backend import NativeRows, PackedTemplates, compare
from bioguard.match.fingerprint.numpy_backend import NumpyRows, score_block
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare
from bioguard.records import FingerprintTemplate

NUMPY = "numpy"


class GalleryRows(Protocol):
    """Rows of prepared templates, numbered from zero."""

    def __len__(self) -> int: ...

    @property
    def nbytes(self) -> int: ...

    def add(self, templates: Sequence[PreparedTemplate]) -> None: ...

    def keep(self, mask: NDArray[np.bool_]) -> None: ...

    def template(self, row: int) -> PreparedTemplate: ...

    def evidence(self, probe: PreparedTemplate) -> NDArray[np.float32]: ...

    def shortlist(self, probe: PreparedTemplate, k: int) -> NDArray[np.int64] | None:
        """Rows worth a full comparison when the k best are wanted, or None for all."""
        ...

    def evidence_of(self, probe: PreparedTemplate, rows: NDArray[np.int64]) -> NDArray[np.float32]: ...


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


def gallery_rows(backend: str, dimensions: int, threads: int) -> GalleryRows:
    """An empty gallery of a backend; only a compiled one uses the threads."""
    return NumpyRows(dimensions) if backend == NUMPY else NativeRows(backend, dimensions, threads)


def scores_of(probe: PreparedTemplate, templates: Sequence[PreparedTemplate]) -> NDArray[np.float32]:
    """Scores of one probe against a few templates by the fastest backend, float32 [n]; for many, use a gallery."""
    fastest = backends()[0]
    if fastest == NUMPY or not templates:
        return score_block(probe, templates)
    return calibrated(compare(probe, [PackedTemplates.of(templates, probe.codes.shape[1])], fastest))


def score(probe: FingerprintTemplate | PreparedTemplate, template: FingerprintTemplate | PreparedTemplate) -> float:
    """Score of two templates, the decimal logarithm of a likelihood ratio; higher is more alike."""
    a, b = (t if isinstance(t, PreparedTemplate) else prepare(t) for t in (probe, template))
    return float(scores_of(a, [b])[0])
