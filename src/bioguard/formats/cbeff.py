"""Envelopes around a minutiae record: the CBEFF header of PIV cards, and the card's data object around that.

NIST SP 800-76-2 section 9 (and NIST's BIOMDI library, public domain): a header of 88 bytes, the biometric data block,
the signature block. NIST SP 800-73-4 part 1 appendix A: a card hands it out as BER-TLV 53 { BC { ... } FE {} }.
Neither the signature nor the validity period is checked here; a warning says so.
"""

import struct
from typing import ClassVar, Self

from bioguard.formats.cursor import Cursor
from bioguard.formats.deviations import AcceptedBy, Deviation, Deviations
from bioguard.formats.errors import CUT, ImportWarning, refuse, refuse_at
from tee_sim.shared.dataclass import dataclass

PATRON_VERSION = 0x03
SIGNED, ENCRYPTED = 0x0D, 0x0F
INCITS_M1, JTC1_SC37 = 0x001B, 0x0101
M1_FORMATS = {0x0201: "minutiae", 0x0401: "a finger image", 0x0501: "a face image"}
BIOMETRIC_TYPES = {0x000002: "a face", 0x000008: "a fingerprint", 0x000010: "an iris"}
FINGERPRINT = 0x000008
PIV_OBJECT, PIV_BIOMETRIC = 0x53, 0xBC
ERROR_DETECTION = b"\xfe\x00"
"""An empty element that a card may put after the biometric one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CbeffHeader:
    """What is needed of the 88 bytes.

    version u8 = 3, security u8, data block length u32, signature block length u16, format owner u16, format type u16,
    creation date 8, validity period 16, biometric type 3, data type u8, quality i8, creator 18, FASC-N 25, reserved 4
    """

    SIZE: ClassVar[int] = 88

    security: int
    data_length: int
    signature_length: int
    owner: int
    kind: int
    biometric_type: int

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        octets = cursor.take(cls.SIZE, "CBEFF header")
        _, security, data_length, signature_length, owner, kind = struct.unpack_from(">BBIHHH", octets)
        biometric_type = int.from_bytes(octets[36:39], "big")
        return cls(
            security=security,
            data_length=data_length,
            signature_length=signature_length,
            owner=owner,
            kind=kind,
            biometric_type=biometric_type,
        )


def is_wrapped(head: bytes) -> bool:
    """Whether a file that begins so is one of the envelopes; four bytes are enough."""
    if head[:1] == bytes((PATRON_VERSION,)):
        return head[1:2] in (bytes((SIGNED,)), bytes((ENCRYPTED,)))
    return head[:1] in (bytes((PIV_OBJECT,)), bytes((PIV_BIOMETRIC,))) and head[1:2] in (
        b"\x81",
        b"\x82",
        b"\x83",
        b"\x84",
    )


def unwrap(octets: bytes, deviations: Deviations) -> tuple[bytes, list[ImportWarning]]:
    """The minutiae record inside, and what was not checked. A file without an envelope comes back as it is.

    Raises:
        InputRefused: `format.truncated` for a length beyond the file, `format.envelope` for what is not the minutiae
            of a finger in the open.
    """
    if not is_wrapped(octets):
        return octets, []
    cursor = Cursor(octets)
    tags = {PIV_OBJECT: (PIV_OBJECT, PIV_BIOMETRIC), PIV_BIOMETRIC: (PIV_BIOMETRIC,)}.get(octets[0], ())
    ends = [_enter(cursor, tag) for tag in tags]
    if ends and octets[ends[-1] : ends[0]] not in (b"", ERROR_DETECTION):
        raise refuse_at("envelope", ends[-1], "a PIV data object with more than one element, the second")
    record, unchecked = _open(cursor)
    if ends and cursor.offset != cursor.end:
        raise refuse_at("envelope", cursor.offset, "bytes that the CBEFF header does not count")
    end = ends[0] if ends else cursor.offset
    if octets[end:]:  # such as the card's status word 9000
        message, effect = f"{len(octets) - end} bytes follow the envelope of {end} bytes", "they were left out"
        deviations.add(Deviation("length_mismatch", "header.trailing_bytes", message, effect, AcceptedBy.TRAILING))
    return record, [unchecked]


def _enter(cursor: Cursor, tag: int) -> int:
    """Step into a BER-TLV element; return its end, which becomes the cursor's."""
    if cursor.u8("tag") != tag:
        raise refuse_at("envelope", cursor.offset - 1, f"a PIV data object without tag {tag:02X}, another one")
    size = cursor.u8("length")
    if size & 0x80:
        size = int.from_bytes(cursor.take(size & 0x7F, "length"), "big")
    if size > cursor.end - cursor.offset:
        message = f"tag {tag:02X} declares {size} bytes, {cursor.end - cursor.offset} left: value"
        raise refuse_at("truncated", cursor.offset, message, CUT)
    cursor.end = cursor.offset + size
    return cursor.end


def _open(cursor: Cursor) -> tuple[bytes, ImportWarning]:
    header = CbeffHeader.read(cursor)
    if header.security == ENCRYPTED:
        raise refuse("envelope", "the CBEFF data block is encrypted", "give the decrypted record")
    what = BIOMETRIC_TYPES.get(header.biometric_type, f"biometric type {header.biometric_type:#08x}")
    if header.biometric_type != FINGERPRINT:
        raise refuse(
            "envelope", f"the CBEFF header says {what}, not a fingerprint", "give a fingerprint minutiae object"
        )
    if header.owner == INCITS_M1 and M1_FORMATS.get(header.kind) != "minutiae":
        kind = M1_FORMATS.get(header.kind, f"format {header.kind:#06x}")
        raise refuse("envelope", f"the CBEFF data block is {kind}, not minutiae", "extract its minutiae first")
    if header.owner not in (INCITS_M1, JTC1_SC37):
        message = f"the CBEFF data block has format owner {header.owner:#06x}"
        raise refuse("envelope", message, "read are those of INCITS M1 (0x001b) and ISO/IEC JTC 1/SC 37 (0x0101)")
    record = cursor.take(header.data_length, "CBEFF data block")
    cursor.take(header.signature_length, "CBEFF signature block")
    signature = f"the signature ({header.signature_length} bytes) and the validity period were not checked"
    unchecked = signature if header.signature_length else "it has no signature, and its validity period was not checked"
    return record, ImportWarning("header.cbeff", f"CBEFF header of {CbeffHeader.SIZE} bytes: {unchecked}")
