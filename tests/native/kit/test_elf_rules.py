"""One file a rule: what is refused as a native application, by its code; nothing but NativeRefused comes of any."""

import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tee_sim.normal.dev_kit import SOURCES
from tee_sim.shared.errors import Origin, TeeResult
from tee_sim.shared.native.elf import check
from tee_sim.shared.native.head import TaHead
from tee_sim.shared.native.image import MAX_FILE_BYTES, ElfSegment, Image
from tee_sim.shared.native.refusal import HINTS, NativeRefused
from tests.native.kit.conftest import DEFINES, MAIN, need

HERE = "x86_64"
LINK = (
    "-shared", "-nostartfiles", f"-Wl,-T,{SOURCES / 'ta/ta.ld'}", "-Wl,-Bsymbolic", "-Wl,-z,now", "-Wl,-z,relro",
    "-Wl,-z,noexecstack", "-Wl,--build-id=none",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Objects:
    """Compiled parts of a right application, to be linked wrongly."""

    folder: Path

    def linked(self, *options: str, main: str = "", without: str = "", flags: tuple[str, ...] = ("-fPIC",)) -> bytes:
        """The file with these options of the linker in addition, or without one, or with another main source."""
        parts = [str(self.folder / "head.o")]
        if main:
            (self.folder / "other.c").write_text(main)
            _gcc(self.folder, "-c", *flags, "other.c", "-o", "other.o")
            parts.append("other.o")
        else:
            parts.append("main.o")
        words = [word for word in LINK if not (without and without in word)]
        _gcc(self.folder, *words, *parts, *options, "-o", "made.ta")
        return (self.folder / "made.ta").read_bytes()


def _gcc(folder: Path, *words: str) -> None:
    line = ["gcc", f"-I{SOURCES / 'include'}", "-I.", "-O1", *words]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    need("gcc")
    folder = tmp_path_factory.mktemp("objects")
    (folder / "user_ta_header_defines.h").write_text(DEFINES)
    (folder / "main.c").write_text(MAIN)
    _gcc(folder, "-c", "-fPIC", "main.c", "-o", "main.o")
    _gcc(folder, "-c", "-fPIC", str(SOURCES / "ta/head.c"), "-o", "head.o")
    return Objects(folder)


@pytest.fixture(scope="module")
def right(objects: Objects) -> bytes:
    return objects.linked()


def refused(content: bytes, *, unlocked: bool = False) -> tuple[str, str]:
    """Code and reason."""
    with pytest.raises(NativeRefused) as caught:
        check(content, unlocked=unlocked, machine=HERE)
    error = caught.value
    assert (error.result, error.origin, error.hint) == (TeeResult.BAD_FORMAT, Origin.API, HINTS[error.code])
    return error.code, error.why


def patched(content: bytes, offset: int, layout: str, *values: int) -> bytes:
    new = struct.pack(layout, *values)
    return content[:offset] + new + content[offset + len(new) :]


def segment_at(content: bytes, kind: int, flags: int | None = None) -> int:
    """Where the program header of the first segment of this kind, and of these flags, stands."""
    start, count = struct.unpack_from("<Q", content, 32)[0], struct.unpack_from("<H", content, 56)[0]
    for offset in range(start, start + 56 * count, 56):
        found = struct.unpack_from("<II", content, offset)
        if found[0] == kind and flags in {None, found[1]}:
            return int(offset)
    raise AssertionError(kind)


def tag_at(content: bytes, tag: int) -> int:
    """Where a dynamic tag stands."""
    place, size = struct.unpack_from("<Q16xQ", content, segment_at(content, 2) + 8)
    return next(at for at in range(place, place + size, 16) if struct.unpack_from("<q", content, at)[0] == tag)


def with_tag(content: bytes, tag: int, value: int = 0) -> bytes:
    """DT_SYMBOLIC, which says nothing here, made into another tag."""
    return patched(content, tag_at(content, 16), "<qQ", tag, value)


def bare(content: bytes) -> bytes:
    """Without section headers, which no loader needs."""
    return patched(patched(content, 40, "<Q", 0), 58, "<HHH", 64, 0, 0)


def relocated(content: bytes, kind: int) -> bytes:
    """The first relocation made another kind."""
    table = struct.unpack_from("<Q", content, tag_at(content, 7) + 8)[0]
    return patched(content, table + 8, "<I", kind)  # the first segment lies in memory as in the file


def test_a_right_one_is_taken(right: bytes) -> None:
    assert check(right, machine=HERE) == {"TEE_MemMove"}


EARLY = "it has functions that are run while it is loaded or unloaded"
ELSEWHERE = "a table of it is writable, or lies outside of what is loaded"
STACK = "it wants a stack that is executable, or does not say it"
OTHERS = "it has other libraries loaded"
TEXT = "it changes its code while it is loaded"
FOLDERS = "it says in which folders libraries lie"
THREADS = "it has thread-local variables"
EH_FRAME, GNU_STACK = 0x6474E550, 0x6474E551
"""PT_GNU_EH_FRAME says nothing here, so its row is used for others."""
HERE_IS = "and this machine is x86_64"
BY_A_FUNCTION = "an address in it is chosen by a function while it is loaded"
RWX = "a segment of it is writable and executable"
OVERLAP = "its segments overlap, or do not lie in the order of addresses"

PATCHES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "empty": ("native.not_elf", lambda c: b"", "it is no ELF file"),
    "a text": ("native.not_elf", lambda c: b"#!/bin/sh\n" + c, "it is no ELF file"),
    "32 bits": ("native.class", lambda c: patched(c, 4, "B", 1), "it is not of 64 bits, or not little-endian"),
    "big-endian": ("native.class", lambda c: patched(c, 5, "B", 2), "it is not of 64 bits, or not little-endian"),
    "header only": ("native.damaged", lambda c: c[:64], ""),
    "half a header": ("native.damaged", lambda c: c[:20], ""),
    "cut off": ("native.damaged", lambda c: c[:4096], "it is cut off: a table ends behind it"),
    "cut off within its data": (
        "native.damaged",
        lambda c: patched(c, segment_at(c, 1, 6) + 32, "<QQ", 1 << 20, 1 << 20),
        "it is cut off: a segment ends behind it",
    ),
    "aarch64": ("native.machine", lambda c: patched(c, 18, "<H", 183), f"it is built for aarch64, {HERE_IS}"),
    "riscv": ("native.machine", lambda c: patched(c, 18, "<H", 243), f"it is built for EM_RISCV, {HERE_IS}"),
    "an executable": ("native.type", lambda c: patched(c, 16, "<H", 2), "it is no shared object (ET_EXEC)"),
    "an object": ("native.type", lambda c: patched(c, 16, "<H", 1), "it is no shared object (ET_REL)"),
    "interpreter": (
        "native.type", lambda c: patched(c, segment_at(c, EH_FRAME), "<I", 3), "it is a program, no shared object",
    ),
    "no dynamic segment": (
        "native.segments", lambda c: patched(c, segment_at(c, 2), "<I", 4), "it has 0 dynamic segments",
    ),
    "very many segments": (
        "native.segments", lambda c: patched(c, 56, "<H", 0xFFFF), "it has more than 64 segments",
    ),
    "two dynamic segments": (
        "native.segments", lambda c: patched(c, segment_at(c, EH_FRAME), "<I", 2), "it has 2 dynamic segments",
    ),
    "dynamic elsewhere": (
        "native.segments", lambda c: patched(c, segment_at(c, 2) + 16, "<Q", 0x1000),
        "its dynamic segment is not loaded from where it lies",
    ),
    "overlap": (
        "native.segments", lambda c: patched(c, segment_at(c, 1, 5) + 16, "<Q", 0),
        OVERLAP,
    ),
    "far away": (
        "native.segments", lambda c: patched(c, segment_at(c, 1, 6) + 16, "<Q", 1 << 40),
        OVERLAP,
    ),
    "longer than memory": (
        "native.segments", lambda c: patched(c, segment_at(c, 1, 5) + 40, "<Q", 1),
        "a segment is larger in the file than in memory",
    ),
    "two writable": (
        "native.segments", lambda c: patched(c, segment_at(c, 1, 4) + 4, "<I", 6), "it has two writable segments",
    ),
    "rwx": ("native.writable_code", lambda c: patched(c, segment_at(c, 1, 5) + 4, "<I", 7), RWX),
    "no stack header": (
        "native.executable_stack", lambda c: patched(c, segment_at(c, GNU_STACK), "<I", 4),
        STACK,
    ),
    "tls segment": ("native.tls", lambda c: patched(c, segment_at(c, EH_FRAME), "<I", 7), THREADS),
    "static tls": ("native.tls", lambda c: patched(c, tag_at(c, 30) + 8, "<Q", 16), THREADS),
    "textrel flag": (
        "native.text_relocations", lambda c: patched(c, tag_at(c, 30) + 8, "<Q", 4),
        TEXT,
    ),
    "rpath": ("native.search_path", lambda c: with_tag(c, 15), FOLDERS),
    "config": ("native.audit", lambda c: with_tag(c, 0x6FFFFEFA), OTHERS),
    "filter": ("native.audit", lambda c: with_tag(c, 0x7FFFFFFF), OTHERS),
    "preinit": ("native.load_time_code", lambda c: with_tag(c, 32), EARLY),
    "fini array": ("native.load_time_code", lambda c: with_tag(c, 26), EARLY),
    "relr": ("native.relocation", lambda c: with_tag(c, 36), "it has relocations of another form, or too many"),
    "rel": ("native.relocation", lambda c: with_tag(c, 17), "it has relocations of another form, or too many"),
    "irelative": ("native.ifunc", lambda c: relocated(c, 37), BY_A_FUNCTION),
    "tpoff": ("native.tls", lambda c: relocated(c, 18), "it uses thread-local variables"),
    "copy": ("native.relocation", lambda c: relocated(c, 5), "it has a relocation of type 5"),
    "symbols outside": (
        "native.tables", lambda c: patched(c, tag_at(c, 6) + 8, "<Q", 1 << 40),
        ELSEWHERE,
    ),
    "names outside": (
        "native.tables", lambda c: patched(c, tag_at(c, 10) + 8, "<Q", 1 << 40),
        ELSEWHERE,
    ),
    "names without end": (
        "native.tables", lambda c: patched(c, tag_at(c, 10) + 8, "<Q", 5), "its table of names has no end",
    ),
    "tables that are writable": (
        "native.tables",
        lambda c: patched(patched(c, segment_at(c, 1, 6) + 4, "<I", 4), segment_at(c, 1, 4) + 4, "<I", 6),
        ELSEWHERE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PATCHES)
def test_a_changed_one_is_refused(name: str, right: bytes) -> None:
    code, change, why = PATCHES[name]
    found = refused(change(right))
    assert found[0] == code
    assert not why or found[1] == why


def test_one_that_is_too_large_is_not_read(right: bytes) -> None:
    assert refused(right + bytes(MAX_FILE_BYTES))[0] == "native.size"


IFUNC = (
    MAIN
    + """
static int one(void)
{
    return 1;
}
static void *choose(void)
{
    return (void *)one;
}
int chosen(void) __attribute__((ifunc("choose")));
"""
)
ABSOLUTE = MAIN + '__asm__(".text\\n.globl own\\nown: .quad own\\n");\n'
CALLS_OUT = (
    MAIN
    + """
#include <stdlib.h>
const char *own(void);
const char *own(void)
{
    return getenv("HOME");
}
"""
)
EARLY_CODE = (
    MAIN
    + """
static volatile int seen;
__attribute__((constructor)) static void early(void)
{
    seen = 1;
}
"""
)
HIDDEN_IFUNC = (
    IFUNC.replace("int chosen", 'extern int chosen(void) __attribute__((visibility("hidden")));\nint chosen')
    + "int (*pointer)(void) = chosen;\n"
)
NO_DESTROY = MAIN.replace("void TA_DestroyEntryPoint", "static __attribute__((used)) void TA_DestroyEntryPoint2")
DATA_ENTRY = "int TA_CreateEntryPoint;\n" + "".join(
    f"void TA_{name}EntryPoint(void);\nvoid TA_{name}EntryPoint(void)\n{{\n}}\n"
    for name in ("Destroy", "OpenSession", "CloseSession", "InvokeCommand")
)
MANY = (
    MAIN
    + "".join(f"void outside{n}(void);\n" for n in range(7))
    + ("void all(void);\nvoid all(void)\n{\n" + "".join(f"    outside{n}();\n" for n in range(7)) + "}\n")
)
DEFINED = tuple(
    f"-Wl,--defsym=ta_{what}_{end}=0" for what in ("constructors", "destructors") for end in ("start", "end")
)
"""What ta.ld would define."""
LINKED: dict[str, tuple[str, tuple[str, ...], dict[str, str], str]] = {
    "with start files": (
        "native.load_time_code", (), {"without": "-nostartfiles"},
        EARLY,
    ),
    "constructors of a C library": (
        "native.load_time_code", DEFINED,
        {"without": "ta.ld", "main": EARLY_CODE},
        EARLY,
    ),
    "-init": ("native.load_time_code", ("-Wl,-init,TA_DestroyEntryPoint",), {}, EARLY),
    "executable stack": (
        "native.executable_stack", ("-Wl,-z,execstack",), {}, STACK,
    ),
    "run path": ("native.search_path", ("-Wl,-rpath,/tmp",), {}, FOLDERS),
    "old run path": ("native.search_path", ("-Wl,-rpath,/tmp,--disable-new-dtags",), {}, FOLDERS),
    "audit": ("native.audit", ("-Wl,--audit,/tmp/x.so",), {}, OTHERS),
    "audit of dependencies": ("native.audit", ("-Wl,--depaudit,/tmp/x.so",), {}, OTHERS),
    "auxiliary filter": ("native.audit", ("-Wl,-f,libc.so.6",), {}, OTHERS),
    "text relocations": ("native.text_relocations", ("-Wl,-z,notext",), {"main": ABSOLUTE}, TEXT),
    "indirect function": ("native.ifunc", (), {"main": IFUNC}, "chosen is chosen by a function while it is loaded"),
    "hidden indirect function": (
        "native.ifunc", (),
        {"main": HIDDEN_IFUNC},
        BY_A_FUNCTION,
    ),
    "thread-local variable": ("native.tls", (), {"main": MAIN + "__thread int own;\n"}, THREADS),
    "another library": ("native.needed", ("-Wl,--no-as-needed", "-lm"), {}, "it needs the library 'libm.so.6'"),
    "environment": ("native.symbol", (), {"main": CALLS_OUT}, "it calls what no application has here: getenv"),
    "many functions": (
        "native.symbol", (), {"main": MANY},
        "it calls what no application has here: outside0, outside1, outside2, outside3, outside4 and 2 more",
    ),
    "no entry point": (
        "native.entry_point", (), {"main": NO_DESTROY},
        "it does not define TA_DestroyEntryPoint",
    ),
    "an entry point that is data": (
        "native.entry_point", (), {"main": DATA_ENTRY},
        "it does not define TA_CreateEntryPoint",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LINKED)
def test_one_that_is_linked_otherwise_is_refused(name: str, objects: Objects) -> None:
    code, options, how, why = LINKED[name]
    assert refused(objects.linked(*options, main=how.get("main", ""), without=how.get("without", ""))) == (code, why)


def test_every_rule_has_its_vector_and_its_row() -> None:
    """`native.head` has those of test_head.py, `native.sanitized` those below, `native.size` one above."""
    shown = {code for code, *_ in PATCHES.values()} | {code for code, *_ in LINKED.values()}
    assert shown == set(HINTS) - {"native.head", "native.sanitized", "native.size"}
    page = (SOURCES.parents[1] / "docs/formats/native-ta.md").read_text()
    assert [code for code in HINTS if f"| `{code}` |" not in page] == []


@pytest.mark.parametrize("flag", ["-fsanitize=address", "-fsanitize=undefined", "--coverage"])
def test_what_only_an_unlocked_run_takes(flag: str, objects: Objects) -> None:
    try:
        content = objects.linked(flag, main=MAIN, flags=("-fPIC", flag))
    except AssertionError as error:
        if "san" in str(error):
            pytest.skip("gcc has no sanitizer runtime")
        raise
    assert refused(content)[0] == "native.sanitized"
    check(content, unlocked=True, machine=HERE)
    assert refused(patched(content, 16, "<H", 2), unlocked=True)[0] == "native.type"


@pytest.mark.parametrize("style", ["sysv", "gnu", "both"])
def test_symbols_are_found_by_either_table(style: str, objects: Objects) -> None:
    assert check(objects.linked(f"-Wl,--hash-style={style}"), machine=HERE) == {"TEE_MemMove"}


def test_section_headers_are_not_read(right: bytes) -> None:
    """A number of them that no file has room for would be looked for one by one."""
    endless = patched(patched(right, 60, "<H", 0), struct.unpack_from("<Q", right, 40)[0] + 32, "<Q", 1 << 60)
    assert check(endless, machine=HERE) == {"TEE_MemMove"}
    nowhere = patched(patched(right, 40, "<Q", 1 << 60), 58, "<HHH", 1, 0xFFFF, 0xFFFF)
    assert check(nowhere, machine=HERE) == {"TEE_MemMove"}


def test_one_without_section_headers_is_taken(right: bytes) -> None:
    assert check(bare(right), machine=HERE) == {"TEE_MemMove"}
    assert TaHead.read(bare(right)) == TaHead.read(right)


@given(data=st.data())
def test_no_file_ends_otherwise(right: bytes, data: st.DataObject) -> None:
    """Changed bytes among headers, dynamic segment and tables: taken, or refused by one of the codes."""
    dynamic = struct.unpack_from("<Q", right, segment_at(right, 2) + 8)[0]
    places = st.one_of(st.integers(0, 0x700), st.integers(dynamic, dynamic + 0x160), st.integers(0, len(right) - 1))
    content = bytearray(right)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(places)] = data.draw(st.integers(0, 255))
    changed = bytes(content[: data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))])
    for read in (lambda c: check(c, machine=HERE), TaHead.read):
        try:
            read(changed)
        except NativeRefused as error:
            assert error.code in HINTS


