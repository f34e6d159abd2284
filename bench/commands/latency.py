"""`latency`: what callers wait for, of this checkout and another one, in turn in one run."""

from pathlib import Path
from typing import Any

import click

from bench.console import advancing, show
from bench.environment import ROOT, environment
from bench.latency_sides import Parts, Side, sides
from bench.latency_table import HERE, THERE, counted, lines, operations

TIMED = ("floors", "cold", "start", "warm", "enroll", "memory")
COUNTED = "counts"


@click.command()
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="CHECKOUT",
    help="Another checkout of bioguard, with its own .venv; without it this one's figures stand alone.",
)
@click.option(
    "--only",
    type=click.Choice((*TIMED, COUNTED)),
    multiple=True,
    help="Only this group of operations; may be repeated.",
)
@click.option("--turns", type=click.IntRange(1, 100), default=5, show_default=True, help="Runs of each side.")
@click.option("--rounds", type=click.IntRange(2, 200), default=15, show_default=True, help="Repetitions in a run.")
@click.option(
    "--disk",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder on the disk that is meant; the temporary one of this host unless given.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def latency(
    against: Path | None, only: tuple[str, ...], turns: int, rounds: int, disk: Path | None, as_json: bool
) -> None:
    """What callers wait for: cold commands, start, 1:1, 1:N, enrollment, memory; beside another checkout.

    Wall and processor time (of all processes) in milliseconds, memory (Pss of all, in KiB, read by root only), and
    counts of single operations: syncs, SQL statements, messages and bytes. Groups: floors, cold, start, warm, enroll,
    memory, counts. Floors are what nothing here can be below: a start of Python, a sync of this disk.

    Both sides take turns, group by group, first the other, then this one first. A ratio is the median over turns of
    (median here / median there) of the same turn; below 1 this checkout is faster. Absolute figures of a shared machine
    mean little.
    """
    groups = only or (*TIMED, COUNTED)
    checkouts = [ROOT] + ([against.resolve()] if against else [])
    with sides(checkouts, disk) as made:
        named = dict(zip((HERE, THERE), made, strict=False))
        for side in made[::-1]:  # the other first: one that cannot run is found at once
            side.prepare(bundle=not {"cold", COUNTED}.isdisjoint(groups))
        counts = counted({name: side.counts() for name, side in named.items()}) if COUNTED in groups else {}
        timed = [group for group in TIMED if group in groups]
        found: list[dict[str, Parts]] = []
        with advancing("latency", turns * len(timed) * len(named)) as advance:
            for turn in range(turns if timed else 0):
                found.append(_turn(named, timed, rounds, turn, advance))
    rows = operations(found, counts) if found else {}
    data: dict[str, Any] = {
        "command": "latency", "environment": environment(), "turns": turns, "rounds": rounds,
        "operations": rows, "counts": counts,
    }  # fmt: skip
    show(data, lines(rows, counts, two=against is not None), as_json=as_json)


def _turn(named: dict[str, Side], groups: list[str], rounds: int, turn: int, advance: Any) -> dict[str, Parts]:
    """Every group on both sides, one side first in even turns and the other in odd ones."""
    found: dict[str, Parts] = {name: {} for name in named}
    for group in groups:
        for name in sorted(named, reverse=turn % 2 == 0):
            found[name] |= named[name].measure(group, rounds)
            advance(1)
    return found
