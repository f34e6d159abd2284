"""Say what the search index is made of: records side by side in segments of bounded size, each one object. Pure.

A segment holds what a search needs of its records and nothing that they do not say: samples and codes byte for byte,
whose they are, when they were enrolled, and until when their owner may be searched for. So many thousand records are
read as a few hundred objects, and go into a gallery as arrays.

Which segment a record is in follows from its id, which the core draws: a segment of depth n has the records whose ids
begin with its n bits. One that grows over SEGMENT_BYTES is cut in two by the next bit. So to enroll, to erase and to
consent each rewrite one segment of a record, however many there are.

Specification: docs/formats/search-index.md.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Self

import numpy as np
from numpy.typing import NDArray

from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_BODY_BYTES
from tee_sim.shared.schema import AtMost, Record, UpTo

SEGMENT_BYTES: Final = 32 << 10
"""Of a segment of more than one record. With 10 000 faces of one view, 512 numbers, it is some 500 segments of 19: half
as large ones are read in 1.3 times the time, twice as large ones double what an enrollment writes."""
MOST_DEPTH: Final = 15
"""32 768 segments, a third of the records that a sensor may have (`MAX_RECORDS`)."""
_BITS: Final = 16
"""Of a prefix."""
_ID_BYTES: Final = 16

_HEAD: Final = np.dtype(
    [
        ("record", "V16"),
        ("user", "V16"),
        ("enrolled_s", ">u8"),
        ("until_ms", ">u8"),
        ("policy", ">u2"),
        ("samples", "u1"),
    ]
)
_SIZE: Final = np.dtype(">u2")

KINDS: Final = {Modality.FACE: "faceindex", Modality.FINGERPRINT: "fingerindex"}


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """Until when somebody may be searched for, and under which version of the policy; 0 and 0: not at all."""

    until_ms: int = 0
    policy: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedRecord:
    """What the index keeps of one record."""

    record_id: bytes
    user: bytes
    enrolled_s: int
    terms: SearchTerms
    views: tuple[bytes, ...]
    codes: tuple[bytes, ...]

    @property
    def size_bytes(self) -> int:
        """In a segment."""
        samples = (*self.views, *self.codes)
        return _HEAD.itemsize + sum(map(len, samples)) + _SIZE.itemsize * len(samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Record):
    """The sealed body of one segment.

    Attributes:
        depth: of its place; the prefix is in its id.
        code_epoch: the epoch whose secret made the codes, as in the records.
        heads: of each record, 51 bytes: record id, user, when enrolled (s), until when searchable (ms), policy version,
            number of samples.
        view_sizes, code_sizes: of each sample, u16; none where the records have none.
        views, codes: one behind the other.
    """

    depth: Annotated[int, UpTo(MOST_DEPTH)]
    code_epoch: Annotated[int, UpTo(1 << 62)]
    heads: Annotated[bytes, AtMost(MAX_BODY_BYTES)] = b""
    view_sizes: Annotated[bytes, AtMost(MAX_BODY_BYTES)] = b""
    views: Annotated[bytes, AtMost(MAX_BODY_BYTES)] = b""
    code_sizes: Annotated[bytes, AtMost(MAX_BODY_BYTES)] = b""
    codes: Annotated[bytes, AtMost(MAX_BODY_BYTES)] = b""

    @classmethod
    def of(cls, records: Iterable[IndexedRecord], code_epoch: int, depth: int) -> Self:
        """A segment of these records, in their order."""
        rows = list(records)
        views = [view for row in rows for view in row.views]
        codes = [code for row in rows for code in row.codes]
        heads = np.array(
            [
                (r.record_id, r.user, r.enrolled_s, r.terms.until_ms, r.terms.policy, len(r.views) or len(r.codes))
                for r in rows
            ],
            _HEAD,
        )
        return cls(
            depth=depth, code_epoch=code_epoch, heads=heads.tobytes(), view_sizes=_sizes_of(views),
            views=b"".join(views), code_sizes=_sizes_of(codes), codes=b"".join(codes),
        )  # fmt: skip

    def records(self) -> list[IndexedRecord]:
        """The records. Raises TeeError CORRUPT_OBJECT if its parts do not fit together."""
        columns = Columns.of([self])
        views, codes = cut_samples(columns.views, columns.view_sizes), cut_samples(columns.codes, columns.code_sizes)
        ends = np.cumsum(columns.heads["samples"], dtype=np.int64).tolist()
        return [
            IndexedRecord(
                record_id=record_id, user=user, enrolled_s=enrolled_s, terms=SearchTerms(until_ms, policy),
                views=tuple(views[end - samples : end]), codes=tuple(codes[end - samples : end]),
            )
            for (record_id, user, enrolled_s, until_ms, policy, samples), end in zip(
                columns.heads.tolist(), ends, strict=True
            )
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """The records of several segments, as arrays.

    Attributes:
        epochs: of the segments that have codes.
        heads: structured array, one entry each record.
        view_sizes, code_sizes: int64, one entry each sample, or empty.
        views, codes: one behind the other.
    """

    epochs: frozenset[int]
    heads: NDArray[np.void]
    view_sizes: NDArray[np.int64]
    views: bytes
    code_sizes: NDArray[np.int64]
    codes: bytes

    @classmethod
    def of(cls, segments: Sequence[Segment]) -> Self:
        """Join segments. Raises TeeError CORRUPT_OBJECT if their parts do not fit together."""
        joined = {
            name: b"".join(getattr(segment, name) for segment in segments)
            for name in ("heads", "view_sizes", "views", "code_sizes", "codes")
        }
        if len(joined["heads"]) % _HEAD.itemsize or any(
            len(joined[n]) % _SIZE.itemsize for n in joined if "sizes" in n
        ):
            raise _misfit()
        heads = np.frombuffer(joined["heads"], _HEAD)
        sizes = {n: np.frombuffer(joined[n], _SIZE).astype(np.int64) for n in ("view_sizes", "code_sizes")}
        samples = int(heads["samples"].sum(dtype=np.int64))
        fits = all(
            sizes[n].size in (0, samples) and int(sizes[n].sum()) == len(joined[data])
            for n, data in (("view_sizes", "views"), ("code_sizes", "codes"))
        )
        if not fits or not heads["samples"].all():
            raise _misfit()
        return cls(
            frozenset(segment.code_epoch for segment in segments if segment.codes), heads,
            sizes["view_sizes"], joined["views"], sizes["code_sizes"], joined["codes"],
        )  # fmt: skip

    def ids(self, name: str) -> NDArray[np.uint8]:
        """Ids of the records, or of their users, uint8 [n, 16]. name: `record` or `user`."""
        return np.ascontiguousarray(self.heads[name]).view(np.uint8).reshape(-1, _ID_BYTES)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a segment is: the records whose ids begin with the first `depth` of these 16 bits; the others are 0."""

    depth: int = 0
    prefix: int = 0

    def halves(self) -> tuple["Place", "Place"]:
        """Its two parts, one bit deeper."""
        return Place(self.depth + 1, self.prefix), Place(self.depth + 1, self.prefix | 1 << _BITS - 1 - self.depth)

    def object_id(self, sensor_id: int) -> bytes:
        """Of the segment. The lower half of one that is cut keeps its id: nothing is erased where something grows."""
        return b"I" + bytes([sensor_id]) + self.prefix.to_bytes(_BITS // 8, "big")


def sensor_of(object_id: bytes) -> int:
    """Whose records are in the segment of this id."""
    return object_id[1]


def places_for(record_id: bytes) -> list[Place]:
    """Where a record could be, the deepest first: it is in the first of these that there is."""
    bits = int.from_bytes(record_id[: _BITS // 8], "big")
    return [Place(depth, bits >> _BITS - depth << _BITS - depth) for depth in range(MOST_DEPTH, -1, -1)]


def cut(place: Place, records: Sequence[IndexedRecord]) -> dict[Place, list[IndexedRecord]]:
    """Segments for these records, all of which belong here: one, or the parts that it is cut into, empty ones too."""
    if len(records) < 2 or place.depth == MOST_DEPTH or sum(r.size_bytes for r in records) <= SEGMENT_BYTES:
        return {place: list(records)}
    low, high = place.halves()
    in_high = [places_for(record.record_id)[MOST_DEPTH - high.depth] == high for record in records]
    parts = [[r for r, is_high in zip(records, in_high, strict=True) if is_high is which] for which in (False, True)]
    return cut(low, parts[0]) | cut(high, parts[1])


def select(records: Columns, kept: NDArray[np.bool_]) -> Columns:
    """Only these records, bool [n]."""
    if kept.all():
        return records
    of_sample = np.repeat(kept, records.heads["samples"])

    def chosen(data: bytes, sizes: NDArray[np.int64]) -> tuple[NDArray[np.int64], bytes]:
        if not sizes.size:
            return sizes, data
        of_byte = np.repeat(of_sample, sizes)
        return sizes[of_sample], np.frombuffer(data, np.uint8)[of_byte].tobytes()

    views, codes = chosen(records.views, records.view_sizes), chosen(records.codes, records.code_sizes)
    return Columns(records.epochs, records.heads[kept], *views, *codes)


def _sizes_of(samples: Sequence[bytes]) -> bytes:
    return np.array([len(sample) for sample in samples], _SIZE).tobytes()


def cut_samples(data: bytes, sizes: NDArray[np.int64]) -> list[bytes]:
    """Each of the samples that stand one behind the other."""
    ends = np.cumsum(sizes).tolist()
    return [data[end - size : end] for end, size in zip(ends, sizes.tolist(), strict=True)]


def _misfit() -> TeeError:
    return TeeError(TeeResult.CORRUPT_OBJECT, "a segment of the search index does not fit together")
