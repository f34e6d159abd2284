"""Run the root command, print its result, map every end to an exit code."""

import os
import time
from collections.abc import Callable

import click

from bioguard.cli.app import cli
from bioguard.cli.command_line import TRACE_VARIABLE, refuse_idle_options
from bioguard.cli.output import Output, Result
from bioguard.cli.streams import AnswerLost
from bioguard.errors import BioguardError, InputRefused, WrongUsage
from bioguard.exit_codes import ExitCode
from bioguard.printable import printable


class _Unexpected(BioguardError):
    code = "unexpected"
    exit_code = ExitCode.UNEXPECTED


class _Interrupted(BioguardError):
    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED


def _crash_log() -> str:
    """Write the traceback (code lines only, no values) to a private file and say where it is."""
    import tempfile  # noqa: PLC0415 - hardly ever
    import traceback  # noqa: PLC0415

    try:
        fd, name = tempfile.mkstemp(prefix=f"bioguard-crash-{time.time_ns() // 1_000_000_000}-", suffix=".log")
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(printable(traceback.format_exc(), keep="\n"))
    except OSError as error:
        return f"the traceback cannot be written: {error.strerror}"
    return f"the traceback is in {name}"


def run_command(arguments: list[str]) -> ExitCode:
    """Run one command line and return its exit code. Prints through `Output` only.

    Args:
        arguments: as `hoist_global_options` leaves them.
    """
    if not os.environ.get(TRACE_VARIABLE):
        return _run(arguments)
    from bioguard.cli import tracing  # noqa: PLC0415 - loaded where there is something to write

    code = _run(arguments, tracing.began)
    tracing.ended(code)
    return code


def _run(arguments: list[str], began: Callable[[list[str]], None] = lambda _: None) -> ExitCode:
    output = Output(as_json="--json" in arguments, quiet=not {"-q", "--quiet"}.isdisjoint(arguments))
    try:
        began(arguments)
        refuse_idle_options(arguments)
        result = cli.main(args=arguments, prog_name="bioguard", standalone_mode=False)
    except AnswerLost:
        raise
    except BioguardError as error:
        output.error(error)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        for line in (error.ctx.get_help() if error.ctx else "").splitlines():
            output.step(line)
        return ExitCode.USAGE
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "bioguard"
        output.error(WrongUsage(_one_line(error.format_message()), hint=f"run: {where} --help"))
        return ExitCode.USAGE
    except click.ClickException as error:
        output.error(WrongUsage(_one_line(error.format_message()), hint="run: bioguard --help"))
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        output.error(_Interrupted("interrupted", hint="nothing was left half done: each change is one transaction"))
        return ExitCode.INTERRUPTED
    except click.exceptions.Exit as end:
        return ExitCode(end.exit_code)
    except OSError as error:
        if error.filename is None:
            return _bug(output, error)
        named = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else error.filename
        refused = InputRefused(
            f"{named}: {error.strerror or 'cannot be used'}",
            hint="look at its permissions and at the disk, or name another place",
            code="input.unusable",
        )
        output.error(refused)
        return refused.exit_code
    except Exception as error:
        return _bug(output, error)
    if isinstance(result, Result):
        output.result(result)
        return result.exit_code
    return ExitCode(result) if isinstance(result, int) else ExitCode.OK


def _bug(output: Output, error: Exception) -> ExitCode:
    hint = f"this is a bug of bioguard; {_crash_log()}"
    output.error(_Unexpected(f"unexpected {type(error).__name__}", hint=hint))
    return ExitCode.UNEXPECTED


_MAX_TEXT_CHARS = 1_000
"""Of what is wrong with a command line, which holds what was written there."""


def _one_line(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line[:1].lower() + line[1:_MAX_TEXT_CHARS]


def answer_lost(lost: AnswerLost) -> ExitCode:
    """Say that the answer cannot be written."""
    Output().error(_Unexpected(f"the answer cannot be written: {lost}", hint="check where stdout goes"))
    return ExitCode.UNEXPECTED
