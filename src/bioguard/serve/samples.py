"""Samples as a client sends them, in their three forms."""

from collections.abc import Callable, Sequence

import numpy as np

from bioguard.errors import InputRefused
from bioguard.formats import ImportWarning, load_bytes
from bioguard.formats.options import flags_in
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.modality import Modality
from bioguard.serve.protocol import SampleForm

Warn = Callable[[ImportWarning], None]
Sample = tuple[Features, str]
"""With the extractor that it is said to be of; the empty string where nothing is said."""
_CANONICAL: dict[int, Callable[[bytes], Features]] = {
    Modality.FINGERPRINT: FingerprintTemplate.from_bytes,
    Modality.FACE: FaceEmbedding.from_bytes,
}


def _refused(what: str, hint: str) -> InputRefused:
    return InputRefused(what, hint=hint, code="serve.sample")


def read_sample(form: SampleForm, data: bytes, warn: Warn = lambda _: None, position: int = 0) -> Sample:
    """Read one sample, and which extractor its file says that it is of.

    Args:
        warn: gets what the reader of a file warns of.
        position: of the finger that the client names; 0 for none.

    Raises:
        InputRefused: it is not of this form.
    """
    if form is SampleForm.FLOAT32:
        if not data or len(data) % 4:
            raise _refused("a float32 sample has four bytes per number", "send a whole vector")
        return FaceEmbedding.from_features(np.frombuffer(data, "<f4")), ""
    if form is SampleForm.MINUTIAE_FILE:
        views, model = _minutiae(data, warn, position)
        if len(views) != 1:
            raise _refused(f"{len(views)} views, expected one", "send one view per sample")
        return views[0], model
    decode = _CANONICAL.get(data[1] if len(data) > 1 else 0)
    if decode is None:
        raise _refused("not a canonical sample", "see docs/formats/features.md")
    return decode(data), ""


def one_model(models: Sequence[str]) -> str:
    """Which extractor the samples of an enrollment are of. Raises InputRefused for several."""
    stated = sorted(set(models) - {""})
    if len(stated) > 1:
        raise _refused("samples of several extractors", "send those of one")
    return next(iter(stated), "")


def _minutiae(data: bytes, warn: Warn, position: int) -> tuple[Sequence[Features], str]:
    """Read the views of a file. This version has no import options, so no hint may send a caller there."""
    try:
        loaded = load_bytes(data, "sample.iso")
    except InputRefused as error:
        if not flags_in(error.hint):
            raise
        hint = f"with bioguard convert FILE OUT.iso, whose OUT.iso can be sent: {error.hint}"
        raise InputRefused(error.message, hint=hint, code=error.code) from error
    for warning in loaded.warnings:
        warn(warning)
    others = [other for other in loaded.positions if other not in (0, position)]
    if position and others:
        warn(ImportWarning("header.finger", f"its finger position is {others[0]}, it is taken as {position}"))
    return loaded.features, loaded.model
