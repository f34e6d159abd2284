"""The error for a native application that is not taken, one code a rule."""

from typing import Final

from tee_sim.shared.errors import Origin, TeeError, TeeResult

HINTS: Final = {
    "native.size": "build it without what it does not need, or strip it",
    "native.damaged": "build it again",
    "native.not_elf": "give the .ta file that `make` leaves; see: tee-sim dev-kit --help",
    "native.class": "build it for a machine with 64-bit pointers and the least significant byte first",
    "native.machine": "build it for this machine: make without CROSS_COMPILE",
    "native.type": "link it with -shared, as ta_dev_kit.mk does",
    "native.segments": "link it as ta_dev_kit.mk does",
    "native.tables": "link it as ta_dev_kit.mk does: its tables of symbols and relocations have to be read-only",
    "native.writable_code": "link it without a segment that is writable and executable (no -z rwx, no -N)",
    "native.executable_stack": "link it with -z noexecstack; of assembly, say .section .note.GNU-stack",
    "native.load_time_code": "link it with -nostartfiles and the ta.ld of the dev kit: constructors run after the lock",
    "native.text_relocations": "compile it with -fPIC",
    "native.search_path": "link it without -rpath",
    "native.audit": "link it without -audit, -depaudit, -f and -F",
    "native.ifunc": "build it without indirect functions: their resolvers would run while it is loaded",
    "native.tls": "build it without thread-local variables: an application has one thread",
    "native.relocation": "compile it with -fPIC and link it as ta_dev_kit.mk does",
    "native.needed": "link the library statically (libnames), or do without it",
    "native.symbol": "define it in the application, or do without it; docs/formats/native-ta.md says what there is",
    "native.head": "build it with ta_dev_kit.mk, and look at its user_ta_header_defines.h",
    "native.entry_point": "define the five entry points of TEE Internal Core API 1.3.1, section 4.3",
    "native.sanitized": "run it unlocked (tee-sim run --asan or --coverage), or build it without",
}
"""Every code, and what to do about it."""


class NativeRefused(TeeError):
    """A native application that is not taken. BAD_FORMAT, origin API.

    Args:
        code: one of `HINTS`.
        why: what is wrong, without the name of the file.
    """

    def __init__(self, code: str, why: str, *, file: str = "") -> None:
        self.code, self.why = code, why
        text = f"{file}: {why}" if file else why
        super().__init__(TeeResult.BAD_FORMAT, text, origin=Origin.API, hint=HINTS[code])

    def at(self, file: str) -> "NativeRefused":
        """The same, found in this file."""
        return NativeRefused(self.code, self.why, file=file)
