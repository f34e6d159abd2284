"""`coverage`."""

from pathlib import Path

import click

from bench.console import advancing, show, write_json
from bench.coverage import POPULATIONS, coverage
from bench.environment import environment


@click.command("coverage")
@click.option("--people", type=click.IntRange(3, 500), multiple=True, default=(20, 40), show_default=True)
@click.option("--samples", type=click.IntRange(2, 20), default=6, show_default=True, help="Of each person.")
@click.option("--repetitions", type=click.IntRange(1), default=500, show_default=True)
@click.option("--replicates", type=click.IntRange(20), default=200, show_default=True, help="Draws of people.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def coverage_command(
    people: tuple[int, ...], samples: int, repetitions: int, replicates: int, out: Path, seed: int, as_json: bool
) -> None:
    """How often 95 % intervals over people hold the truth, on synthetic people whose truth is known.

    Six minutes as it stands.
    """
    found = []
    with advancing("repetitions", len(POPULATIONS) * len(people) * repetitions) as advance:
        for name, population in POPULATIONS.items():
            for n in people:
                row = coverage(
                    population, people=n, samples=samples, repetitions=repetitions, replicates=replicates, seed=seed,
                    advance=advance,
                )  # fmt: skip
                found.append({"population": name, **row})
    data = {"command": "coverage", "seed": seed, "environment": environment(), "populations": found}
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "coverage.json", data)
    lines = [f"{'people':<16}{'figure':<18}{'truth':>9}{'held':>9}{'percentiles':>13}"]
    lines += [
        f"{row['people']:>3} {row['population']:<12}{name:<18}{100 * one['truth']:>7.2f} %{100 * one['held']:>7.1f} %"
        f"{100 * one['percentile']['held']:>11.1f} %"
        for row in found
        for name, one in row["figures"].items()
    ]
    show(data, lines, as_json=as_json)
