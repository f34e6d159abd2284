"""What a file is that no parser here reads: named, with a way out, instead of "no magic"."""

import re
from collections.abc import Callable

from bioguard.errors import InputRefused
from bioguard.formats.errors import refuse

__all__ = ["HEAD_BYTES", "card_record", "other_kind"]

HEAD_BYTES = 4096
"""So much of a file is looked at."""
PICTURE = "pictures are not read: extract the minutiae first; NBIS mindtct -m1 writes .xyt, which --xyt-m1 reads"
UNPACK = "unpack it and give the file inside; save a spreadsheet as CSV"
EXPORT = "export it as an ISO/IEC 19794-2 or INCITS 378 record"
FACE_PICTURE = "pictures are not read: compute an embedding first and save it as .npy"
MAGICS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xff\xd8\xff", "a JPEG picture", PICTURE),
    (b"\x89PNG\r\n", "a PNG picture", PICTURE),
    (b"\xff\xa0\xff", "a WSQ picture", PICTURE),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture", PICTURE),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture", PICTURE),
    (b"GIF8", "a GIF picture", PICTURE),
    (b"II*\x00", "a TIFF picture", PICTURE),
    (b"MM\x00*", "a TIFF picture", PICTURE),
    (b"P5\n", "a PGM picture", PICTURE),
    (b"FIR\x00", "a finger image record (ISO/IEC 19794-4 or INCITS 381)", PICTURE),
    (b"FAC\x00", "a face image record (ISO/IEC 19794-5)", FACE_PICTURE),
    (b"IIR\x00", "an iris image record (ISO/IEC 19794-6)", EXPORT),
    (b"FSP\x00", "a finger pattern spectral record (ISO/IEC 19794-3)", EXPORT),
    (b"FSK\x00", "a finger pattern skeletal record (ISO/IEC 19794-8)", EXPORT),
    (b"1.001:", "an ANSI/NIST-ITL transaction", EXPORT),
    (b"FP3", "a stored print of libfprint", EXPORT),
    (b"FP2", "a stored print of libfprint", EXPORT),
    (b"\x7f\x61", "a group of biometric information templates of a card or passport (ISO/IEC 7816-11)", EXPORT),
    (b"\x7f\x60", "a biometric information template of a card (ISO/IEC 7816-11)", EXPORT),
    (b"\x7f\x2e", "biometric data of a card (ISO/IEC 7816-11), as compact card records are", EXPORT),
    (b"PK\x03\x04", "a ZIP archive", UNPACK),
    (b"\x1f\x8b", "a gzip file", UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", UNPACK),
    (b"\xfd7zXZ", "an xz file", UNPACK),
    (b"BZh", "a bzip2 file", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd file", UNPACK),
    (b"%PDF", "a PDF document", EXPORT),
    (b"<?xml", "XML, as ISO/IEC 39794-2 has it", EXPORT),
    (b"\x89HDF", "an HDF5 file", "save the array with numpy.save"),
    (b"\x80\x04", "a Python pickle, which is never opened", "save the array with numpy.save"),
    (b"\x80\x05", "a Python pickle, which is never opened", "save the array with numpy.save"),
    (b"FMR\x00", "a minutiae record (ISO/IEC 19794-2 or INCITS 378)", "name it .iso or .fmr"),
    (b"\x93NUMPY", "a NumPy array", "name it .npy"),
)
"""First bytes -> what it is, what to do."""
_XYT = re.compile(rb"\s*(?:[0-9]{1,5}[ \t]+){2,3}[0-9]{1,3}[ \t]*\r?\n")
_JSON = re.compile(rb"\s*[{\[]\s*[\"{\[\]}]")
_TEXT_WRAP = rb"[\s\"']*(?:data:[\w/+.;=-]{0,64},)?"
_BASE64 = re.compile(_TEXT_WRAP + rb"Rk1S[A-Za-z0-9+/_=\s-]+[\"']?\s*")
_HEX = re.compile(rb"[\s\"']*(?:0[xX])?46\s?4[dD]\s?52\s?00[0-9a-fA-F\s]*[\"']?\s*")
_RECORD_INSIDE = re.compile(rb"FMR\x00(?: 20|020|030|035)\x00")
_BMP = re.compile(rb"BM.{4}\x00{4}", re.DOTALL)
_SOURCEAFIS = re.compile(rb"[\xa0-\xbf]\x67version")
CARD_MINUTIAE = range(8, 256)
"""Fewer would be seen everywhere: nothing but the types tells such a record from other bytes."""


def _base64(head: bytes) -> tuple[str, str] | None:
    if _BASE64.fullmatch(head) is None:
        return None
    tool = "basenc --base64url" if re.search(rb"[_-]", head.partition(b"Rk1S")[2]) else "base64"
    return "base64 text of a minutiae record (Rk1S...)", f"decode it: {tool} -di FILE > OUT.iso"


def _hex(head: bytes) -> tuple[str, str] | None:
    if _HEX.fullmatch(head) is None:
        return None
    how = "without its 0x" if b"x" in head.lower() else ""
    what = "hexadecimal text of a minutiae record (464d52...)"
    return what, f"decode it{how and ' '}{how}: tr a-f A-F < FILE | basenc --base16 -di > OUT.iso"


def _inside(head: bytes) -> tuple[str, str] | None:
    found = _RECORD_INSIDE.search(head)
    if found is None:
        return None
    at = found.start()
    what = f"something with a minutiae record from byte {at} on: a header of {at} bytes is not known here"
    return what, f"cut it off: tail -c +{at + 1} FILE > OUT.iso"


def _xyt(head: bytes) -> tuple[str, str] | None:
    return ("text of minutiae", "name it .xyt") if _XYT.match(head) else None


def _json(head: bytes) -> tuple[str, str] | None:
    return ("JSON", EXPORT) if _JSON.match(head) else None


def _sourceafis(head: bytes) -> tuple[str, str] | None:
    return ("a template of SourceAFIS", EXPORT) if _SOURCEAFIS.match(head) else None


def _bmp(head: bytes) -> tuple[str, str] | None:
    return ("a BMP picture", PICTURE) if _BMP.match(head) else None


GUESSES: tuple[Callable[[bytes], tuple[str, str] | None], ...] = (_sourceafis, _inside, _json, _xyt, _bmp)


def other_kind(head: bytes, *, wanted: bytes = b"", text: bool = False) -> InputRefused | None:
    """The refusal of a file that is something else, or None where nothing is known.

    Args:
        head: up to HEAD_BYTES of the file; all of it where it is shorter.
        wanted: first bytes of the format that was asked for.
        text: the format that was asked for is text, whose own parser says what is wrong with another text.
    """
    if wanted and head.startswith(wanted):
        return None
    for magic, what, hint in MAGICS:
        if head.startswith(magic) and not (text and magic.isascii() and b"\0" not in magic):
            return refuse("other_kind", f"this is {what}", hint)
    found = next((g for guess in (_base64, _hex, *(() if text else GUESSES)) if (g := guess(head))), None)
    return refuse("other_kind", f"this is {found[0]}", found[1]) if found else None


def card_record(octets: bytes) -> InputRefused | None:
    """The refusal of what may be a card record, by size and types alone, since such a record has no header.

    Bits 7 and 6 of one byte of each minutia are its type: 0, 1 or 2.
    """
    for size, name, kinds in ((3, "compact", octets[2::3]), (5, "normal", octets[0::5])):
        count, rest = divmod(len(octets), size)
        if rest or count not in CARD_MINUTIAE or any(kind >> 6 == 3 for kind in kinds):
            continue
        if octets.isascii() or octets.startswith(b"FM") or (size == 5 and any(y >> 6 for y in octets[2::5])):
            continue
        what = f"this is perhaps a {name} card record of {count} minutiae"
        message = f"{what} (ISO/IEC 19794-2: {size} bytes each and no header)"
        return refuse("other_kind", message, f"its units and order are agreed outside the file: {EXPORT}")
    return None
