"""Rates on the command line."""

import re

import click

_RATE = re.compile(r"1/([1-9][0-9]{0,7})")
_MAX_INVERSE = 10_000_000


class Rate(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 only
    """A rate written as 1/N; the value is N."""

    name = "1/N"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = _RATE.fullmatch(str(value))
        if found is None or not 2 <= int(found[1]) <= _MAX_INVERSE:
            self.fail(f"write a rate as 1/N with N from 2 to {_MAX_INVERSE}, for instance 1/50000", param, ctx)
        return int(found[1])
