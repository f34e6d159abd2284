"""What is decoded, what is refused, and that the size is bounded before a decoder of others sees a byte."""

import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.capture import pictures
from bioguard.capture.picture_headers import read_header
from bioguard.capture.pictures import decode
from bioguard.errors import InputRefused
from bioguard.records.modality import Modality
from tests.capture.drawn import bmp, png, pnm, ridges, tiff, wsq

GRAY = ridges()
COLOR = np.dstack([GRAY, GRAY // 2, 255 - GRAY])
FILES = {
    "png": png(GRAY, dpi=500),
    "bmp": bmp(GRAY, dpi=500),
    "tiff": tiff(GRAY, dpi=500),
    "tiff, big-endian": tiff(GRAY, dpi=500, order=">"),
    "pgm": pnm(GRAY),
    "pgm with a comment": pnm(GRAY, b"# drawn\n"),
    "gray saved in color": png(np.dstack([GRAY] * 3), dpi=500),
}


@pytest.mark.parametrize("name", FILES)
def test_a_finger_in_every_format_that_loses_nothing(name: str) -> None:
    data = FILES[name]
    header = read_header(data)
    assert (header.width, header.height, header.bits, header.dpi) == (160, 200, 8, 0 if "pgm" in name else 500)
    picture = decode(data, 500)
    assert (picture.pixels == GRAY).all()
    assert (picture.width, picture.height, picture.dpi) == (160, 200, 500)
    with pytest.raises(ValueError, match="read-only"):
        picture.pixels[0, 0] = 1


def test_wsq_loses_a_little_and_says_its_resolution() -> None:
    data = wsq(GRAY)
    assert read_header(data).dpi == 500
    picture = decode(data, None)
    assert picture.pixels.shape == GRAY.shape
    assert np.corrcoef(picture.pixels.reshape(-1), GRAY.reshape(-1))[0, 1] > 0.9


@pytest.mark.parametrize("data", [png(COLOR), pnm(COLOR), tiff(COLOR), tiff(COLOR, order=">")])
def test_a_face_is_rgb_and_has_no_dpi(data: bytes) -> None:
    picture = decode(data, 500, Modality.FACE)
    assert (picture.pixels == COLOR).all()
    assert picture.dpi == 0
    gray = decode(pnm(GRAY), None, Modality.FACE)
    assert (gray.pixels == GRAY[:, :, None]).all()


def test_a_stated_resolution_wins_and_none_is_refused() -> None:
    assert decode(png(GRAY, dpi=300), None).dpi == 300
    assert decode(png(GRAY, dpi=72), 500).dpi == 500
    for data, dpi in ((png(GRAY), None), (png(GRAY, dpi=72), None), (png(GRAY, dpi=500), 0), (pnm(GRAY), 1201)):
        with pytest.raises(InputRefused) as refused:
            decode(data, dpi)
        assert refused.value.code == "picture.dpi"


def refused(data: bytes, modality: Modality = Modality.FINGERPRINT) -> str:
    with pytest.raises(InputRefused) as error:
        decode(data, 500, modality)
    return error.value.code


def sized(width: int, height: int) -> bytes:
    """A PNG of that size by its header, with no pixel in it."""
    whole = bytearray(png(GRAY))
    whole[16:24] = struct.pack(">II", width, height)
    return bytes(whole)


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("picture.format", b""),
        ("picture.format", b"GIF89a" + bytes(200)),
        ("picture.format", b"\xff\xd8\xff\xe0" + bytes(200)),
        ("picture.format", b"P2\n100 100\n255\n" + b"1 " * 10_000),
        ("picture.damaged", b"P5"),
        ("picture.damaged", b"P5" + b" " * 4000 + b"x"),  # read at once, and not in ages
        ("picture.damaged", b"BM"),
        ("picture.damaged", b"II*\0"),
        ("picture.damaged", b"II*\0" + struct.pack("<I", 2**31)),
        ("picture.damaged", b"\xff\xa0\xff\xff\0\2" + bytes(20)),
        ("picture.damaged", b"\xff\xa0" + b"\xff\xa8\0\0" * 9),
        ("picture.damaged", png(GRAY)[:60]),
        ("picture.damaged", png(GRAY)[:3000]),
        ("picture.damaged", png(GRAY[:, :100]).replace(png(GRAY[:, :100])[16:24], struct.pack(">II", 160, 200))),
        ("picture.damaged", wsq(GRAY)[:60]),
        ("picture.channels", png(GRAY, color=3)),
        ("picture.channels", png(GRAY, color=4)),
        ("picture.channels", png(COLOR)),
        ("picture.channels", tiff(GRAY, photometric=0)),
        ("picture.pages", tiff(GRAY, pages=2)),
        ("picture.depth", png(GRAY, bits=16)),
        ("picture.depth", b"P5\n100 100\n65535\n" + bytes(20_000)),
        ("picture.size", png(GRAY[:63])),
        ("picture.size", png(GRAY[:, :63])),
        ("picture.size", sized(1501, 200)),
        ("picture.size", sized(200, 2**31 - 1)),
        ("picture.size", png(GRAY) + bytes(8 << 20)),
    ],
)
def test_what_is_refused(code: str, data: bytes) -> None:
    assert refused(data) == code


def test_the_size_is_bounded_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_pixels", lambda *_: pytest.fail("decoded"))
    assert refused(sized(60_000, 60_000)) == "picture.size"
    assert refused(sized(4097, 4000), Modality.FACE) == "picture.size"
    assert refused(b"P5 30000 30000 255 ") == "picture.size"
    wide = bytearray(wsq(GRAY))
    at = wide.index(b"\xff\xa2") + 6
    wide[at : at + 4] = struct.pack(">HH", 65535, 65535)
    assert refused(bytes(wide)) == "picture.size"
    for dpi, side in ((250, 800), (1200, 100)):
        with pytest.raises(InputRefused, match="at 500"):
            decode(sized(side, side), dpi)


def test_what_is_decoded_is_of_the_size_in_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures.cv2, "imdecode", lambda *_: np.zeros((2000, 2000), np.uint8))
    assert refused(png(GRAY)) == "picture.damaged"
    monkeypatch.setattr(pictures.cv2, "imdecode", lambda *_: np.zeros((200, 160), np.uint16))
    assert refused(png(GRAY)) == "picture.damaged"


@given(
    whole=st.sampled_from([*FILES.values(), wsq(GRAY), tiff(COLOR, order=">"), tiff(GRAY, pages=2)]),
    changes=st.lists(st.tuples(st.integers(0, 127), st.binary(min_size=1, max_size=4)), max_size=4),
    end=st.integers(0, 400),
    directory=st.booleans(),
)
def test_a_header_is_a_value_or_our_error(
    whole: bytes, changes: list[tuple[int, bytes]], end: int, directory: bool
) -> None:
    """Changed at its start, or (of TIFF, which has its directory at the end) there; cut anywhere before the pixels."""
    data = bytearray(whole)
    for at, new in changes:
        place = max(len(data) - 160 + at, 0) if directory else at
        data[place : place + len(new)] = new
    for octets in (bytes(data), bytes(data[:end])):
        with suppress(InputRefused):
            header = read_header(octets)
            assert header.channels in (1, 3)
            assert all(type(value) is int for value in (header.width, header.height, header.bits, header.dpi))
