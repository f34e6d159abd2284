"""What a conversion loses, found by reading what was written and comparing it with what was read."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.formats.extended import NO_EXTENDED_DATA
from bioguard.formats.iso2011 import NO_DATE
from bioguard.formats.minutiae import PERCENT, MinutiaeRecord
from bioguard.formats.xyt import XytRecord
from bioguard.records import FingerprintTemplate
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One thing that is not as it was.

    Attributes:
        field: what, in snake case.
        kind: "lost": the target does not have it; "changed": another value; "rounded": nearest the target can hold.
        count: how many views, minutiae or values it concerns.
        of: of how many.
        unit: what is counted: "views", "minutiae", "values".
        largest: the largest difference, for rounded and changed measures.
        largest_unit: its unit.
    """

    field: str
    kind: str
    count: int
    of: int
    unit: str
    largest: float | None = None
    largest_unit: str = ""

    def line(self) -> str:
        """For people."""
        most = "" if self.largest is None else f", by at most {self.largest:.2g} {self.largest_unit}"
        return f"{self.kind}: {self.field.replace('_', ' ')} of {self.count} of {self.of} {self.unit}{most}"


_NOT_GIVEN: dict[str, tuple[object, ...]] = {
    "capture_equipment": (0,),
    "product_owner": (0,),
    "product_type": (0,),
    "compliance": (0,),
    "scanner_id": (0,),
    "finger_position": (0,),
    "view_number": (),
    "impression_type": (0,),
    "capture_date": (NO_DATE, bytes(len(NO_DATE))),
    "device_technology": (0,),
    "device_vendor": (0,),
    "device_type": (0,),
    "certifications": (None, ()),
    "ridge_ending_type": (0,),
    "extended_data": (NO_EXTENDED_DATA,),
}
"""Field -> values that say nothing."""
_ATTRIBUTES = {
    "capture_equipment": "equipment",
    "product_owner": "owner",
    "product_type": "product",
    "scanner_id": "scanner",
    "finger_position": "position",
    "impression_type": "impression",
    "device_technology": "technology",
    "device_vendor": "vendor",
    "device_type": "device",
    "ridge_ending_type": "ending_type",
    "extended_data": "extended",
}


def view_quality(view: object) -> int | None:
    """Quality of a view, 0..100, however its format has it; None: not reported."""
    blocks = getattr(view, "qualities", None)
    value = (blocks[0].value if blocks else None) if blocks is not None else getattr(view, "quality", None)
    if value is None or value not in PERCENT:
        return None
    # 0 is "not reported" in version 20 only, whose views have no vendor of a quality.
    return None if value == 0 and blocks is None and not hasattr(view, "quality_vendor") else int(value)


def _stated(record: MinutiaeRecord | XytRecord, index: int) -> dict[str, object]:
    """What a record says of one view besides its minutiae."""
    if isinstance(record, XytRecord):
        return {}
    view, image = record.views[index], record.geometry(index)
    found: dict[str, object] = {
        "image_size": (image.width, image.height),
        "resolution": (image.x_per_cm, image.y_per_cm),
        "view_quality": view_quality(view),
        "quality_source": tuple(
            [(b.vendor, b.algorithm) for b in getattr(view, "qualities", ())]
            or [(getattr(view, "quality_vendor", 0), getattr(view, "quality_algorithm", 0))]
        ),
    }
    for name, nothing in _NOT_GIVEN.items():
        attribute = _ATTRIBUTES.get(name, name)
        value = getattr(view, attribute, getattr(record, attribute, None))
        found[name] = None if value in nothing else value
    if found["quality_source"] == ((0, 0),):
        found["quality_source"] = None
    return {name: value for name, value in found.items() if value is not None}


def compare_fields(
    before: MinutiaeRecord | XytRecord, after: MinutiaeRecord | XytRecord, views: Sequence[int]
) -> Iterator[Loss]:
    """Fields of the views `views` of the file read, against all views of the file written."""
    lost: dict[str, int] = {}
    changed: dict[str, int] = {}
    for new, old in enumerate(views):
        said, says = _stated(before, old), _stated(after, new)
        for name, value in said.items():
            if name not in says:
                lost[name] = lost.get(name, 0) + 1
            elif says[name] != value:
                changed[name] = changed.get(name, 0) + 1
    for kind, counts in (("lost", lost), ("changed", changed)):
        for name, count in counts.items():
            yield Loss(field=name, kind=kind, count=count, of=len(views), unit="views")


def compare_minutiae(
    before: Sequence[FingerprintTemplate], after: Sequence[FingerprintTemplate], *, origin_kept: bool
) -> Iterator[Loss]:
    """Minutiae, one by one: both files have the same ones in the same order.

    Args:
        before: views as they were read.
        after: views as they are read from the file written.
        origin_kept: False for text, which has no image, so that the whole finger may have moved, and no types.
    """
    total = sum(len(t) for t in before)
    moved, turned = [], []
    kinds = qualities = 0
    shifted = 0
    for old, new in zip(before, after, strict=True):
        shift = np.stack([new.x_px500 - old.x_px500, new.y_px500 - old.y_px500]).astype(np.float64)
        if not origin_kept and shift.size:
            whole = np.rint(np.median(shift, axis=1, keepdims=True))
            shifted += bool(whole.any())
            shift -= whole
        moved.append(np.hypot(*shift))
        angle = new.angle_rad.astype(np.float64) - old.angle_rad
        turned.append(np.degrees(np.abs((angle + np.pi) % (2 * np.pi) - np.pi)))
        kinds += int(np.count_nonzero(new.kind != old.kind))
        qualities += int(np.count_nonzero(new.quality != old.quality))
    yield from _rounded("position", np.concatenate(moved), 1 / 32, "pixels at 500 dpi")
    yield from _rounded("angle", np.concatenate(turned), 0.006, "degrees")
    for name, count, kind in (("type", kinds, "changed" if origin_kept else "lost"), ("quality", qualities, "changed")):
        if count:
            yield Loss(field=f"minutia_{name}", kind=kind, count=count, of=total, unit="minutiae")
    if shifted:
        yield Loss(field="origin", kind="lost", count=shifted, of=len(before), unit="views")


def _rounded(name: str, differences: NDArray[np.float64], negligible: float, unit: str) -> Iterator[Loss]:
    count = int(np.count_nonzero(differences > negligible))
    if count:
        yield Loss(
            field=name,
            kind="rounded",
            count=count,
            of=differences.size,
            unit="minutiae",
            largest=float(differences.max()),
            largest_unit=unit,
        )


def compare_values(before: NDArray[np.generic], after: NDArray[np.generic]) -> Iterator[Loss]:
    """Numbers of embeddings, as float64."""
    old, new = before.astype(np.float64), after.astype(np.float64)
    difference = np.abs(new - old)
    count = int(np.count_nonzero(difference))
    if count:
        scale = float(np.abs(old).max())
        yield Loss(
            field="numbers",
            kind="rounded",
            count=count,
            of=old.size,
            unit="values",
            largest=float(difference.max()) / scale,
            largest_unit="of the largest number",
        )
