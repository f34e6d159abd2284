"""`campaign`."""

import resource
import time
from pathlib import Path

import click

from bench.campaign import BLOCK, figures, run
from bench.console import advancing, note, show, write_json
from bench.environment import environment


@click.command()
@click.option(
    "--people", type=click.IntRange(2), default=31_623, show_default=True, help="People; pairs are the square."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, for instance tcp://127.0.0.1:8786.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def campaign(people: int, out: Path, scheduler: str | None, threads: int, seed: int, as_json: bool) -> None:
    """Compare the protected codes of everybody with everybody; 31 623 people are 10^9 comparisons.

    Nothing is stored but counts by distance. Interrupted, it goes on where it was.
    """
    started = time.monotonic()
    state = out / "campaign.partial.npz"
    with advancing("blocks", (-(-people // BLOCK)) ** 2) as advance:
        counts = run(
            people=people, seed=seed, state=state, scheduler=scheduler, threads=threads, advance=advance, say=note
        )
    seconds = time.monotonic() - started
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    data = {"command": "campaign", "people": people, "seed": seed, "environment": environment(), **figures(counts)}
    write_json(out / "campaign.json", data)
    state.unlink(missing_ok=True)
    rate = people**2 / seconds
    note(f"{seconds:.1f} s, {rate:,.0f} comparisons a second, {peak_mib:.0f} MiB at most in this process")
    rates = data["fnmr_at_fmr"]
    lines = [f"{data['genuine']:,} genuine and {data['impostor']:,} impostor comparisons"]
    lines += [
        f"FMR {t}: " + (r if isinstance(r, str) else f"distance <= {r['distance']}, FNMR {100 * r['fnmr']:.3f} %")
        for t, r in rates.items()
    ]
    show(data, lines, as_json=as_json)
