"""Say where in the source of a native application a debug report is from.

The secure world knows an address in the application and nothing of its source. The file that it was loaded from has the
rest: its symbols, and, built with -g, its lines (DWARF 4 and 5). What it says is for people, and trusted by nobody.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.debug_report import MAX_TEXT_CHARS, DebugFrame, DebugKind, DebugReport, frame, printable
from tee_sim.shared.wire import Boot

_MAX_FILE_BYTES: Final = 64 << 20
_MAX_SOURCE_BYTES: Final = 4 << 20
_SUFFIX: Final = ".ta"
_LAST: Final = re.compile(r"last function (0x[0-9a-f]+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is. `file` and `line` are empty and 0 for one without lines."""

    file: str
    line: int
    function: str


class NativeLines:
    """The files of the native applications of one secure world."""

    def __init__(self, boot: Boot) -> None:
        folders = boot.folders or (b"",) * len(boot.manifests)
        self._paths = {
            f"{manifest.name}{_SUFFIX}": Path(os.fsdecode(folder)) / manifest.native
            for manifest, folder in zip(boot.manifests, folders, strict=True)
            if manifest.native
        }

    def resolved(self, report: DebugReport) -> DebugReport:
        """The same report, its frames with the lines of the source where they are known."""
        if not self._paths or not (report.frames or report.kind is DebugKind.PANIC):
            return report
        text = printable(_LAST.sub(_named, report.text), MAX_TEXT_CHARS)
        return replace(report, text=text, frames=tuple(map(self._resolved, report.frames)))

    def _resolved(self, one: DebugFrame) -> DebugFrame:
        path = self._paths.get(one.file)
        if path is None or not one.function.startswith("+0x"):
            return one
        place = None
        with suppress(OSError, ValueError):
            place = find(_content(path), int(one.function, 16))
        if place is None:
            return one
        named = f"{place.function}{one.function}" if not place.line else place.function
        return frame(place.file or str(path), place.line, named, _source(place))


def _named(last: "re.Match[str]") -> str:
    """The function that was called last, by its name: the host knows its number alone."""
    from tee_sim.shared.gp_functions import BY_NUMBER  # noqa: PLC0415 - every command loads this module

    if int(last[1], 16) == 0:
        return "no function was called"
    function = BY_NUMBER.get(int(last[1], 16))
    return last[0] if function is None else f"last function {function.c_name}"


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_FILE_BYTES)


def _source(place: Place) -> str:
    """The line itself, if the source still lies where it was compiled."""
    if not place.line:
        return ""
    with suppress(OSError), Path(place.file).open("rb") as file:
        lines = file.read(_MAX_SOURCE_BYTES).splitlines()
        return lines[place.line - 1].decode("utf-8", "replace") if place.line <= len(lines) else ""
    return ""


def find(content: bytes, address: int) -> Place | None:
    """Where an address of an ELF file is.

    Raises:
        ValueError: it is none that can be read.
    """
    from elftools.common.exceptions import DWARFError, ELFError  # noqa: PLC0415 - nothing else needs them
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415

    try:
        elf = ELFFile(BytesIO(content))
        function = _function(elf, address)
        file, line = next(_lines(elf, address), ("", 0))
    except (ELFError, DWARFError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise ValueError("no ELF file with symbols") from error
    return Place(file, line, function) if function or line else None


def _function(elf: Any, address: int) -> str:
    for name in (".symtab", ".dynsym"):
        table = elf.get_section_by_name(name)
        for symbol in table.iter_symbols() if table is not None else ():
            start, size = symbol["st_value"], symbol["st_size"]
            if symbol["st_info"]["type"] == "STT_FUNC" and start <= address < start + size:
                return str(symbol.name)
    return ""


def _lines(elf: Any, address: int) -> Iterator[tuple[str, int]]:
    if not elf.has_dwarf_info():
        return
    dwarf = elf.get_dwarf_info()
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        before = None
        for entry in program.get_entries():
            state = entry.state
            if state is None:
                continue
            if before is not None and before.address <= address < state.address:
                yield _path(unit, program, before.file), before.line
            before = None if state.end_sequence else state


def _path(unit: Any, program: Any, number: int) -> str:
    """The name of a file of a line program: from 0 in DWARF 5, from 1 before."""
    header = program.header
    entry = header["file_entry"][number if header["version"] >= 5 else number - 1]
    folder = _folder(unit, header, entry.dir_index)
    return str(Path(folder) / _text(entry.name))


def _folder(unit: Any, header: Any, number: int) -> str:
    attribute = unit.get_top_DIE().attributes.get("DW_AT_comp_dir")
    compiled_in = _text(attribute.value) if attribute is not None else ""
    if header["version"] < 5:
        number -= 1
    if number < 0:
        return compiled_in
    return str(Path(compiled_in) / _text(header["include_directory"][number]))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
