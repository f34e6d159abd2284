"""Feature records: canonical bytes, one encoding per value, everything else refused (docs/formats/features.md)."""

import struct

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bioguard.errors import InputRefused
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.features import features_from_bytes

STEP = 2 * np.pi / 65536


@st.composite
def fingers(draw: st.DrawFn) -> tuple[dict, int, int]:
    n = draw(st.integers(0, 255) if draw(st.booleans()) else st.integers(0, 5))
    width, height = draw(st.integers(1, 4095)), draw(st.integers(1, 4095))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    columns = {
        "x_px500": rng.random(n) * width,
        "y_px500": rng.random(n) * height,
        "angle_rad": rng.random(n) * 40 - 20,
        "kind": rng.integers(0, 3, n),
        "quality": rng.integers(0, 101, n),
    }
    return columns, width, height


@given(fingers())
@settings(max_examples=80)
def test_fingerprint_round_trip_and_rounding(made) -> None:
    columns, width, height = made
    t = FingerprintTemplate.from_minutiae(**columns, width_px500=width, height_px500=height)
    octets = t.to_bytes()
    assert len(octets) == 8 + 8 * len(columns["kind"])
    again = FingerprintTemplate.from_bytes(octets)
    assert again == t
    assert again.to_bytes() == octets
    assert hash(again) == hash(t)
    for name in ("x_px500", "y_px500", "angle_rad", "kind", "quality"):
        assert np.array_equal(getattr(again, name), getattr(t, name))
        assert not getattr(t, name).flags.writeable
    assert np.abs(t.x_px500 - columns["x_px500"]).max(initial=0) <= 1 / 32 + 1e-4
    turn = (t.angle_rad - columns["angle_rad"] + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(turn).max(initial=0) <= STEP / 2 + 1e-5
    assert t.angle_rad.size == 0 or (t.angle_rad.min() >= 0 and t.angle_rad.max() < 2 * np.pi)


def test_fingerprint_layout_by_hand() -> None:
    """docs/formats/features.md section 2, packed field by field."""
    t = FingerprintTemplate.from_minutiae(
        [10.5, 300],
        [20.0625, 399],
        [np.pi / 2, 3 * np.pi / 2],
        kind=[1, 2],
        quality=[0, 100],
        width_px500=300,
        height_px500=400,
    )
    expected = struct.pack("<BBHHH", 1, 1, 2, 300, 400)
    expected += struct.pack("<HHHBB", 168, 321, 16384, 1, 0) + struct.pack("<HHHBB", 4800, 6384, 49152, 2, 100)
    assert t.to_bytes() == expected


def test_face_layout_by_hand() -> None:
    vector = np.zeros(64)
    vector[0], vector[63] = 3, -4
    octets = FaceEmbedding.from_features(vector).to_bytes()
    assert octets == struct.pack("<BBH", 1, 2, 64) + np.float16(0.6).tobytes() + bytes(124) + np.float16(-0.8).tobytes()


@given(hnp.arrays(np.float64, st.integers(64, 1024), elements=st.floats(-1e300, 1e300)))
@settings(max_examples=80)
def test_face_round_trip_and_scale(values: np.ndarray) -> None:
    assume(np.abs(values).max() > 1e-6)
    face = FaceEmbedding.from_features(values)
    again = FaceEmbedding.from_bytes(face.to_bytes())
    assert again == face
    assert again.to_bytes() == face.to_bytes()
    assert np.array_equal(face.vector, face.vector.astype(np.float16).astype(np.float32))
    assert abs(float(np.linalg.norm(face.vector.astype(np.float64))) - 1) < 0.01
    assert not face.vector.flags.writeable
    assert FaceEmbedding.from_features(values / 4) == face


@given(fingers(), st.data())
@settings(max_examples=80)
def test_a_changed_byte_is_refused_or_another_template(made, data: st.DataObject) -> None:
    columns, width, height = made
    t = FingerprintTemplate.from_minutiae(**columns, width_px500=width, height_px500=height)
    octets = bytearray(t.to_bytes())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = FingerprintTemplate.from_bytes(bytes(octets))
    except InputRefused as error:
        assert error.code.startswith("input.")
    else:
        assert changed != t
        assert changed.to_bytes() == bytes(octets)


@pytest.mark.parametrize("kind", [FingerprintTemplate, FaceEmbedding])
@given(octets=st.binary(max_size=160) | st.binary(max_size=160).map(lambda b: b"\1\2\x40\0" + b))
@settings(max_examples=150)
def test_any_bytes_are_canonical_or_refused(kind, octets: bytes) -> None:
    try:
        record = kind.from_bytes(octets)
    except InputRefused as error:
        assert error.hint
    else:
        assert record.to_bytes() == octets


GOOD = {"x_px500": [1.0], "y_px500": [1.0], "angle_rad": [0.0], "width_px500": 10, "height_px500": 10}


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"y_px500": [1.0, 2.0]}, "input.shape", "minutiae arrays differ in length"),
        ({"x_px500": [np.nan]}, "input.not_finite", "a minutia is not finite"),
        ({"angle_rad": [np.inf]}, "input.not_finite", "a minutia is not finite"),
        ({"x_px500": [10.5]}, "input.outside_image", "a minutia lies outside the image"),
        ({"y_px500": [-0.5]}, "input.outside_image", "a minutia lies outside the image"),
        ({"kind": [3]}, "input.minutia", "minutia type or quality out of range"),
        ({"quality": [101]}, "input.minutia", "minutia type or quality out of range"),
        ({"width_px500": 4096}, "input.image_size", "image width 4096 px at 500 dpi is outside 1..4095"),
        ({"height_px500": 0}, "input.image_size", "image height 0 px at 500 dpi is outside 1..4095"),
        (
            {"x_px500": [1.0] * 256, "y_px500": [1.0] * 256, "angle_rad": [0.0] * 256},
            "input.too_many_minutiae",
            "256 minutiae, at most 255 are allowed",
        ),
    ],
)
def test_bad_minutiae(change: dict, code: str, text: str) -> None:
    with pytest.raises(InputRefused) as caught:
        FingerprintTemplate.from_minutiae(**(GOOD | change))
    assert (caught.value.code, caught.value.message) == (code, text)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.ones(63), "input.dimension"),
        (np.ones(1025), "input.dimension"),
        (np.ones((1, 64)), "input.dimension"),
        (np.zeros(64), "input.zero_vector"),
        (np.full(64, np.nan), "input.not_finite"),
        (np.full(64, -np.inf), "input.not_finite"),
    ],
)
def test_bad_faces(values: np.ndarray, code: str) -> None:
    with pytest.raises(InputRefused) as caught:
        FaceEmbedding.from_features(values)
    assert caught.value.code == code


def test_face_bytes_that_are_no_unit_vector() -> None:
    half = FaceEmbedding.from_features(np.ones(64)).to_bytes()
    doubled = half[:4] + (np.frombuffer(half[4:], "<f2") * np.float16(2)).tobytes()
    with pytest.raises(InputRefused, match="face record is not a unit vector"):
        FaceEmbedding.from_bytes(doubled)
    with pytest.raises(InputRefused, match="not a face record"):
        FaceEmbedding.from_bytes(half + b"\0")


@pytest.mark.parametrize("zero", [-0.0, -1e-12])
def test_equal_faces_have_equal_bytes(zero: float) -> None:
    """-0.0, given or rounded to, is 0.0 in a record, and no bytes with it are taken in."""
    values = np.ones(64)
    values[5] = 0.0
    face = FaceEmbedding.from_features(values)
    values[5] = zero
    assert FaceEmbedding.from_features(values).to_bytes() == face.to_bytes()
    octets = bytearray(face.to_bytes())
    octets[4 + 2 * 5 + 1] = 0x80
    for read in (FaceEmbedding.from_bytes, features_from_bytes):
        with pytest.raises(InputRefused, match="face record is not canonical"):
            read(bytes(octets))
