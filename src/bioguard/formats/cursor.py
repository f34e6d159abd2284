"""Big-endian reader over bytes that never reads past its end and knows where it is."""

from bioguard.formats.deviations import Deviation, Deviations
from bioguard.formats.errors import CUT, refuse_at

KEPT = "it was kept as it is"


class Cursor:
    """Read fields in order; note what leaves the format and can be read all the same.

    Attributes:
        octets: the whole file.
        offset: of the next field.
        end: one past the last byte that may be read.
        deviations: what was noted, shared by the cursors of one file.
        declared: total length as the header states it.
        declared_at: offset of that field.
    """

    __slots__ = ("declared", "declared_at", "deviations", "end", "octets", "offset")

    def __init__(
        self, octets: bytes, offset: int = 0, end: int | None = None, deviations: Deviations | None = None
    ) -> None:
        self.octets = octets
        self.offset = offset
        self.end = len(octets) if end is None else end
        self.deviations = Deviations() if deviations is None else deviations
        self.declared = self.end
        self.declared_at = 0

    def take(self, size: int, what: str) -> bytes:
        """Raises `format.truncated` with the offset of the field that does not fit."""
        if size > self.end - self.offset:
            raise refuse_at("truncated", self.offset, f"{what} needs {size} bytes, {self.end - self.offset} left", CUT)
        start = self.offset
        self.offset += size
        return self.octets[start : self.offset]

    def u8(self, what: str) -> int:
        return self.take(1, what)[0]

    def u16(self, what: str) -> int:
        return int.from_bytes(self.take(2, what), "big")

    def u32(self, what: str) -> int:
        return int.from_bytes(self.take(4, what), "big")

    def checked(
        self,
        size: int,
        what: str,
        allowed: frozenset[int] | range,
        warning: str = "",
        effect: str = KEPT,
        code: str = "field_range",
    ) -> int:
        """Read a field of `size` bytes: what is not allowed is noted under `warning`, or refused without one."""
        value = int.from_bytes(self.take(size, what), "big")
        if warning:
            return self.expect(value, allowed, size, what, warning=warning, effect=effect, code=code)
        return self.one_of(value, allowed, size, what, code)

    def total(self, size: int) -> int:
        """Read the record's total length, a field of `size` bytes; it is judged when the record's end is known."""
        self.declared_at = self.offset
        self.declared = int.from_bytes(self.take(size, "total length"), "big")
        return self.declared

    @property
    def other_length(self) -> int | None:
        """The declared total length where it is not that of what was read."""
        return None if self.declared == self.offset else self.declared

    def one_of(
        self, value: int, allowed: frozenset[int] | range, size: int, what: str, code: str = "field_range"
    ) -> int:
        """Return `value`, a field of `size` bytes that was just read, if it is allowed.

        Raises:
            InputRefused: `format.<code>` with the field's offset.
        """
        if value not in allowed:
            raise refuse_at(code, self.offset - size, f"{what} {value} is not a value of this format")
        return value

    def expect(
        self,
        value: int,
        allowed: frozenset[int] | range,
        size: int,
        what: str,
        *,
        warning: str,
        effect: str = KEPT,
        code: str = "field_range",
    ) -> int:
        """Return `value`, a field of `size` bytes that was just read; note it where it is not allowed.

        For fields that no minutia depends on, or that can be read as "not given".
        """
        if value not in allowed:
            message = f"{what} {value} is not a value of this format at byte {self.offset - size}"
            self.deviations.add(Deviation(code, warning, message, effect))
        return value
