"""Groups whose commands are imported when they are called: help about all of them loads none."""

import gc
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

Table = Mapping[str, tuple[str, str]]
"""Name of a command: where it is in its package (`module:function`), and the first sentence of its help."""


class LazyGroup(click.Group):
    """A group over a table, whose modules are in one package."""

    def __init__(self, *args: Any, table: Table, package: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        module, _, name = self.table[cmd_name][0].partition(":")
        command = getattr(import_module(f"{self._package}.{module}"), name)
        if not gc.isenabled():  # since `main`: what was loaded stays, and need not be looked through
            gc.freeze()
            gc.enable()
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        limit = formatter.width - 6 - max(map(len, self.table))
        rows = [(n, click.Command(n, help=h).get_short_help_str(limit)) for n, (_, h) in sorted(self.table.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.table and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

            for near in get_close_matches(args[0], self.table, n=1):
                ctx.fail(f"no such command {args[0]!r}, did you mean {near!r}?")
        return super().resolve_command(ctx, args)
