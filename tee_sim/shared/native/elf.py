"""Which ELF files are taken as native applications: one refusal a rule, `native.*` (docs/formats/native-ta.md).

An application runs in a process of its own, and only after that is locked. Whatever an ELF file can have run while it
is loaded, or loaded beside it, is refused here, as is what would make its memory writable and executable at once.
"""

import os
import re
from collections.abc import Callable
from typing import Final

from tee_sim.shared.native.allowed import ALLOWED
from tee_sim.shared.native.image import IFUNC, TLS, UNDEFINED, Image
from tee_sim.shared.native.refusal import NativeRefused

MACHINES: Final = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}
"""As `uname -m` says it, and as ELF does."""

_ABSOLUTE, _DATA, _JUMP, _RELATIVE, _INDIRECT, _THREAD = "absolute", "data", "jump", "relative", "ifunc", "tls"
_RELOCATIONS: Final = {
    "EM_X86_64": {0: "", 1: _ABSOLUTE, 6: _DATA, 7: _JUMP, 8: _RELATIVE, 37: _INDIRECT, 16: _THREAD, 17: _THREAD}
    | {18: _THREAD, 36: _THREAD},
    "EM_AARCH64": {0: "", 257: _ABSOLUTE, 1025: _DATA, 1026: _JUMP, 1027: _RELATIVE, 1032: _INDIRECT}
    | {1028: _THREAD, 1029: _THREAD, 1030: _THREAD, 1031: _THREAD},
}
"""x86-64 psABI, table 4.10; ELF for the Arm 64-bit Architecture, section 5.7.10."""

_LIBRARIES: Final = re.compile(r"libc\.so\.6|libgcc_s\.so\.1|ld-linux-(x86-64\.so\.2|aarch64\.so\.1)")
"""None of them is loaded for an application: the process that hosts it has the C library."""
SANITIZERS: Final = re.compile(r"lib([alt]|ub)san\.so\.\d+|libclang_rt\.[a-z]+-\w+\.so")

ENTRY_POINTS: Final = (
    "TA_CreateEntryPoint",
    "TA_DestroyEntryPoint",
    "TA_OpenSessionEntryPoint",
    "TA_CloseSessionEntryPoint",
    "TA_InvokeCommandEntryPoint",
)
_FUNCTION, _UNTYPED = 2, 0
_TEXT_RELOCATIONS, _STATIC_TLS = 4, 16
"""DF_TEXTREL, DF_STATIC_TLS of DT_FLAGS."""
_EXECUTABLE, _WRITABLE = 1, 2
_SHOWN_NAMES: Final = 5


def check(content: bytes, *, unlocked: bool = False, machine: str = "") -> frozenset[str]:
    """Hold a file against every rule.

    Args:
        machine: what it has to be built for, as `uname -m` calls it; empty for this one.
        unlocked: it will run without a lock, so it may be built with a sanitizer or for coverage: libraries of those,
            and any function that it asks for.

    Returns:
        The functions that it asks others for.

    Raises:
        NativeRefused: with the code of the rule.
    """
    image = Image(content)
    _check_machine(image, machine or os.uname().machine)
    for rule in _RULES:
        rule(image)
    asked = _undefined(image)
    if not unlocked:
        _check_needed(image)
        _check_asked(asked)
    return asked


def _check_machine(image: Image, wanted: str) -> None:
    built = next((name for name, machine in MACHINES.items() if machine == image.machine), image.machine)
    if image.machine != MACHINES.get(wanted):
        raise NativeRefused("native.machine", f"it is built for {built}, and this machine is {wanted}")


def _check_type(image: Image) -> None:
    if image.type != "ET_DYN":
        raise NativeRefused("native.type", f"it is no shared object ({image.type})")


