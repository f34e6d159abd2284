"""The import flags on a command of click. One group for every command that reads samples, here and in `bench`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions
from bioguard.formats.options import IMPORT_FLAGS, ImportFlag

_PREFIX = "import_flag_"


class _Fields(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 only
    """The value of a flag, as fields of `ImportOptions`."""

    def __init__(self, flag: ImportFlag) -> None:
        self.name = flag.metavar or "/".join(flag.choices)
        self._flag = flag

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if self._flag.choices and value not in self._flag.choices:
            self.fail(f"choose {' or '.join(self._flag.choices)}", param, ctx)
        try:
            return self._flag.parse(value) if self._flag.parse else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


def import_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags to a command; it gets them as one keyword argument `options`."""

    @wraps(command)
    def with_options(*args: Any, **kwargs: Any) -> Any:
        fields: dict[str, Any] = {}
        for index, flag in enumerate(IMPORT_FLAGS):
            value = kwargs.pop(f"{_PREFIX}{index}")
            if flag.parse is not None:
                fields |= value or {}
            elif value:
                fields |= flag.given or {}
        try:
            options = ImportOptions(**fields)
        except InputRefused as error:
            raise click.UsageError(f"--dpi and --native-size: {error.message}") from error
        return command(*args, options=options, **kwargs)

    decorated: Callable[..., Any] = with_options
    for index, flag in reversed(list(enumerate(IMPORT_FLAGS))):
        name = f"{_PREFIX}{index}"
        if flag.parse is None:
            decorated = click.option(flag.name, name, is_flag=True, help=flag.help)(decorated)
        else:
            metavar = flag.metavar or f"[{'|'.join(flag.choices)}]"
            decorated = click.option(flag.name, name, type=_Fields(flag), metavar=metavar, help=flag.help)(decorated)
    return decorated
