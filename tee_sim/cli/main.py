"""The command `tee-sim`: its commands, its errors in two lines, its exit codes."""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from tee_sim.cli.ask import invoke, list_applications
from tee_sim.cli.attack import attack
from tee_sim.cli.check import check
from tee_sim.cli.exit_codes import ExitStatus, code_of, exit_of, hint_of
from tee_sim.cli.new import new
from tee_sim.cli.run import run
from tee_sim.cli.shell import shell
from tee_sim.cli.trace import trace
from tee_sim.cli.words import shown
from tee_sim.shared.errors import TeeError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Make, check and run trusted applications of your own on a simulated TEE.

    A PATH is a manifest file, or a folder with a manifest.toml; packages next to it need not be installed.

    \b
    Start with:
      tee-sim new vault
    """


for _command in (new, check, run, shell, invoke, list_applications, trace, attack):
    cli.add_command(_command)


def _say(code: str, message: str, hint: str) -> None:
    click.echo(f"tee-sim: error[{code}]: {message}", err=True)
    click.echo(f"hint: {hint}", err=True)


def main(args: list[str] | None = None) -> NoReturn:
    """Run one command line."""
    sys.exit(int(play(args)))


def _debugged(words: Sequence[str]) -> bool:
    """Whether it is one of ours, and not of the program of `run`."""
    ours = words[: words.index("--")] if "--" in words else words
    return "--debug" in ours


def play(args: list[str] | None = None) -> int:
    """Run one command line and return its exit status."""
    try:
        status = cli.main(args=args, prog_name="tee-sim", standalone_mode=False)
    except TeeError as error:
        for line in shown(error.params or ()):
            click.echo(line)
        hint = hint_of(error, debugged=_debugged(sys.argv[1:] if args is None else args))
        _say(code_of(error), error.message, hint)
        return exit_of(error)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitStatus.USAGE
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "tee-sim"
        _say("usage", error.format_message().replace("\n", " "), f"run: {where} --help")
        return ExitStatus.USAGE
    except (click.Abort, KeyboardInterrupt):
        return ExitStatus.INTERRUPTED
    return status if isinstance(status, int) else ExitStatus.OK