def _check_segments(image: Image) -> None:
    kinds = {segment.kind: segment for segment in image.segments}
    if any(one.kind == "PT_LOAD" and one.flags & 3 == _WRITABLE | _EXECUTABLE for one in image.segments):
        raise NativeRefused("native.writable_code", "a segment of it is writable and executable")
    if "PT_GNU_STACK" not in kinds or kinds["PT_GNU_STACK"].flags & _EXECUTABLE:
        raise NativeRefused("native.executable_stack", "it wants a stack that is executable, or does not say it")
    if "PT_TLS" in kinds or image.tag("FLAGS") & _STATIC_TLS:
        raise NativeRefused("native.tls", "it has thread-local variables")
    if "PT_INTERP" in kinds:
        raise NativeRefused("native.type", "it is a program, no shared object")
    if sum(one.kind == "PT_LOAD" and bool(one.flags & _WRITABLE) for one in image.segments) > 1:
        raise NativeRefused("native.segments", "it has two writable segments")


def _check_tags(image: Image) -> None:
    for code, names, why in _REFUSED_TAGS:
        if image.has(*names):
            raise NativeRefused(code, why)
    if image.tag("FLAGS") & _TEXT_RELOCATIONS:
        raise NativeRefused("native.text_relocations", "it changes its code while it is loaded")


_REFUSED_TAGS: Final = (
    (
        "native.load_time_code",
        ("INIT", "FINI", "INIT_ARRAY", "FINI_ARRAY", "PREINIT_ARRAY"),
        "it has functions that are run while it is loaded or unloaded",
    ),
    ("native.text_relocations", ("TEXTREL",), "it changes its code while it is loaded"),
    ("native.search_path", ("RPATH", "RUNPATH"), "it says in which folders libraries lie"),
    ("native.audit", ("AUDIT", "DEPAUDIT", "FILTER", "AUXILIARY", "CONFIG"), "it has other libraries loaded"),
)


def _check_symbols(image: Image) -> None:
    symbols = image.symbols()
    for symbol in symbols:
        if symbol.kind == IFUNC:
            raise NativeRefused("native.ifunc", f"{symbol.name} is chosen by a function while it is loaded")
        if symbol.kind == TLS:
            raise NativeRefused("native.tls", f"{symbol.name} is a thread-local variable")
    defined = {s.name for s in symbols if s.section != UNDEFINED and s.kind in {_FUNCTION, _UNTYPED}}
    missing = [name for name in ENTRY_POINTS if name not in defined]
    if missing:
        raise NativeRefused("native.entry_point", f"it does not define {', '.join(missing)}")


def _check_relocations(image: Image) -> None:
    known = _RELOCATIONS[image.machine]
    for relocation in image.relocations():
        kind = known.get(relocation.kind)
        if kind == _INDIRECT:
            raise NativeRefused("native.ifunc", "an address in it is chosen by a function while it is loaded")
        if kind == _THREAD:
            raise NativeRefused("native.tls", "it uses thread-local variables")
        if kind is None:
            raise NativeRefused("native.relocation", f"it has a relocation of type {relocation.kind}")


def _undefined(image: Image) -> frozenset[str]:
    return frozenset(symbol.name for symbol in image.symbols()[1:] if symbol.section == UNDEFINED)


def _check_needed(image: Image) -> None:
    needed = [image.string(offset) for offset in image.values("NEEDED")]
    for name in needed:
        if SANITIZERS.fullmatch(name):
            raise NativeRefused("native.sanitized", f"it is built with a sanitizer ({name}): no locked process has it")
        if not _LIBRARIES.fullmatch(name):
            raise NativeRefused("native.needed", f"it needs the library {name!a}")


def _check_asked(asked: frozenset[str]) -> None:
    if any(name.startswith(("__asan_", "__ubsan_", "__sanitizer_", "__msan_")) for name in asked):
        raise NativeRefused("native.sanitized", "it is built with a sanitizer, which no locked process has")
    unknown = sorted(asked - ALLOWED)
    if {"getenv", "fopen", "mkdir"} <= asked:
        raise NativeRefused("native.sanitized", "it is built for coverage, and no locked process writes files")
    if unknown:
        more = f" and {len(unknown) - _SHOWN_NAMES} more" if len(unknown) > _SHOWN_NAMES else ""
        names = ", ".join(ascii(name)[1:-1] for name in unknown[:_SHOWN_NAMES])
        raise NativeRefused("native.symbol", f"it calls what no application has here: {names}{more}")


_RULES: Final[tuple[Callable[[Image], None], ...]] = (
    _check_type,
    _check_segments,
    _check_tags,
    _check_symbols,
    _check_relocations,
)
