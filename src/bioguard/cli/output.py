"""The only place that prints.

Rules:
* answers go to stdout, words about the work (progress, notes, errors) to stderr;
* with `--json`, stdout carries exactly one JSON object and nothing else;
* what a terminal would obey or hide is escaped in every line, and in JSON: names and paths may hold anything;
* color never carries meaning on its own and is off when stdout is not a terminal or NO_COLOR is set (click does both).

Human text may change between versions. JSON fields and exit codes may not.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import Any

import click

from bioguard import __version__
from bioguard.errors import BioguardError
from bioguard.exit_codes import ExitCode
from bioguard.printable import harmless_json, printable
from bioguard.text import columns
from tee_sim.shared.dataclass import dataclass


def _command_name() -> str:
    """The command that is running, in the form of schema ids: `log-show` for `bioguard log show`."""
    context = click.get_current_context(silent=True)
    return "-".join(context.command_path.split()[1:]) if context else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command answers.

    Attributes:
        outcome: one word, for instance `enrolled`, `match`, `no_match`.
        data: JSON fields of this command.
        lines: the same for people.
        exit_code: OK, or NO when the answer is no.
        next_step: one command to try next, shown to people.
        command: name in the JSON schema id, for instance `log-show`: the command that is running.
    """

    outcome: str
    data: Mapping[str, Any] = field(default_factory=dict)
    lines: Sequence[str] = ()
    exit_code: ExitCode = ExitCode.OK
    next_step: str = ""
    command: str = field(default_factory=_command_name)


class Output:
    """Prints results, steps, progress and errors, in words or as JSON."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet

    def step(self, text: str) -> None:
        """One line of a longer story, on stdout (nothing with --json)."""
        if not self.as_json:
            _say(text)

    def tick(self, text: str) -> None:
        """A line of progress on stderr; silent when stderr is no terminal, with --json or --quiet."""
        if not (self.as_json or self.quiet) and sys.stderr.isatty():
            _say(text, err=True)

    def note(self, text: str) -> None:
        """A remark on stderr."""
        if not self.quiet:
            _say(f"note: {text}", err=True)

    def report(self, text: str) -> None:
        """What was done that nobody asked for, on stderr; --quiet is for progress and tips."""
        click.echo(f"note: {text}", err=True)

    def result(self, result: Result) -> None:
        """The answer of a command."""
        if self.as_json:
            self._object(
                {
                    "schema": f"bioguard/{result.command}/1",
                    "bioguard_version": __version__,
                    "outcome": result.outcome,
                    "exit_code": int(result.exit_code),
                    "error": None,
                    **result.data,
                }
            )
            return
        for line in result.lines:
            _say(line)
        if result.next_step and not self.quiet:
            _say(f"next: {result.next_step}", err=True)

    def error(self, error: BioguardError) -> None:
        """An error: what, and what to do about it."""
        if self.as_json:
            self._object(
                {
                    "schema": "bioguard/error/1",
                    "bioguard_version": __version__,
                    "outcome": "error",
                    "exit_code": int(error.exit_code),
                    "error": {"code": error.code, "message": error.message, "hint": error.hint},
                }
            )
            return
        _say(f"bioguard: error[{error.code}]: {error.message}", err=True)
        if error.hint:
            _say(f"hint: {error.hint}", err=True)

    @contextmanager
    def progress(self, items: Iterable[Any], label: str, length: int) -> Iterator[Iterable[Any]]:
        """Iterate with a bar on stderr; silent when stderr is no terminal, with --json or --quiet."""
        if self.as_json or self.quiet or not sys.stderr.isatty():
            yield items
            return
        with click.progressbar(items, label=label, length=length, file=sys.stderr) as bar:
            yield bar

    @staticmethod
    def _object(value: Mapping[str, Any]) -> None:
        click.echo(harmless_json(json.dumps(value, ensure_ascii=not _says_anything(), indent=2, sort_keys=False)))


def _say(line: str, *, err: bool = False) -> None:
    """One line and no more, whatever is in it."""
    click.echo(printable(line), err=err)


def _says_anything() -> bool:
    """Whether standard output takes every character. In another encoding JSON keeps to ASCII."""
    return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") in ("utf8", "utf8sig")


def table(rows: Sequence[Sequence[object]], *, header: Sequence[str]) -> list[str]:
    """Lay out rows under a header, one record per line."""
    return columns([header, *rows])
