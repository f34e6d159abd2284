"""`channels`: what a hostile trusted application gets out by each way, and what happens above its budget."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from bench.channels.above import BUDGET_BITS, new_secret, refused, told
from bench.channels.capacity import Capacity
from bench.channels.sender import Way
from bench.channels.ways import PLANS, measure
from bench.channels.world import outside
from bench.console import advancing
from tee_sim.shared.rng import SeededRng

CLOSED = (
    ("other parameters", Way.PARAMETERS),
    ("output with a refusal", Way.REFUSAL),
    ("page row of its own", Way.PAGE),
    ("ids in clear", Way.IDS),
)
ENDS = 4


def _above(way: Way, folder: Path) -> str:
    """What a request of a way ends in that costs more than a decision may."""
    with outside(folder, {way: BUDGET_BITS}) as place:
        many = {Way.READ: new_secret()[:12], Way.COUNT: b"", Way.IDS: new_secret()}
        number = 40 if way is Way.COUNT else 1
        return refused(place, way, number, many.get(way, b""))


@click.command()
@click.option("--seed", type=int, default=17, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def channels(seed: int, as_json: bool) -> None:
    """Capacity of each way out of a locked secure world: a hostile application sends, somebody outside reads.

    Both have agreed on a code and train on it; numbers are then drawn at random. `counted` is what the core charged for
    the dearest of these requests; capacity above it would be a fault of the count.
    """
    rng = SeededRng(seed.to_bytes(8, "big"))
    found: dict[str, Capacity] = {}
    words: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="bioguard-channels-") as name, advancing("channels", len(PLANS)) as advance:
        folder = Path(name)
        with outside(folder) as place:
            place.ask(Way.REPLY, 0)
        for plan in PLANS:
            with outside(folder) as place:  # a new life: no row of the sender is in memory
                found[plan.name] = measure(plan, place, rng)
            advance(1)
        for way in (Way.READ, Way.COUNT):
            words[f"above the budget: {way.name.lower()}"] = _above(way, folder)
        for label, way in CLOSED:
            secret = new_secret()
            with outside(folder) as place:
                refused(place, way, 0, secret) if way is Way.PARAMETERS else None
                how = refused(place, way, 1, secret)
                words[label] = how + (", on the disk in clear" if told(place, secret, folder) else ", nothing told")
        with outside(folder) as place:
            ends = [refused(place, Way.END, number, b"") for number in range(ENDS)]
            words["ends of a process"] = ", ".join(ends)
    if as_json:
        click.echo(json.dumps({"capacity": {n: asdict(c) for n, c in found.items()}, "closed": words}, indent=2))
        return
    click.echo(f"{'way out':30} {'numbers':>7} {'bits':>6} {'bits/s':>8} {'errors':>7} {'counted':>8}")
    for label, row in found.items():
        rate = f"{row.bits_per_s:>8.1f} {row.error_rate:>7.3f}"
        click.echo(f"{label:30} {row.symbols:>7} {row.bits:>6.2f} {rate} {row.counted:>8}")
    for label, how in words.items():
        click.echo(f"{label}: {how}")
