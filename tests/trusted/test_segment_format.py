"""A segment is what docs/formats/search-index.md says: to the product and to a second reader made from that page."""

import json
import struct
from pathlib import Path

import cbor2
import pytest

from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.trusted.biometric.search_segments import IndexedRecord, Place, SearchTerms, Segment, places_for
from tee_sim.shared.errors import TeeError

VECTOR = json.loads((Path(__file__).parents[1] / "vectors/search/segment.json").read_text(encoding="utf-8"))
HEAD = struct.Struct(">16s16sQQHB")


def second_reader(data: bytes) -> tuple[int, int, list[dict[str, object]]]:
    depth, epoch, heads, view_sizes, views, code_sizes, codes = cbor2.loads(data)
    parts: dict[str, list[str]] = {"views": [], "codes": []}
    for name, sizes, joined in (("views", view_sizes, views), ("codes", code_sizes, codes)):
        at = 0
        for (size,) in struct.iter_unpack(">H", sizes):
            parts[name].append(joined[at : at + size].hex())
            at += size
        assert at == len(joined)
    found = []
    for record_id, user, enrolled_s, until_ms, policy, samples in HEAD.iter_unpack(heads):
        record = {"record_id": record_id.hex(), "user": user.hex(), "enrolled_s": enrolled_s, "until_ms": until_ms}
        found.append(record | {"policy": policy} | {name: rows[:samples] for name, rows in parts.items()})
        parts = {name: rows[samples:] for name, rows in parts.items()}
    assert not any(parts.values())
    return depth, epoch, found


def ours(record: dict[str, object]) -> IndexedRecord:
    return IndexedRecord(
        record_id=bytes.fromhex(str(record["record_id"])),
        user=bytes.fromhex(str(record["user"])),
        enrolled_s=int(str(record["enrolled_s"])),
        terms=SearchTerms(int(str(record["until_ms"])), int(str(record["policy"]))),
        views=tuple(map(bytes.fromhex, record["views"])),  # type: ignore[arg-type]
        codes=tuple(map(bytes.fromhex, record["codes"])),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("case", VECTOR["cases"], ids=lambda case: case["comment"])
def test_both_read_what_the_product_writes(case: dict[str, object]) -> None:
    records = case["records"]
    assert isinstance(records, list)
    made = Segment.of(map(ours, records), VECTOR["code_epoch"], VECTOR["depth"]).to_bytes()
    assert made.hex() == case["segment"]
    assert second_reader(made) == (VECTOR["depth"], VECTOR["code_epoch"], records)
    assert Segment.from_bytes(made).records() == [ours(record) for record in records]


def test_where_a_record_is() -> None:
    assert Place().object_id(SENSOR_IDS[Modality.FACE]).hex() == "49010000"
    places = places_for(bytes.fromhex("a5ff"))
    assert [place.depth for place in places] == list(range(15, -1, -1))
    assert [places[15 - depth].object_id(SENSOR_IDS[Modality.FINGERPRINT]).hex() for depth in (0, 1, 2, 3, 8, 15)] == [
        "49000000", "49008000", "49008000", "4900a000", "4900a500", "4900a5fe",
    ]  # fmt: skip
    assert places[15 - 2].halves() == (Place(3, 0x8000), Place(3, 0xA000))


def test_parts_that_do_not_fit_together_are_no_segment() -> None:
    with pytest.raises(TeeError):
        Segment(depth=0, code_epoch=1, heads=bytes(51)).records()  # a record without a sample
