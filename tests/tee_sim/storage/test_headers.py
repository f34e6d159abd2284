"""What is read of a header without decoding it is what stands in it, at every size of its fields."""

from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from tee_sim.shared.object_header import (
    COMMITMENT_BYTES,
    ID_BYTES,
    MAX_IDS,
    MAX_KIND_CHARS,
    MAX_OBJECT_ID_BYTES,
    MAX_OWNER_BYTES,
    Header,
    owner_and_kind,
    parse_header,
)

HEADERS = st.builds(
    Header,
    ta=st.builds(UUID, bytes=st.binary(min_size=16, max_size=16)),
    object_id=st.binary(max_size=MAX_OBJECT_ID_BYTES),
    version=st.one_of(*(st.integers(0, (1 << bits) - 1) for bits in (4, 5, 8, 16, 32, 64))),
    kind=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=MAX_KIND_CHARS),
    owner=st.binary(max_size=MAX_OWNER_BYTES),
    commitment=st.sampled_from([b"", bytes(COMMITMENT_BYTES)]),
    ids=st.integers(0, MAX_IDS).map(lambda count: bytes(count * ID_BYTES)),
)
TA = UUID(int=1)


@given(HEADERS, st.binary(max_size=80))
@example(Header(ta=TA, object_id=bytes(23), version=23, kind="", owner=bytes(23), commitment=b""), b"")
@example(Header(ta=TA, object_id=bytes(24), version=24, kind="k" * 16, owner=bytes(24), commitment=b""), b"-")
@example(Header(ta=TA, object_id=b"", version=1 << 63, kind="k", owner=bytes(32), commitment=bytes(32)), b"-")
def test_owner_and_kind_are_those_of_the_header(header: Header, before: bytes) -> None:
    raw = header.to_bytes()
    assert owner_and_kind(before + raw, len(before), len(header.object_id)) == (header.owner, header.kind)
    assert parse_header(raw) == header
