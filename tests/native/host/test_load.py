"""The loader of native applications meets files that are none: it says why, and never crashes or runs anything."""

import random
import signal
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.native.host.loads import REFUSED, TAKEN, Loads


@pytest.fixture(scope="module")
def outcome(runtime: Path) -> Iterator[Loads]:
    """Whether a file is taken, in a process of its own; the number of a signal, negative, if that crashes."""
    with Loads(runtime) as loads:
        yield loads


def test_a_process_that_crashes_is_told_by_its_signal(tmp_path: Path) -> None:
    source = tmp_path / "crash.c"
    source.write_text("char *load_image(void) { return *(char *volatile *)0; }")
    subprocess.run(["gcc", "-shared", "-fPIC", str(source), "-o", str(tmp_path / "crash.so")], check=True)
    with Loads(tmp_path / "crash.so") as loads:
        assert [loads(b"any"), loads(b"")] == [-signal.SIGSEGV, -signal.SIGSEGV]


def test_a_whole_file_is_taken_and_no_part_of_it(outcome: Loads, rough: Path) -> None:
    content = rough.read_bytes()
    assert outcome(content) == TAKEN
    for size in (0, 1, 63, 64, 200, 0x300, 0x1000, 0x2000):
        assert outcome(content[:size]) == REFUSED, size


def segments(content: bytes) -> list[tuple[int, int]]:
    """Where the program headers stand, and of which type they are."""
    (start,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    return [(start + size * i, struct.unpack_from("<I", content, start + size * i)[0]) for i in range(count)]


def tags(content: bytes) -> dict[int, int]:
    """Where the value of each tag of the dynamic segment stands."""
    at = next(at for at, kind in segments(content) if kind == 2)
    offset, size = struct.unpack_from("<Q", content, at + 8)[0], struct.unpack_from("<Q", content, at + 32)[0]
    return {struct.unpack_from("<Q", content, place)[0]: place + 8 for place in range(offset, offset + size, 16)}


def changed(content: bytes, at: int, layout: str, value: int) -> bytes:
    other = bytearray(content)
    struct.pack_into(layout, other, at, value)
    return bytes(other)


def _first(content: bytes, kind: int, flag: int = 0) -> int:
    return next(
        at for at, k in segments(content) if k == kind and struct.unpack_from("<I", content, at + 4)[0] & flag == flag
    )


RULES: dict[str, Callable[[bytes], bytes]] = {
    "no ELF": lambda c: b"\x7fELG" + c[4:],
    "32 bits": lambda c: changed(c, 4, "<B", 1),
    "no shared object": lambda c: changed(c, 16, "<H", 2),
    "another machine": lambda c: changed(c, 18, "<H", 8),
    "program headers outside": lambda c: changed(c, 32, "<Q", len(c)),
    "program headers at no multiple of 8": lambda c: changed(c, 32, "<Q", 65),
    "too many of them": lambda c: changed(c, 56, "<H", 0xFFFF),
    "thread-local variables": lambda c: changed(c, _first(c, 0x6474E551), "<I", 7),
    "writable and executable": lambda c: changed(c, _first(c, 1, 1) + 4, "<I", 7),
    "bytes outside of the file": lambda c: changed(c, _first(c, 1) + 8, "<Q", len(c) + 4096 & ~4095),
    "more bytes than it has in memory": lambda c: changed(c, _first(c, 1, 1) + 40, "<Q", 1),
    "a segment on another": lambda c: changed(c, _first(c, 1, 1) + 16, "<Q", 0),
    "a segment of a terabyte": lambda c: changed(c, _first(c, 1, 2) + 40, "<Q", 1 << 40),
    "a segment beyond all memory": lambda c: changed(c, _first(c, 1, 2) + 16, "<Q", 0xFFFF_FFFF_FFFF_F000),
    "no dynamic segment": lambda c: changed(c, _first(c, 2), "<I", 0),
    "a dynamic segment elsewhere": lambda c: changed(c, _first(c, 2) + 16, "<Q", 1 << 40),
    "symbols elsewhere": lambda c: changed(c, tags(c)[6], "<Q", 1 << 40),
    "names elsewhere": lambda c: changed(c, tags(c)[5], "<Q", 1 << 40),
    "names without an end": lambda c: changed(c, tags(c)[10], "<Q", 7),
    "relocations elsewhere": lambda c: changed(c, tags(c)[7], "<Q", 1 << 40),
    "relocations without end": lambda c: changed(c, tags(c)[8], "<Q", (1 << 64) - 24),
    "a constructor of ELF": lambda c: changed(c, tags(c)[10] - 8, "<Q", 12),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_refuses(outcome: Loads, rough: Path, rule: str) -> None:
    assert outcome(RULES[rule](rough.read_bytes())) == REFUSED


@pytest.mark.parametrize("value", [0, 8, 0x1000, 1 << 31, 1 << 40, (1 << 64) - 8])
def test_a_relocation_writes_into_the_application_alone(outcome: Loads, rough: Path, value: int) -> None:
    content = rough.read_bytes()
    (place,) = struct.unpack_from("<Q", content, tags(content)[7])
    assert outcome(changed(content, place, "<Q", value)) == REFUSED


def test_a_symbol_that_is_none_is_refused(outcome: Loads, rough: Path) -> None:
    content = rough.read_bytes()
    (place,) = struct.unpack_from("<Q", content, tags(content)[23])
    kind = struct.unpack_from("<Q", content, place + 8)[0] & 0xFFFF_FFFF
    assert outcome(changed(content, place + 8, "<Q", 0xFFFF_FFFF << 32 | kind)) == REFUSED
    assert outcome(changed(content, place + 8, "<Q", 1 << 32 | 0x99)) == REFUSED


def test_changed_bytes_never_crash_it(outcome: Loads, rough: Path) -> None:
    """Where nothing checked the file before; what is taken in spite of a changed byte is not run here."""
    content, numbers = rough.read_bytes(), random.Random(21)
    ends = {outcome(content[:at] + bytes([numbers.randrange(256)]) + content[at + 1 :]) for at in range(64)}
    for _ in range(400):
        other = bytearray(content)
        for _ in range(numbers.randrange(1, 6)):
            at = numbers.choice([numbers.randrange(len(other)), numbers.randrange(0x700)])
            other[at] = numbers.choice([0, 0xFF, 0x7F, 0x80, numbers.randrange(256)])
        ends.add(outcome(bytes(other)))
    assert ends == {TAKEN, REFUSED}
