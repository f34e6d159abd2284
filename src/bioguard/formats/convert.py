"""From any feature file to any other format of its kind, with a list of what was lost.

Minutiae go through `FingerprintTemplate`: pixels at 500 dpi, the same for every source. What a record says besides
(finger position, impression type, quality of a view, product owner) is taken over where the target can hold it.
Nothing is claimed about losses: what was written is read again and compared.
"""

import io
import zipfile
from collections.abc import Sequence
from enum import StrEnum, unique
from pathlib import PurePath
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.formats import ansi2009, iso2011, v20
from bioguard.formats.files import LoadResult, load_bytes
from bioguard.formats.fmr import parse_minutiae
from bioguard.formats.losses import Loss, compare_fields, compare_minutiae, compare_values, view_quality
from bioguard.formats.minutiae import FINGERS, MinutiaeFormat, MinutiaeRecord
from bioguard.formats.options import DPI, ImportOptions
from bioguard.formats.write import ViewToWrite, encode_record, write_xyt
from bioguard.formats.xyt import XytRecord
from bioguard.records import FingerprintTemplate
from tee_sim.shared.dataclass import dataclass


@unique
class Target(StrEnum):
    """Formats that can be written."""

    ISO_2005 = "iso2005"
    ISO_2011 = "iso2011"
    ANSI_2004 = "ansi2004"
    ANSI_2009 = "ansi2009"
    ANSI_2009_AM1 = "ansi2009am1"
    XYT = "xyt"
    XYT_M1 = "xyt-m1"
    NPY = "npy"
    NPZ = "npz"
    CSV = "csv"


RECORDS = {
    Target.ISO_2005: MinutiaeFormat.ISO_2005,
    Target.ISO_2011: MinutiaeFormat.ISO_2011,
    Target.ANSI_2004: MinutiaeFormat.ANSI_2004,
    Target.ANSI_2009: MinutiaeFormat.ANSI_2009,
    Target.ANSI_2009_AM1: MinutiaeFormat.ANSI_2009_AM1,
}
TEXTS = (Target.XYT, Target.XYT_M1)
SUFFIX_TARGETS = {
    ".iso": (Target.ISO_2005, Target.ISO_2011),
    ".fmr": tuple(RECORDS),
    ".ist": tuple(RECORDS),
    ".ansi": (Target.ANSI_2004, Target.ANSI_2009, Target.ANSI_2009_AM1),
    ".xyt": TEXTS,
    ".npy": (Target.NPY,),
    ".npz": (Target.NPZ,),
    ".csv": (Target.CSV,),
}
"""What a file of this name may be; the first one is meant where nothing is said."""
_POSITIONS: dict[MinutiaeFormat, frozenset[int] | range] = {
    MinutiaeFormat.ISO_2005: FINGERS,
    MinutiaeFormat.ANSI_2004: FINGERS,
    MinutiaeFormat.ANSI_2009: FINGERS,
    MinutiaeFormat.ANSI_2009_AM1: ansi2009.AM1_POSITIONS,
    MinutiaeFormat.ISO_2011: iso2011.POSITIONS,
}
_IMPRESSIONS: dict[MinutiaeFormat, frozenset[int] | range] = {
    MinutiaeFormat.ISO_2005: v20.IMPRESSIONS,
    MinutiaeFormat.ANSI_2004: v20.IMPRESSIONS,
    MinutiaeFormat.ANSI_2009: ansi2009.IMPRESSIONS,
    MinutiaeFormat.ANSI_2009_AM1: ansi2009.IMPRESSIONS,
    MinutiaeFormat.ISO_2011: iso2011.IMPRESSIONS,
}
_SMALLEST = float(np.finfo(np.float32).tiny) * 2.0**24
UNKNOWN_IMPRESSION = 29
_LEFT_OUT = {"header.trailing_bytes": "bytes_after_the_record", "header.cbeff": "cbeff_header_and_signature"}
"""Code of a warning of the reader -> what no writer here takes over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A file in its new format.

    Attributes:
        octets: the file.
        source: format it was read from, for instance `iso19794-2:2005`.
        target: format it is in.
        views: how many.
        losses: what is not as it was.
    """

    octets: bytes
    source: str
    target: Target
    views: int
    losses: tuple[Loss, ...]


def convert(loaded: LoadResult, target: Target, *, view: int | None = None) -> Conversion:
    """Write what was read from a file in another format.

    Args:
        loaded: the file.
        target: the format to write.
        view: index of the only view to take, from 0; None takes all.

    Raises:
        InputRefused: the target cannot hold it (`convert.kind`, `convert.one_view`), there is no such view
            (`convert.view`), or what the writer raises.
    """
    count = len(loaded.features)
    if view is not None and view >= count:
        message = f"there is no view {view}, the file has {count}"
        raise InputRefused(message, hint="views count from 0", code="convert.view")
    taken = range(count) if view is None else range(view, view + 1)
    losses = [
        Loss(field=field, kind="lost", count=1, of=1, unit="files")
        for code, field in _LEFT_OUT.items()
        if any(warning.code == code for warning in loaded.warnings)
    ]
    if len(taken) < count:
        losses.append(Loss(field="view", kind="lost", count=count - len(taken), of=count, unit="views"))
    if loaded.rows is not None:
        octets, found = _faces(loaded.rows[taken.start : taken.stop], target)
    elif loaded.record is not None:
        octets, found = _minutiae(loaded, loaded.record, target, taken)
    else:
        raise TypeError("what load() or load_bytes() returned is wanted")
    return Conversion(octets=octets, source=loaded.format, target=target, views=len(taken), losses=(*losses, *found))


