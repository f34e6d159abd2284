"""`serve`: what the frame protocol adds to a call of the facade, and events a second."""

from typing import Any

import click

from bench.console import show
from bench.environment import environment
from bench.serving import costs, lines


@click.command()
@click.option("--rounds", type=click.IntRange(1, 1000), default=100, show_default=True, help="Of ten calls each.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def serve(rounds: int, as_json: bool) -> None:
    """What a call through `bioguard serve --protocol 2` takes beside the facade's, and events a second.

    In turns, in one run: ten calls of the facade, ten through the pipe; the difference is that of medians of a round.
    """
    found = costs(rounds)
    data: dict[str, Any] = {"command": "serve", "environment": environment(), "rounds": rounds, "costs": found}
    show(data, lines(found), as_json=as_json)
