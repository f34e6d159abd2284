"""The parts of an ELF file that a native application consists of, each within the file and where it may be.

Read with pyelftools: the header and the segments (gABI 4.1, chapters 4 and 5). Dynamic tags and the tables of symbols
and relocations are read here, by the bounds of the loader in C (tee_sim/dev_kit/runtime/load.c): what that could see
otherwise is refused.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from elftools.elf.elffile import ELFFile

from tee_sim.shared.native.refusal import NativeRefused

MAX_FILE_BYTES: Final = 64 << 20
"""As of the loader. A build of a large application with all its debug information has some megabytes."""
MAX_SYMBOLS: Final = 1 << 16
MAX_RELOCATIONS: Final = 1 << 20
_MAX_SEGMENTS: Final = 64
_MAX_TAGS: Final = 256
_MAX_NAME_BYTES: Final = 512
_PAGE: Final = 4096
_READ, _WRITE = 4, 2

UNDEFINED, IFUNC, TLS = 0, 10, 6
"""Section index of an undefined symbol, and types of symbols (gABI 4.1, chapter 4)."""


@dataclass(frozen=True, slots=True)
class ElfSegment:
    """One program header; addresses and sizes in bytes."""

    kind: str
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """One dynamic symbol."""

    name: str
    kind: int
    section: int
    address: int
    size: int


@dataclass(frozen=True, slots=True)
class Relocation:
    """One relocation; `symbol` is an index."""

    address: int
    kind: int
    symbol: int
    addend: int


class Image:
    """An ELF file.

    Raises:
        NativeRefused: it is too large, no ELF file, or inconsistent in itself.
    """

    def __init__(self, content: bytes) -> None:
        if len(content) > MAX_FILE_BYTES:
            raise NativeRefused("native.size", f"it is larger than {MAX_FILE_BYTES} bytes")
        if content[:4] != b"\x7fELF":
            raise NativeRefused("native.not_elf", "it is no ELF file")
        if content[4:6] != b"\2\1":
            raise NativeRefused("native.class", "it is not of 64 bits, or not little-endian")
        self.content = content
        self._read()

    def _read(self) -> None:
        try:
            if struct.unpack_from("<H", self.content, 56)[0] > _MAX_SEGMENTS:
                raise NativeRefused("native.segments", f"it has more than {_MAX_SEGMENTS} segments")
            # No loader reads section headers, and a file can name billions of them: here it has none.
            file = ELFFile(BytesIO(self.content[:40] + bytes(8) + self.content[48:58] + bytes(6) + self.content[64:]))
            self.machine, self.type = str(file["e_machine"]), str(file["e_type"])
            found = list(file.iter_segments())
            self.segments = [_segment(one.header) for one in found]
            dynamic = [one for one in found if one["p_type"] == "PT_DYNAMIC"]
            if len(dynamic) != 1:
                raise NativeRefused("native.segments", f"it has {len(dynamic)} dynamic segments")
            self.tags = _tags(self._bytes(dynamic[0]["p_offset"], dynamic[0]["p_filesz"]))
        except NativeRefused:
            raise
        except Exception as error:  # pyelftools lets through what it stumbles on: KeyError, AssertionError
            raise NativeRefused("native.damaged", f"it cannot be read as ELF ({type(error).__name__})") from error
        self._check_segments()
        if dynamic[0]["p_offset"] != self._offset(dynamic[0]["p_vaddr"], dynamic[0]["p_filesz"]):
            raise NativeRefused("native.segments", "its dynamic segment is not loaded from where it lies")

    def _check_segments(self) -> None:
        for segment in self.segments:
            if segment.offset + segment.file_size > len(self.content):
                raise NativeRefused("native.damaged", "it is cut off: a segment ends behind it")
            if segment.kind == "PT_LOAD" and segment.file_size > segment.memory_size:
                raise NativeRefused("native.segments", "a segment is larger in the file than in memory")
        end = 0
        for segment in (one for one in self.segments if one.kind == "PT_LOAD"):
            if segment.address // _PAGE * _PAGE < end or segment.address + segment.memory_size > MAX_FILE_BYTES:
                raise NativeRefused("native.segments", "its segments overlap, or do not lie in the order of addresses")
            if segment.offset % _PAGE != segment.address % _PAGE:
                raise NativeRefused("native.segments", "a segment begins elsewhere in a page than in the file")
            end = -(-(segment.address + segment.memory_size) // _PAGE) * _PAGE

    def _bytes(self, offset: int, size: int) -> bytes:
        if offset + size > len(self.content):
            raise NativeRefused("native.damaged", "it is cut off: a table ends behind it")
        return self.content[offset : offset + size]

    def _loaded(self, address: int, size: int) -> ElfSegment | None:
        """The segment in whose memory a range lies as a whole."""
        inside = (
            one
            for one in self.segments
            if one.kind == "PT_LOAD" and one.address <= address and address + size <= one.address + one.memory_size
        )
        return next(inside, None)

    def _offset(self, address: int, size: int) -> int | None:
        segment = self._loaded(address, size)
        if segment is None or address + size > segment.address + segment.file_size:
            return None
        return segment.offset + address - segment.address

    def at(self, address: int, size: int) -> bytes:
        """What is in memory before anything is relocated; zeros where the file has nothing.

        Raises:
            NativeRefused: nothing is loaded there.
        """
        segment = self._loaded(address, size)
        if segment is None:
            raise NativeRefused("native.damaged", "it names a place where nothing of it is loaded")
        start = segment.offset + address - segment.address
        stored = self.content[start : min(start + size, segment.offset + segment.file_size)]
        return stored + bytes(size - len(stored))

    def text_at(self, address: int, most_bytes: int) -> bytes:
        """A string, without its end. Raises NativeRefused if it has none within `most_bytes`."""
        segment = self._loaded(address, 1)
        room = 0 if segment is None else segment.address + segment.memory_size - address
        text, end, _ = self.at(address, max(1, min(room, most_bytes + 1))).partition(b"\0")
        if not end:
            raise NativeRefused("native.damaged", f"a text of it is longer than {most_bytes} bytes")
        return text

    def tag(self, name: str) -> int:
        """The value of a dynamic tag; 0 for one that is not there. Of several, the last, as the loader has it."""
        return next((value for tag, value in reversed(self.tags) if tag == TAGS[name]), 0)

    def has(self, *names: str) -> bool:
        """Whether one of these tags is there."""
        wanted = {TAGS[name] for name in names}
        return any(tag in wanted for tag, _ in self.tags)

    def values(self, name: str) -> list[int]:
        """The values of all tags of this name."""
        return [value for tag, value in self.tags if tag == TAGS[name]]

    def _table(self, address: int, size: int) -> bytes:
        """A table that the loader reads. In a writable segment, a relocation could change it after it was looked at."""
        segment = self._loaded(address, size)
        offset = self._offset(address, size)
        if segment is None or offset is None or segment.flags & (_READ | _WRITE) != _READ:
            raise NativeRefused("native.tables", "a table of it is writable, or lies outside of what is loaded")
        return self.content[offset : offset + size]

    def string(self, offset: int) -> str:
        """A name of the dynamic string table."""
        size = self.tag("STRSZ")
        if offset >= size:
            raise NativeRefused("native.tables", "a name lies outside of the table of names")
        return _name(self._table(self.tag("STRTAB") + offset, min(size - offset, _MAX_NAME_BYTES)), 0)

    def symbols(self) -> list[Symbol]:
        """The dynamic symbols, the first one too, which is none."""
        count = self._symbol_count()
        if count > MAX_SYMBOLS:
            raise NativeRefused("native.tables", f"it has more than {MAX_SYMBOLS} symbols")
        rows = struct.iter_unpack("<IBBHQQ", self._table(self.tag("SYMTAB"), 24 * count))
        names = self._table(self.tag("STRTAB"), self.tag("STRSZ"))
        if names[-1:] != b"\0":
            raise NativeRefused("native.tables", "its table of names has no end")
        return [
            Symbol(_name(names, name), info & 15, section, value, size) for name, info, _, section, value, size in rows
        ]

    def _symbol_count(self) -> int:
        if self.tag("HASH"):
            return int(struct.unpack("<II", self._table(self.tag("HASH"), 8))[1])
        return self._gnu_count()

    def _gnu_count(self) -> int:
        """By a hash table of the GNU kind: the end of the chain that begins last."""
        table = self.tag("GNU_HASH")
        buckets, first, bloom, _ = struct.unpack("<IIII", self._table(table, 16))
        if max(buckets, bloom) > MAX_SYMBOLS:
            raise NativeRefused("native.tables", f"it has more than {MAX_SYMBOLS} symbols")
        start = table + 16 + 8 * bloom
        last = max((row[0] for row in struct.iter_unpack("<I", self._table(start, 4 * buckets))), default=0)
        chains = start + 4 * buckets
        for index in range(last, MAX_SYMBOLS):
            if last < first:
                break
            if struct.unpack("<I", self._table(chains + 4 * (index - first), 4))[0] & 1:
                return index + 1
        raise NativeRefused("native.tables", "it has no table of symbols")

    def relocations(self) -> Iterator[Relocation]:
        """All of them, in the order in which they are applied."""
        for start, size in (("RELA", "RELASZ"), ("JMPREL", "PLTRELSZ")):
            length = self.tag(size)
            if length > 24 * MAX_RELOCATIONS or self.has("REL", "RELR"):
                raise NativeRefused("native.relocation", "it has relocations of another form, or too many")
            if length:
                table = self._table(self.tag(start), length // 24 * 24)
                for address, info, addend in struct.iter_unpack("<QQq", table):
                    yield Relocation(address, info & 0xFFFF_FFFF, info >> 32, addend)


def _name(names: bytes, offset: int) -> str:
    name, end, _ = names[offset : offset + _MAX_NAME_BYTES].partition(b"\0")
    if not end:
        raise NativeRefused("native.tables", "a name is too long, or lies outside of the table of names")
    return name.decode("ascii", "backslashreplace")


def _segment(header: Any) -> ElfSegment:
    return ElfSegment(
        str(header["p_type"]),
        int(header["p_flags"]),
        int(header["p_offset"]),
        int(header["p_vaddr"]),
        int(header["p_filesz"]),
        int(header["p_memsz"]),
    )


def _tags(content: bytes) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for tag, value in struct.iter_unpack("<qQ", content[: len(content) // 16 * 16]):
        if tag == 0:
            break
        found.append((tag, value))
    if len(found) > _MAX_TAGS:
        raise NativeRefused("native.segments", f"its dynamic segment has more than {_MAX_TAGS} entries")
    return found


TAGS: Final = {
    "NEEDED": 1,
    "PLTRELSZ": 2,
    "HASH": 4,
    "STRTAB": 5,
    "SYMTAB": 6,
    "RELA": 7,
    "RELASZ": 8,
    "STRSZ": 10,
    "INIT": 12,
    "FINI": 13,
    "RPATH": 15,
    "REL": 17,
    "TEXTREL": 22,
    "JMPREL": 23,
    "INIT_ARRAY": 25,
    "FINI_ARRAY": 26,
    "RUNPATH": 29,
    "FLAGS": 30,
    "PREINIT_ARRAY": 32,
    "RELR": 36,
    "GNU_HASH": 0x6FFFFEF5,
    "CONFIG": 0x6FFFFEFA,
    "DEPAUDIT": 0x6FFFFEFB,
    "AUDIT": 0x6FFFFEFC,
    "AUXILIARY": 0x7FFFFFFD,
    "FILTER": 0x7FFFFFFF,
}
"""Dynamic tags: gABI 4.1, chapter 5; the large numbers are those of GNU and Sun in <elf.h>."""
