"""What a secure world says about its applications when the normal world itself asked for the debug profile.

The one message of the secure world with free text. A strict secure world that sends it is killed (tee_sim.shared.wire).
A report may hold whatever an application printed or raised, secrets included: the debug profile is for that, and never
better than PARTIAL.
"""

from enum import IntEnum, unique
from typing import Annotated

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, Items, Record, Text, UpTo

MAX_TEXT_CHARS = 4000
MAX_FRAMES = 16
_MAX_NAME_CHARS = 160
_MAX_PATH_CHARS = 400


@unique
class DebugKind(IntEnum):
    """What a report is about."""

    PANIC = 1
    FORBIDDEN_CALL = 2
    OUTPUT = 3
    IGNORED = 4
    """An exception in a finalizer or a hook, which ends nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DebugFrame(Record):
    """One line of an application's own code that was being run."""

    file: Annotated[str, Text(_MAX_PATH_CHARS)]
    line: Annotated[int, UpTo(1 << 31)]
    function: Annotated[str, Text(_MAX_NAME_CHARS)]
    source: Annotated[str, Text(_MAX_NAME_CHARS)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DebugReport(Record):
    """From the secure world, in the profiles that are no lock: at any time after the lock, before an answer.

    Attributes:
        application: its name; empty if nothing of it was being run.
        what: of a panic the exception's type, of a call what Python was asked to do, of output where it went.
        text: what the exception says, what Python was asked to do it with, what was printed.
        call: number of the system call that the filter refused, if the kernel said so.
        arguments: its six arguments, likewise.
        frames: innermost last.
    """

    kind: DebugKind
    application: Annotated[str, Text(32)]
    what: Annotated[str, Text(_MAX_NAME_CHARS)]
    text: Annotated[str, Text(MAX_TEXT_CHARS)] = ""
    call: Annotated[int, UpTo(0xFFFF_FFFF)] | None = None
    arguments: Annotated[tuple[int, ...], Items(6, U64)] = ()
    frames: Annotated[tuple[DebugFrame, ...], Items(MAX_FRAMES)] = ()


def report(
    kind: DebugKind,
    application: str,
    what: str,
    text: str = "",
    *,
    call: int | None = None,
    arguments: tuple[int, ...] = (),
    frames: tuple[DebugFrame, ...] = (),
) -> DebugReport:
    """A report of any text: what is not printable ASCII is escaped, what is too long is shortened and says so."""
    return DebugReport(
        kind=kind,
        application=printable(application, 32),
        what=printable(what, _MAX_NAME_CHARS),
        text=printable(text, MAX_TEXT_CHARS),
        call=call,
        arguments=arguments,
        frames=frames[-MAX_FRAMES:],
    )


def frame(file: str, line: int, function: str, source: str) -> DebugFrame:
    """A frame, likewise. Of a long path the end counts."""
    path = printable(file, 1 << 16)
    return DebugFrame(
        file=path if len(path) <= _MAX_PATH_CHARS else "..." + path[3 - _MAX_PATH_CHARS :],
        line=max(line, 0),
        function=printable(function, _MAX_NAME_CHARS),
        source=printable(source.strip(), _MAX_NAME_CHARS),
    )


def printable(text: str, most: int) -> str:
    """Printable ASCII of at most `most` characters."""
    ascii_text = text[: most + 1].encode("ascii", "backslashreplace").decode("ascii")
    clean = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in ascii_text)
    if len(text) <= most and len(clean) <= most:
        return clean
    mark = f"... ({len(text)} characters)"
    return clean[: most - len(mark)] + mark if most > len(mark) else clean[:most]
