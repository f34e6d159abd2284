"""`native`: what calls of an application in C cost, side by side with what they cannot be below."""

from typing import Any

import click

from bench.console import show
from bench.environment import environment
from bench.native.costs import costs, lines


@click.command()
@click.option("--rounds", type=click.IntRange(1, 1000), default=40, show_default=True, help="Of ten calls each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def native(rounds: int, as_json: bool) -> None:
    """What an invocation through libteec costs, a call that the core answers, a digest, an object written.

    All in one run of a locked machine, in turn: p50 and p95 in microseconds. The floor is two round trips over bare
    pipes of three processes, with the messages of an invocation read and written in each as they are there, and nothing
    else. Needs a C compiler.
    """
    found = costs(rounds)
    data: dict[str, Any] = {"command": "native", "environment": environment(), "rounds": rounds, "costs": found}
    show(data, lines(found), as_json=as_json)
