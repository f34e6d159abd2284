"""Which functions an ELF shared object asks others for: a small reader of the dynamic symbol table.

Only little-endian 64-bit files (x86_64, aarch64). Everything is bounded by the file's size.
"""

import struct

NETWORK_SYMBOLS = frozenset(
    {"socket", "connect", "bind", "listen", "accept", "accept4", "send", "sendto", "sendmsg", "recv", "recvfrom"}
    | {"recvmsg", "getaddrinfo", "gethostbyname", "socketpair"}
)
"""Functions of POSIX sys/socket.h and netdb.h that open or use a connection."""
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_SHT_DYNSYM = 11
_SHN_UNDEF = 0


class NotElf(ValueError):
    """Not an ELF file this reader understands."""


def undefined_symbols(data: bytes) -> set[str]:
    """Names that the dynamic loader must find elsewhere.

    Raises:
        NotElf: not a 64-bit little-endian ELF file with a dynamic symbol table, or a table outside the file.
    """
    if len(data) < _HEADER.size or data[:6] != b"\x7fELF\x02\x01":
        raise NotElf("not a 64-bit little-endian ELF file")
    header = _HEADER.unpack_from(data)
    offset, size, count = header[6], header[11], header[12]
    if size != _SECTION.size or offset + size * count > len(data):
        raise NotElf("section headers are outside the file")
    sections = [_SECTION.unpack_from(data, offset + size * i) for i in range(count)]
    names: set[str] = set()
    tables = [s for s in sections if s[1] == _SHT_DYNSYM]
    if not tables:
        raise NotElf("no dynamic symbol table")
    for table in tables:
        start, length, link = table[4], table[5], table[6]
        if link >= count or start + length > len(data):
            raise NotElf("symbol table is outside the file")
        strings = data[sections[link][4] : sections[link][4] + sections[link][5]]
        for position in range(start, start + length - length % _SYMBOL.size, _SYMBOL.size):
            name, _, _, section, _, _ = _SYMBOL.unpack_from(data, position)
            if section == _SHN_UNDEF and name < len(strings):
                names.add(strings[name : strings.index(b"\0", name)].decode("ascii", "replace"))
    return names - {""}
