"""Entry point: run the root command, print its result, map every end to an exit code."""

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from bioguard.cli.app import cli, hoist_global_options, refuse_idle_options
from bioguard.cli.output import Output, Result
from bioguard.errors import BioguardError, WrongUsage
from bioguard.exit_codes import ExitCode

__all__ = ["main", "run"]


class _Unexpected(BioguardError):
    code = "unexpected"
    exit_code = ExitCode.UNEXPECTED


class _Interrupted(BioguardError):
    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED


def _crash_log() -> Path:
    """Write the traceback (code lines only, no values) to a private file and return its path."""
    fd, name = tempfile.mkstemp(prefix=f"bioguard-crash-{time.time_ns() // 1_000_000_000}-", suffix=".log")
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(traceback.format_exc())
    return Path(name)


def run(args: list[str]) -> ExitCode:
    """Run one command line and return its exit code. Prints through `Output` only."""
    arguments = hoist_global_options(args)
    output = Output(as_json="--json" in arguments, quiet=not {"-q", "--quiet"}.isdisjoint(arguments))
    try:
        refuse_idle_options(arguments)
        result = cli.main(args=arguments, prog_name="bioguard", standalone_mode=False)
    except BioguardError as error:
        _tell(output.error, error)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        output.step(error.ctx.get_help() if error.ctx else "")
        return ExitCode.USAGE
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "bioguard"
        _tell(output.error, WrongUsage(_one_line(error.format_message()), hint=f"run: {where} --help"))
        return ExitCode.USAGE
    except click.ClickException as error:
        _tell(output.error, WrongUsage(_one_line(error.format_message()), hint="run: bioguard --help"))
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        _tell(
            output.error, _Interrupted("interrupted", hint="nothing was left half done: each change is one transaction")
        )
        return ExitCode.INTERRUPTED
    except click.exceptions.Exit as end:
        return ExitCode(end.exit_code)
    except Exception as error:
        hint = f"this is a bug of bioguard; the traceback is in {_crash_log()}"
        _tell(output.error, _Unexpected(f"unexpected {type(error).__name__}", hint=hint))
        return ExitCode.UNEXPECTED
    if isinstance(result, Result):
        _tell(output.result, result)
        return result.exit_code
    return ExitCode(result) if isinstance(result, int) else ExitCode.OK


def _tell(say: Callable[[Any], None], what: object) -> None:
    """Print. If the reader left, the exit code is still the answer: a "no" must never turn into 0."""
    try:
        say(what)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line[:1].lower() + line[1:]


def main() -> NoReturn:
    """Console script."""
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except OSError as error:
        Output().error(_Unexpected(f"the answer cannot be written: {error.strerror}", hint="check where stdout goes"))
        code = ExitCode.UNEXPECTED
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(int(code))


if __name__ == "__main__":
    main()
