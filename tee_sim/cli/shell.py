"""`tee-sim shell`: ask applications by hand, restart, cut the power, make the disk fail."""

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from tee_sim.cli.ask import ask
from tee_sim.cli.exit_codes import ExitStatus, code_of, exit_of, hint_of
from tee_sim.cli.named_commands import commands_of
from tee_sim.cli.options import PATHS, applications, machine_options, started
from tee_sim.cli.refusal import refused
from tee_sim.cli.words import decimal, shown
from tee_sim.normal.client import Session
from tee_sim.normal.machine.applications import Application
from tee_sim.normal.machine.machine import Machine
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.manifest_values import key_shown
from tee_sim.shared.manifest_values import shown as shown_text
from tee_sim.testing.faults.machine_faults import MachineFaults

HELP = """\
open [NAME]                     open a session with an application, and use it from now on
use N                           use session N
COMMAND [PARAMETER...]          invoke by name (ADD step=3) or number (1 value:2 out:64)
close [N]                       close a session
restart                         shut down in order, and boot again
power-cut                       cut the power now, and boot again
fault [PLAN]                    make disk and RPMB fail by plan from now on; without one no more
advance MS                      move a stepped clock
status | commands | help | quit"""


class Shell:
    """The sessions of one shell, and its words."""

    def __init__(self, machine: Machine, faults: MachineFaults) -> None:
        self._machine = machine
        self._faults = faults
        self._open: dict[int, tuple[Session, Application]] = {}
        self._used = 0
        self._count = 0
        self._verbs: dict[str, tuple[int, Callable[..., list[str]]]] = {
            "open": (1, self._open_session),
            "use": (1, self._use),
            "close": (1, self._close),
            "restart": (0, self._restart),
            "power-cut": (0, self._power_cut),
            "fault": (64, self._fault),
            "advance": (1, self._advance),
            "status": (0, self._status),
            "commands": (0, self._commands),
            "help": (0, HELP.splitlines),
        }
        """Verb, the most words after it, and what it does."""

    def do(self, line: str) -> list[str]:
        """Carry out one line; return what to print.

        Raises:
            TeeError: what the machine says; BAD_PARAMETERS of origin API for a line that is wrong.
        """
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise refused(f"the line cannot be read: {error}", "close every quote") from None
        if not words:
            return []
        verb, *rest = words
        if verb not in self._verbs:
            return self._invoke(verb, rest)
        most, work = self._verbs[verb]
        if len(rest) > most:
            raise refused(f"{verb} takes {most or 'no'} word(s)", "type: help")
        return work(*rest)

    def _invoke(self, command: str, words: Sequence[str]) -> list[str]:
        session, application = self._session()
        try:
            return ask(session, application, command, words)
        except TeeError as error:
            if error.result is TeeResult.TARGET_DEAD:
                self._drop(None if error.origin is Origin.COMMS else application)
            raise

    def _drop(self, dead: Application | None) -> None:
        """Forget the sessions of an application that has ended, or of a secure world: the next command opens one."""
        self._open = {n: (s, a) for n, (s, a) in self._open.items() if dead is not None and a is not dead}
        self._used = max(self._open, default=0)

    def _session(self, number: str = "") -> tuple[Session, Application]:
        if number and decimal(number) not in self._open:
            raise refused(f"no session {key_shown(number)}", f"open are: {', '.join(map(str, self._open)) or 'none'}")
        if not number and not self._used:
            self._open_session()
        return self._open[int(number or self._used)]

    def _open_session(self, name: str = "") -> list[str]:
        hosted = self._machine.applications
        found = [a for a in hosted if name in ("", a.manifest.name)]
        if len(found) != 1:
            hint = f"one of: {', '.join(a.manifest.name for a in hosted)}"
            raise refused(f"which application is meant by {name!r}", hint)
        session = self._machine.context.open_session(found[0].manifest.ta_uuid)
        self._count += 1
        self._used = self._count
        self._open[self._used] = (session, found[0])
        return [f"session {self._used} with {found[0].manifest.name}"]

    def _use(self, number: str = "") -> list[str]:
        self._session(number or "0")
        self._used = int(number)
        return []

    def _close(self, number: str = "") -> list[str]:
        session, _ = self._session(number)
        del self._open[int(number or self._used)]
        self._used = max(self._open, default=0)
        session.close()
        return []

    def _forget(self) -> list[str]:
        self._drop(None)
        return ["booted; all sessions are gone"]

    def _restart(self) -> list[str]:
        self._machine.restart()
        return self._forget()

    def _power_cut(self) -> list[str]:
        self._machine.power_cut()
        return self._forget()

    def _fault(self, *words: str) -> list[str]:
        self._faults.set(" ".join(words))
        return []

    def _advance(self, ms: str = "") -> list[str]:
        step_ms = decimal(ms)
        if step_ms is None:
            raise refused(f"{shown_text(ms)} is no number of milliseconds", "for instance: advance 60000")
        return [f"wall_ms = {self._machine.context.advance_clock(step_ms).wall_ms}"]

    def _status(self) -> list[str]:
        return [f"{key} = {value}" for key, value in self._machine.status().items() if key != "applications"]

    def _commands(self) -> list[str]:
        return [
            f"{a.manifest.name}: {command.number} {name} {' '.join(_fields(command))}".rstrip()
            for a in self._machine.applications
            for name, command in commands_of(a).items()
        ]


def _fields(command: Any) -> Sequence[str]:
    return [f"{name}=..." for name in command.request.__dataclass_fields__]


@click.command()
@PATHS
@machine_options
def shell(paths: tuple[Path, ...], **how: Any) -> None:
    """Start a machine with the applications of PATH... and read lines: open sessions, invoke, restart, cut the power.

    `help` lists the words. Lines may come from a pipe or file; then the first error ends it, with its exit status.

    \b
    Example:
      echo 'ADD step=3' | tee-sim shell counter
    """
    with started(applications(paths), **how) as (machine, faults):
        click.get_current_context().exit(_converse(Shell(machine, faults), debugged=how["debug"]))


def _typed() -> str:
    """One line from a terminal, with its history; empty at its end."""
    with suppress(ImportError):
        import readline  # noqa: F401, PLC0415  # from here on `input` edits lines
    try:
        return input("tee> ") + "\n"
    except EOFError:
        return ""


def _converse(words: Shell, *, debugged: bool) -> int:
    interactive = sys.stdin.isatty()
    while True:
        line = _typed() if interactive else sys.stdin.readline()
        if not line or line.strip() in {"quit", "exit"}:
            return ExitStatus.OK
        try:
            for text in words.do(line):
                click.echo(text)
        except TeeError as error:
            for text in shown(error.params or ()):
                click.echo(text)
            hint = hint_of(error, debugged=debugged)
            click.echo(f"error[{code_of(error)}]: {error.message}\nhint: {hint}", err=True)
            if not interactive:
                return exit_of(error)
