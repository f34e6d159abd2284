"""What a file is that no parser here reads: named, with a way out, instead of "no magic"."""

import base64
import binascii
import codecs
import re
from collections.abc import Callable

from bioguard.errors import InputRefused
from bioguard.formats.errors import refuse

HEAD_BYTES = 4096
"""So much of a file is looked at."""
PICTURE = "pictures are not read: extract the minutiae first; NBIS mindtct -m1 writes .xyt, which --xyt-m1 reads"
UNPACK = "unpack it and give the file inside; save a spreadsheet as CSV"
EXPORT = "export it as an ISO/IEC 19794-2 or INCITS 378 record"
NUMPY = "save the array with numpy.save"
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
    (b"\x89HDF", "an HDF5 file", NUMPY),
    (b"MATLAB 5.0", "a MATLAB file", NUMPY),
    (b"PAR1", "a Parquet file", NUMPY),
    (b"ARROW1\0\0", "an Arrow or Feather file", NUMPY),
    (b"FMR\x00", "a minutiae record (ISO/IEC 19794-2 or INCITS 378)", "name it .iso or .fmr"),
    (b"\x93NUMPY", "a NumPy array", "name it .npy"),
)
"""First bytes -> what it is, what to do."""
_XYT = re.compile(rb"\s*(?:[0-9]{1,5}[ \t]+){2,3}[0-9]{1,3}[ \t]*\r?\n")
_JSON = re.compile(rb"\s*[{\[]\s*(?:[\"{\[\]}]|-?[0-9])")
_PEM = re.compile(rb"\s*-----BEGIN [A-Z0-9 ]{1,64}-----\s+")
_TEXT_WRAP = rb"[\s\"']*+(?:data:[\w/+.;=-]{0,64},)?"
_BASE64 = re.compile(_TEXT_WRAP + rb"([A-Za-z0-9+/_=\s-]{32,}+)[\"']?\s*")
_BEFORE_HEX = rb"[\s,:;-]*+(?:0[xX]|\\[xX])?"
"""Quantifiers that give nothing back: these patterns look at hostile text."""
_HEX = re.compile(
    rb"[\s\"'{\[(]*"
    + b"".join(_BEFORE_HEX + pair for pair in (rb"46", rb"4[dD]", rb"52", rb"00"))
    + rb"(?:"
    + _BEFORE_HEX
    + rb"[0-9a-fA-F]{2})*+"
    + _BEFORE_HEX
    + rb"[0-9a-fA-F]?[\s\"'}\])]*"
)
_HEX_DUMP = re.compile(rb"0{4,16}:?\s+46 ?4[dD] ?52 ?00")
_PICKLE = re.compile(rb"\x80[\x02-\x05][\x28-\x95]|c[A-Za-z_][\w.]{0,99}\n[A-Za-z_]\w{0,99}\n|\(?[ld]p0\n")
_SAFETENSORS = re.compile(rb".{3}\x00{5}\{\s*\"", re.DOTALL)
_RECORD_INSIDE = re.compile(rb"FMR\x00(?: 20|020|030|035)\x00")
_BMP = re.compile(rb"BM.{4}\x00{4}", re.DOTALL)
_SOURCEAFIS = re.compile(rb"[\xa0-\xbf]\x67version")
CARD_MINUTIAE = range(8, 256)
"""Fewer would be seen everywhere: nothing but the types tells such a record from other bytes."""


def _narrow(head: bytes) -> tuple[bytes, str]:
    """Text of one byte a character, and the command that makes it so; a byte order mark is dropped by decoders."""
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return head[2:].decode(name, "replace").encode("ascii", "replace"), "iconv -f UTF-16 -t ASCII FILE | "
    return head.removeprefix(codecs.BOM_UTF8), ""


def _base64(head: bytes) -> tuple[str, str] | None:
    text, first = _narrow(head)
    armor = _PEM.match(text)
    body = text[armor.end() :].partition(b"-----")[0] if armor else text
    match = _BASE64.fullmatch(body)
    if match is None:
        return None
    letters = b"".join(match[1].split())
    start = letters[: min(len(letters), 512) // 4 * 4].translate(bytes.maketrans(b"-_", b"+/"))
    try:
        octets = base64.b64decode(start)
    except binascii.Error:
        return None
    tool = "basenc --base64url" if re.search(rb"[_-]", letters) else "base64"
    if armor:
        first = f"{first or 'cat FILE | '}sed '/^-----/d' | "
    command = f"{first}{tool} -di{'' if first else ' FILE'} > OUT"
    if octets.startswith(b"FMR\0"):
        return "base64 text of a minutiae record (Rk1S...)", f"decode it: {command}.iso"
    if octets.startswith(b"\x93NUMPY"):
        return "base64 text of a NumPy array", f"decode it: {command}.npy"
    if _RECORD_INSIDE.search(octets):
        return "base64 text of an envelope around a minutiae record", f"decode it: {command}.iso"
    return None


def _hex(head: bytes) -> tuple[str, str] | None:
    text, first = _narrow(head)
    if _HEX_DUMP.match(text):
        return "a hex dump of a minutiae record", f"undo it: {first}xxd -r{'' if first else ' FILE'} > OUT.iso"
    if _HEX.fullmatch(text) is None:
        return None
    pairs = f"{first}sed 's/[0\\\\][xX]//g'{'' if first else ' FILE'}"
    what = "hexadecimal text of a minutiae record (464d52...)"
    return what, f"decode it: {pairs} | tr a-f A-F | tr -cd 0-9A-F | basenc --base16 -d > OUT.iso"


def _text_inside(head: bytes) -> tuple[str, str] | None:
    """JSON and the like with a record in one of its strings."""
    if re.search(rb"Rk1S[A-Za-z0-9+/_-]{28}", head) is None:
        return None
    return "text with base64 of a minutiae record in it (Rk1S...)", "take that out and decode it: base64 -di > OUT.iso"


def _pickle(head: bytes) -> tuple[str, str] | None:
    return ("a Python pickle, which is never opened", NUMPY) if _PICKLE.match(head) else None


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
    hint = "take out what is meant: minutiae as an ISO/IEC 19794-2 record, an embedding with numpy.save"
    return ("JSON", hint) if _JSON.match(head) else None


def _safetensors(head: bytes) -> tuple[str, str] | None:
    return ("a safetensors file", NUMPY) if _SAFETENSORS.match(head) else None


def _sourceafis(head: bytes) -> tuple[str, str] | None:
    return ("a template of SourceAFIS", EXPORT) if _SOURCEAFIS.match(head) else None


def _bmp(head: bytes) -> tuple[str, str] | None:
    return ("a BMP picture", PICTURE) if _BMP.match(head) else None


GUESSES: tuple[Callable[[bytes], tuple[str, str] | None], ...] = (
    _sourceafis,
    _inside,
    _pickle,
    _safetensors,
    _text_inside,
    _json,
    _xyt,
    _bmp,
)


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
