"""The command `tee-sim`: its commands, its errors in two lines, its exit codes."""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from tee_sim.cli.exit_codes import ExitStatus, code_of, exit_of, hint_of
from tee_sim.lazy_group import LazyGroup, Table
from tee_sim.shared.errors import TeeError
from tee_sim.shared.leaving import leave

COMMANDS: Table = {
    "attack": (
        "attack:attack",
        "Play every attack that needs no more than a manifest against the applications of PATH...; exit 3 if one "
        "works.",
    ),
    "check": (
        "check:check",
        "Look at the manifests of PATH... and the code they name; print each problem with its file, line and a hint.",
    ),
    "dev-kit": (
        "dev_kit:dev_kit",
        "Print the folder of headers, make rules and libraries for applications in C; build it first if it is missing.",
    ),
    "invoke": (
        "ask:invoke",
        "Open a session with the application of PATH, invoke COMMAND once, and print what comes back.",
    ),
    "list": (
        "ask:list_applications",
        "Start a machine with the applications of PATH... and print what it hosts, how it is locked, and what it "
        "measured.",
    ),
    "new": ("new:new", "Make the folder NAME with a trusted application, its commands, manifest, client and test."),
    "run": ("run:run", "Run a program with a machine."),
    "serve": (
        "serve:serve",
        "Start the machine in DIR with the applications that it hosted last, and answer over two pipes.",
    ),
    "shell": (
        "shell:shell",
        "Start a machine with the applications of PATH... and read lines: open sessions, invoke, restart, cut the "
        "power.",
    ),
    "trace": (
        "trace:trace",
        "Print the timeline FILE that TEE_SIM_TRACE wrote: when it began (ms), how long it lasted (ms), row, event.",
    ),
}


@click.group(
    cls=LazyGroup, table=COMMANDS, package="tee_sim.cli", context_settings={"help_option_names": ["-h", "--help"]}
)
def cli() -> None:
    """Make, check and run trusted applications of your own on a simulated TEE.

    A PATH is a manifest file, a .ta file, or a folder with a manifest.toml or .ta files; packages next to a manifest
    need not be installed.

    \b
    Start with:
      tee-sim new vault
    """


def _say(code: str, message: str, hint: str) -> None:
    click.echo(f"tee-sim: error[{code}]: {message}", err=True)
    click.echo(f"hint: {hint}", err=True)


def main(args: list[str] | None = None) -> NoReturn:
    """Run one command line."""
    leave(int(play(args)))


def _debugged(words: Sequence[str]) -> bool:
    """Whether it is one of ours, and not of the program of `run`."""
    ours = words[: words.index("--")] if "--" in words else words
    return "--debug" in ours


def play(args: list[str] | None = None) -> int:
    """Run one command line and return its exit status."""
    try:
        status = cli.main(args=args, prog_name="tee-sim", standalone_mode=False)
    except TeeError as error:
        from tee_sim.cli.words import shown  # noqa: PLC0415 - a command that raises has loaded it already

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
