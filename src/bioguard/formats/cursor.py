"""Big-endian reader over bytes that never reads past its end and knows where it is."""

from bioguard.formats.errors import refuse_at

__all__ = ["Cursor"]


class Cursor:
    """Read fields in order. Raises `format.truncated` with the offset of the field that does not fit."""

    __slots__ = ("_bytes", "end", "offset")

    def __init__(self, octets: bytes, offset: int = 0, end: int | None = None) -> None:
        self._bytes = octets
        self.offset = offset
        self.end = len(octets) if end is None else end

    def take(self, size: int, what: str) -> bytes:
        if size > self.end - self.offset:
            raise refuse_at("truncated", self.offset, f"{what} needs {size} bytes, {self.end - self.offset} left")
        start = self.offset
        self.offset += size
        return self._bytes[start : self.offset]

    def u8(self, what: str) -> int:
        return self.take(1, what)[0]

    def u16(self, what: str) -> int:
        return int.from_bytes(self.take(2, what), "big")

    def u32(self, what: str) -> int:
        return int.from_bytes(self.take(4, what), "big")

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