def test_reading_loads_nothing_that_could_open_a_connection() -> None:
    told = (
        "import sys; import tee_sim.normal.machine.machine, tee_sim.cli.main; before = set(sys.modules);"
        "import tee_sim.shared.native.elf, tee_sim.shared.native.head;"
        "print(*sorted(n for n in before if n.startswith('elftools')), '|', "
        "*sorted({'socket', '_socket', 'ssl', 'subprocess', 'ctypes'} & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", told], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["|"]


def test_an_image_says_what_is_in_memory_behind_the_file(right: bytes) -> None:
    image = Image(right)
    data = next(s for s in image.segments if s.kind == "PT_LOAD" and s.flags == 6)
    if data.memory_size > data.file_size:
        assert image.at(data.address + data.file_size, 1) == b"\0"
    with pytest.raises(NativeRefused):
        image.at(data.address + data.memory_size, 1)


class _Counted(bytes):
    taken_bytes = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if isinstance(key, slice):
            _Counted.taken_bytes += len(found)
        return found


def test_reading_a_few_bytes_copies_no_segment(right: bytes) -> None:
    # A file of 64 MiB with 62 properties or 256 libraries would hold up who reads it for seconds.
    image = Image(right)
    end = max(one.address + one.memory_size for one in image.segments if one.kind == "PT_LOAD")
    start, size = -(-end // 4096) * 4096, 1 << 20
    image.segments.append(ElfSegment("PT_LOAD", 4, len(right), start, size, size))
    image.tags = [(5, start), (10, size)]
    image.content = _Counted(right + bytes(size - 8) + b"a" * 7 + b"\0")
    _Counted.taken_bytes = 0
    assert image.at(start + size - 8, 8) == b"a" * 7 + b"\0"
    assert image.string(size - 8) == "a" * 7
    assert _Counted.taken_bytes < 4096
    with pytest.raises(NativeRefused, match="outside of the table"):
        image.string(size)
