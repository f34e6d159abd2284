"""Which binary minutiae format is it? Then the strict parser of that format.

Two pairs share their magic and version. They are told apart by structure:
* " 20": ISO has a 4-byte total length at byte 8, INCITS a 2-byte one (or 2 zero bytes and 4).
* "030": ISO/IEC 19794-2:2011 is a chain of representations with their own lengths from byte 15 that ends exactly at
  the total length; INCITS 378-2009 has no such lengths.
When neither fits (a damaged file) the likelier one is parsed, so that the error names a real offset.
"""

from collections.abc import Callable

from bioguard.formats.ansi2009 import Ansi2009Record
from bioguard.formats.cursor import Cursor
from bioguard.formats.errors import refuse_at
from bioguard.formats.iso2011 import Iso2011Record
from bioguard.formats.minutiae import MAGIC, MinutiaeRecord
from bioguard.formats.v20 import VERSION_20, Ansi2004Record, Iso2005Record

__all__ = ["parse_minutiae"]

VERSION_30 = b"030\x00"
VERSION_35 = b"035\x00"
ISO_2005_HEADER = 24
ISO_2011_HEADER = 15
ISO_2011_MIN_REPRESENTATION = 34


def _pick_20(octets: bytes) -> Callable[[bytes], MinutiaeRecord]:
    short, long = int.from_bytes(octets[8:10], "big"), int.from_bytes(octets[8:12], "big")
    if long == len(octets):
        return Iso2005Record.read
    if short == len(octets) or (short == 0 and int.from_bytes(octets[10:14], "big") == len(octets)):
        return Ansi2004Record.read
    return Iso2005Record.read if short == 0 and long >= ISO_2005_HEADER else Ansi2004Record.read


def _is_iso2011(octets: bytes) -> bool:
    """Walk the representation lengths; at most 65 535 steps of at least 34 bytes."""
    offset = ISO_2011_HEADER
    for _ in range(int.from_bytes(octets[12:14], "big")):
        length = int.from_bytes(octets[offset : offset + 4], "big")
        if length < ISO_2011_MIN_REPRESENTATION or offset + length > len(octets):
            return False
        offset += length
    return offset == len(octets) > ISO_2011_HEADER


def _is_ansi2009(octets: bytes) -> bool:
    """Walk the views by their counts and extended data lengths."""
    if len(octets) < Ansi2009Record.HEADER:
        return False
    offset = Ansi2009Record.HEADER
    for _ in range(octets[19]):
        if offset + 17 > len(octets):
            return False
        offset += 17 + 6 * octets[offset + 16]
        if offset + 2 > len(octets):
            return False
        offset += 2 + int.from_bytes(octets[offset : offset + 2], "big")
    return offset == len(octets)


def _pick_30(octets: bytes) -> Callable[[bytes], MinutiaeRecord]:
    if _is_iso2011(octets):
        return Iso2011Record.read
    if _is_ansi2009(octets):
        return Ansi2009Record.read
    plausible_iso = octets[14:15] <= b"\x01" and octets[12:14] != b"\x00\x00"
    return Iso2011Record.read if plausible_iso else Ansi2009Record.read


def parse_minutiae(octets: bytes) -> MinutiaeRecord:
    """Parse one minutiae record; the result writes back exactly `octets`.

    Raises:
        InputRefused: `format.*`, with the byte offset.
    """
    cursor = Cursor(octets)
    if cursor.take(min(4, len(octets)), "magic") != MAGIC:
        raise refuse_at(
            "bad_magic",
            0,
            "no minutiae record magic",
            "give an ISO/IEC 19794-2 or INCITS 378 record file; compact card formats are not read",
        )
    version = cursor.take(4, "version")
    pickers: dict[bytes, Callable[[bytes], Callable[[bytes], MinutiaeRecord]]] = {
        VERSION_20: _pick_20,
        VERSION_30: _pick_30,
        VERSION_35: lambda _: Ansi2009Record.read,
    }
    if version not in pickers:
        raise refuse_at(
            "bad_version",
            4,
            "unknown minutiae record version",
            "read are ISO/IEC 19794-2:2005 and :2011, INCITS 378-2004, 378-2009 and its amendment 1",
        )
    record = pickers[version](octets)(octets)
    if record.to_bytes() != octets:
        raise refuse_at("not_canonical", 0, "record does not encode to the same bytes, read from")
    return record