def _wrong_kind(what: str, target: Target, hint: str) -> InputRefused:
    return InputRefused(f"{what} cannot become {target.value}", hint=hint, code="convert.kind")


def _minutiae(
    loaded: LoadResult, record: MinutiaeRecord | XytRecord, target: Target, taken: range
) -> tuple[bytes, list[Loss]]:
    if target not in RECORDS and target not in TEXTS:
        raise _wrong_kind("minutiae", target, f"choose {', '.join([*RECORDS, *TEXTS])}")
    before = [t for t in loaded.features[taken.start : taken.stop] if isinstance(t, FingerprintTemplate)]
    written: MinutiaeRecord | XytRecord
    if target in RECORDS:
        octets = _record(before, record, RECORDS[target], taken)
        written = parse_minutiae(octets)
    elif len(before) > 1:
        message = f"{len(before)} views do not fit into one xyt file"
        raise InputRefused(message, hint="take one: --view N, from 0", code="convert.one_view")
    else:
        octets = write_xyt(before[0], m1=target is Target.XYT_M1)
        written = XytRecord.read(octets)
    # The convention of what was written is known, so nothing needs to be guessed.
    again = ImportOptions(xyt_m1=target is Target.XYT_M1, dpi=(DPI, DPI), lenient=True)
    result = load_bytes(octets, "x.xyt" if target in TEXTS else "x.fmr", again)
    after = [t for t in result.features if isinstance(t, FingerprintTemplate)]
    losses = [*compare_fields(record, written, taken)]
    if isinstance(record, XytRecord) and record.extra:
        losses.append(
            Loss(field="extra_columns", kind="lost", count=record.extra, of=len(record.rows), unit="minutiae")
        )
    if isinstance(record, XytRecord) and len(record.rows) > len(before[0]):
        count, of = len(record.rows) - len(before[0]), len(record.rows)
        losses.append(Loss(field="minutia", kind="lost", count=count, of=of, unit="minutiae"))
    return octets, [*losses, *compare_minutiae(before, after, origin_kept=target not in TEXTS)]


def _record(
    templates: Sequence[FingerprintTemplate],
    source: MinutiaeRecord | XytRecord,
    target: MinutiaeFormat,
    taken: Sequence[int],
) -> bytes:
    if isinstance(source, XytRecord):
        return encode_record(target, [ViewToWrite(template=t) for t in templates])
    views = []
    for template, index in zip(templates, taken, strict=True):
        view = source.views[index]
        quality = view_quality(view)
        known = view.impression in _IMPRESSIONS[target]
        unknown = UNKNOWN_IMPRESSION if UNKNOWN_IMPRESSION in _IMPRESSIONS[target] else 0
        views.append(
            ViewToWrite(
                template=template,
                position=view.position if view.position in _POSITIONS[target] else 0,
                impression=view.impression if known else unknown,
                quality=None if quality is None else max(quality, 1),
            )
        )
    owner, product = getattr(source, "owner", 0), getattr(source, "product", 0)
    return encode_record(target, views, owner=owner, product=product)


def _faces(rows: NDArray[np.generic], target: Target) -> tuple[bytes, list[Loss]]:
    if target not in (Target.NPY, Target.NPZ, Target.CSV):
        raise _wrong_kind("face embeddings", target, "choose npy, npz or csv")
    numbers = _as_written(rows)
    stream = io.BytesIO()
    if target is Target.NPY:
        np.save(stream, numbers, allow_pickle=False)
    elif target is Target.NPZ:
        np.savez(stream, allow_pickle=False, embeddings=numbers)
    else:
        for row in numbers.astype(np.float64).tolist():  # float64 text of a float32 is exact
            stream.write((",".join(map(repr, row)) + "\n").encode("ascii"))
    octets = stream.getvalue()
    again = load_bytes(octets, f"x.{target.value}").rows
    return octets, list(compare_values(rows, numbers if again is None else again))


def _as_written(rows: NDArray[np.generic]) -> NDArray[np.float32] | NDArray[np.float64]:
    """As float32, or as float64 where a row is too large or too small for that."""
    with np.errstate(over="ignore"):
        numbers = rows.astype(np.float32)
    largest = np.abs(numbers).max(axis=1)
    # An embedding that keeps 24 bits of its largest number keeps its direction.
    return numbers if np.isfinite(largest).all() and (largest > _SMALLEST).all() else rows.astype(np.float64)


def other_arrays(archive: BinaryIO) -> list[Loss]:
    """The arrays of an `.npz` file, which was read, that are not its embeddings, such as labels."""
    with zipfile.ZipFile(archive) as members:
        names = [PurePath(name).stem for name in members.namelist()]
    others = [name for name in names if name != "embeddings"] if len(names) > 1 else []
    # A name in an archive is anybody's: nothing of it may reach a terminal as an escape sequence.
    shown = ["".join(c if c.isalnum() or c in "_-." else "?" for c in name[:40]) for name in others]
    return [Loss(field=f"array {name}", kind="lost", count=1, of=len(names), unit="arrays") for name in shown]
