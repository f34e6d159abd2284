"""Which binary minutiae format is it? Then the parser of that format.

Two pairs share their magic and version. They are told apart by structure:
* " 20": ISO has a 4-byte total length at byte 8, INCITS a 2-byte one (or 2 zero bytes and 4).
* "030": ISO/IEC 19794-2:2011 is a chain of representations with their own lengths from byte 15 that ends exactly at
  the total length; INCITS 378-2009 has no such lengths.
Where a length is wrong, or bytes follow the record, the likelier format is read first and the other one if that
fails; when neither can be read, the error is that of the likelier one, so that it names a real offset.
"""

from bioguard.errors import InputRefused
from bioguard.formats.ansi2009 import Ansi2009Record
from bioguard.formats.cursor import Cursor
from bioguard.formats.deviations import AcceptedBy, Deviation, Deviations
from bioguard.formats.errors import CUT, refuse, refuse_at
from bioguard.formats.iso2011 import Iso2011Record
from bioguard.formats.minutiae import MAGIC, MinutiaeRecord
from bioguard.formats.options import ImportOptions
from bioguard.formats.v20 import VERSION_20, Ansi2004Record, Iso2005Record
from tee_sim.shared.dataclass import dataclass

VERSION_020 = b"020\x00"
"""Written for " 20" by some programs; no edition of either standard has it."""
VERSION_30 = b"030\x00"
VERSION_35 = b"035\x00"
ISO_2005_HEADER = 24
ISO_2011_HEADER = 15
ISO_2011_MIN_REPRESENTATION = 34
READ_VERSIONS = "read are ISO/IEC 19794-2:2005 and :2011, INCITS 378-2004, 378-2009 and its amendment 1"
LENGTH_SLACK = 64
"""How far a total length may be off where bytes follow the record, so that nothing else tells its end. Known writers
forget their header (21 to 30 bytes), the extended data length (2) or one byte."""

ENDS_EARLY = ("truncated", "count_beyond_data", "extended_overrun", "representation_length")
"""Faults that a cut file has: the total length, which names the cut, is then the reason."""

Reader = type[Iso2005Record | Iso2011Record | Ansi2004Record | Ansi2009Record]


@dataclass(frozen=True, slots=True)
class _Reading:
    record: MinutiaeRecord
    deviations: Deviations


def _candidates_20(octets: bytes) -> tuple[Reader, ...]:
    short, long = int.from_bytes(octets[8:10], "big"), int.from_bytes(octets[8:12], "big")
    iso_first = (Iso2005Record, Ansi2004Record)
    if long == len(octets):
        return iso_first
    if short == len(octets) or (short == 0 and int.from_bytes(octets[10:14], "big") == len(octets)):
        return iso_first[::-1]
    return iso_first if short == 0 and long >= ISO_2005_HEADER else iso_first[::-1]


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


def _candidates_30(octets: bytes) -> tuple[Reader, ...]:
    iso_first = (Iso2011Record, Ansi2009Record)
    if _is_iso2011(octets):
        return iso_first
    if _is_ansi2009(octets):
        return iso_first[::-1]
    plausible_iso = octets[14:15] <= b"\x01" and octets[12:14] != b"\x00\x00"
    return iso_first if plausible_iso else iso_first[::-1]


def _candidates_35(_octets: bytes) -> tuple[Reader, ...]:
    return (Ansi2009Record,)


CANDIDATES = {
    VERSION_20: _candidates_20,
    VERSION_020: _candidates_20,
    VERSION_30: _candidates_30,
    VERSION_35: _candidates_35,
}


def _is_zero(octets: bytes, start: int, end: int) -> bool:
    """Without a copy: the rest may be as large as a file can be."""
    return octets.count(0, start, end) == end - start


