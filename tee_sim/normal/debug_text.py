"""Debug reports as people read them: on standard error, and as what the timeline says of them."""

import re
import sys
from collections.abc import Iterator
from itertools import groupby

from tee_sim.normal.syscall_names import name_of
from tee_sim.shared.debug_report import DebugFrame, DebugKind, DebugReport
from tee_sim.shared.sandbox.kernel import MACHINE

_NOT_FOUND = {
    "ModuleNotFoundError": re.compile(r"No module named '([\w.]+)'"),
    "ImportError": re.compile(r"cannot import name '(\w+)' from '([\w.]+)'"),
}
"""Exceptions about a module that is not in memory; the parts of its name in the text of each, the last one first."""


def title(report: DebugReport) -> str:
    """The report in one line, without its application."""
    match report.kind:
        case DebugKind.PANIC | DebugKind.IGNORED:
            word = "panic" if report.kind is DebugKind.PANIC else "exception ignored"
            return f"{word}: {report.what}: {report.text}" if report.text else f"{word}: {report.what}"
        case DebugKind.FORBIDDEN_CALL:
            return f"forbidden: {_call(report)}"
        case DebugKind.OUTPUT:
            return f"{report.what}: {report.text}"


def _call(report: DebugReport) -> str:
    """The system call and its arguments, and what Python was asked to do; one of them if the other is not known."""
    asked = f"{report.what}({report.text})" if report.text else report.what
    if report.call is None:
        return f"{asked}; which system call that was is not known here"
    arguments = ", ".join(f"{number:#x}" for number in report.arguments)
    return f"{name_of(report.call, MACHINE)}({arguments})" + (f" by {asked}" if asked else "")


def lines(report: DebugReport) -> Iterator[str]:
    """The report as it is printed, the innermost line of code last."""
    yield f"debug: {report.application or 'the core'}: {title(report)}"
    for frame, same in groupby(report.frames if report.kind is not DebugKind.OUTPUT else ()):
        count = len(list(same))
        yield f"debug:   {place(frame)}" + (f": {frame.source}" if frame.source else "")
        if count > 1:
            yield f"debug:   (and {count - 1} times more)"
    if report.what in _NOT_FOUND:
        yield "debug:   after the lock there is what the manifest names under code and preload, and nothing else"
        if missing := _NOT_FOUND[report.what].match(report.text):
            name = ".".join(part for part in reversed(missing.groups()) if part)
            yield f'debug:   add "{name}" to preload, or to code if it is the application\'s own'


def place(frame: DebugFrame) -> str:
    """File, line and function."""
    return f"{frame.file}:{frame.line} in {frame.function}"


def print_report(report: DebugReport) -> None:
    """On standard error."""
    sys.stderr.write("".join(f"{line}\n" for line in lines(report)))
    sys.stderr.flush()
