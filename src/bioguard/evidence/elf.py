"""Which functions an ELF shared object asks others for, read with pyelftools (the `audit` extra)."""

from io import BytesIO

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

NETWORK_SYMBOLS = frozenset(
    {"socket", "connect", "bind", "listen", "accept", "accept4", "send", "sendto", "sendmsg", "recv", "recvfrom"}
    | {"recvmsg", "getaddrinfo", "gethostbyname", "socketpair"}
)
"""Functions of POSIX sys/socket.h and netdb.h that open or use a connection."""


class NotElf(ValueError):
    """Not an ELF file, or a damaged one."""


def undefined_symbols(data: bytes) -> set[str]:
    """Return the names that the dynamic loader must find elsewhere.

    Raises:
        NotElf: not an ELF file with a dynamic symbol table, or a damaged one.
    """
    try:
        sections = list(ELFFile(BytesIO(data)).iter_sections(type="SHT_DYNSYM"))
        tables = [section for section in sections if isinstance(section, SymbolTableSection)]
        names = {s.name for table in tables for s in table.iter_symbols() if s["st_shndx"] == "SHN_UNDEF"}
    except Exception as error:  # pyelftools lets through what it stumbles on: KeyError, AssertionError, AttributeError
        raise NotElf(f"not a readable ELF file: {type(error).__name__}") from None
    if not tables:
        raise NotElf("no dynamic symbol table")
    return names - {""}