def _check_end(cursor: Cursor) -> None:
    """Compare the header's total length, the end of the last view and the end of the file.

    Raises:
        InputRefused: `format.length_mismatch` for bytes that the header counts and no view has, or a length beyond
            explanation.
    """
    size, end, declared, at = len(cursor.octets), cursor.offset, cursor.declared, cursor.declared_at
    rest = size - end
    mismatch = f"header declares {declared} bytes, file has {size}: field at byte {at}"
    counted = not _is_zero(cursor.octets, end, max(end, min(declared, size)))  # perhaps a view
    beyond = rest and declared != size and abs(declared - end) > LENGTH_SLACK
    if counted or beyond:
        raise refuse_at("length_mismatch", end, f"header declares {declared} bytes, its views end")
    if declared != end and not (declared == size and rest):
        code = "truncated" if declared > size else "length_mismatch"
        effect = f"the record is complete with {end} bytes"
        cursor.deviations.add(Deviation(code, "header.total_length", mismatch, effect))
    if rest:
        included = ", counted by its header" if declared == size else ""
        zero = _is_zero(cursor.octets, end, size)
        what = "all zero" if zero else "not all zero, perhaps memory of the program that wrote the file"
        message = f"{rest} bytes ({what}) follow the record of {end} bytes{included}"
        effect = "they were left out"
        cursor.deviations.add(
            Deviation("length_mismatch", "header.trailing_bytes", message, effect, AcceptedBy.TRAILING)
        )


def _attempt(reader: Reader, octets: bytes) -> _Reading:
    cursor = Cursor(octets, offset=4)
    try:
        record = reader.read(cursor)
    except InputRefused as fault:
        kind = fault.code.removeprefix("format.")
        if cursor.declared > len(octets) and kind in ENDS_EARLY:
            message = f"header declares {cursor.declared} bytes, file has {len(octets)}: field"
            raise refuse_at("truncated", cursor.declared_at, message, CUT) from fault
        if cursor.declared == len(octets) and fault.hint == CUT:  # as long as its header says: it was not cut
            raise refuse(kind, fault.message) from fault
        raise
    _check_end(cursor)
    _check_canonical(record, memoryview(octets)[: cursor.offset])
    return _Reading(record, cursor.deviations)


def _check_canonical(record: MinutiaeRecord, octets: memoryview) -> None:
    """What a record writes is what it was read from, however far that leaves the format."""
    at = 0
    for part in record.parts():
        if octets[at : at + len(part)] != part:
            break
        at += len(part)
    if at != len(octets):
        raise refuse_at("not_canonical", at, "record does not encode to the same bytes, read from")


def _read(octets: bytes) -> _Reading:
    """The reading with the fewest deviations; the first one in doubt."""
    if octets[: len(MAGIC)] != MAGIC:
        what = "no minutiae record magic" if octets else "the file is empty"
        raise refuse_at("bad_magic", 0, what, "give an ISO/IEC 19794-2 or INCITS 378 record file")
    version = octets[4:8]
    if version not in CANDIDATES:
        code, hint = ("truncated", CUT) if len(version) < len(VERSION_20) else ("bad_version", READ_VERSIONS)
        raise refuse_at(code, 4, "unknown minutiae record version", hint)
    readings: list[_Reading] = []
    faults: list[InputRefused] = []
    for reader in CANDIDATES[version](octets):
        try:
            readings.append(_attempt(reader, octets))
        except InputRefused as fault:
            faults.append(fault)
        if readings and readings[-1].deviations.kinds == 0:
            break
    if not readings:
        raise faults[0]
    return min(readings, key=lambda reading: reading.deviations.kinds)


def read_minutiae_file(octets: bytes) -> tuple[MinutiaeRecord, Deviations]:
    """Parse one minutiae record and say where it leaves its format.

    Raises:
        InputRefused: `format.*`, with the byte offset, for what leaves no reading.
    """
    found = _read(octets)
    return found.record, found.deviations


def parse_minutiae(octets: bytes, options: ImportOptions | None = None) -> MinutiaeRecord:
    """Parse one minutiae record; the result writes back exactly `octets`, without bytes that follow the record.

    Raises:
        InputRefused: `format.*`, with the byte offset.
    """
    record, deviations = read_minutiae_file(octets)
    deviations.judged(options or ImportOptions())
    return record
