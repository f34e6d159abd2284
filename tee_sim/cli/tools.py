"""The tools that `tee-sim run` can have look at native applications: what each needs, said before anything starts."""

import os
import shutil
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import click

from tee_sim.cli.options import note
from tee_sim.cli.refusal import refused
from tee_sim.normal.machine.applications import Application
from tee_sim.shared.native_run import NativeTool

F = TypeVar("F", bound=Callable[..., Any])
_HELP: Final = {
    NativeTool.ASAN: "Run native applications that are built with -fsanitize=address.",
    NativeTool.GDB: "Run each native application in gdb, on this terminal.",
    NativeTool.COVERAGE: "Run native applications that are built with --coverage.",
}
_TRACES: Final = {
    NativeTool.ASAN: (b"__asan_", "-fsanitize=address", "CFG_TA_ASAN=y"),
    NativeTool.COVERAGE: (b".gcda\0", "--coverage", "CFG_TA_COVERAGE=y"),
}
"""What stands in a file that a compiler made with an option, the option, and how the dev kit is asked for it."""


def tool_options(command: F) -> F:
    """Add --asan, --gdb and --coverage."""
    for tool, text in _HELP.items():
        name, whole = tool.name.lower(), f"{text} Nothing is locked: NOT ENFORCED."
        command = click.option(f"--{name}", name, is_flag=True, help=whole)(command)
    return command


def chosen(how: dict[str, Any], context: click.Context) -> NativeTool:
    """Takes the one that was chosen out of the options.

    Raises:
        UsageError: more than one was.
        TeeError: gdb, or the terminal for it, is not there.
    """
    found = [tool for tool in _HELP if how.pop(tool.name.lower())]
    if len(found) > 1 or (found and how["debug"]):
        raise click.UsageError("--asan, --gdb, --coverage and --debug exclude each other", context)
    if found == [NativeTool.GDB]:
        _need_gdb()
    return found[0] if found else NativeTool.NONE


def _need_gdb() -> None:
    if shutil.which("gdb") is None:
        raise refused("--gdb: gdb is not installed", "install gdb")
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        raise refused(
            "--gdb: there is no terminal for it", "run it in a terminal, with nothing in the background"
        ) from None


def say_what_is_not_watched(tool: NativeTool, applications: Iterable[Application]) -> None:
    """A note for each native application that was built without what the tool needs."""
    if tool not in _TRACES:
        return
    trace, option, variable = _TRACES[tool]
    for application in applications:
        if application.manifest.native and trace not in application.path.read_bytes():
            note(f"{application.path} is not built with {option}, so --{tool.name.lower()} says nothing of it: "
                 f"make {variable}")  # fmt: skip
