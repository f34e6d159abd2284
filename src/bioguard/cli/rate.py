"""Rates on the command line."""

import click


class Rate(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 only
    """A rate written as 1/N; the value is N."""

    name = "1/N"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        numerator, slash, denominator = str(value).partition("/")
        if numerator != "1" or not slash or not denominator.isdecimal() or not 2 <= int(denominator) <= 10_000_000:
            self.fail("write a rate as 1/N with N from 2 to 10000000, for instance 1/50000", param, ctx)
        return int(denominator)
