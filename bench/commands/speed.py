"""`speed`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bench.console import advancing, note, show, write_json
from bench.environment import environment, machine_kind
from bench.experiments import instructions
from bench.peers import missing_peers
from bench.plots import bars, latency_plot
from bench.single_thread import rerun_single_threaded
from bench.speed import Latencies, measure
from bioguard.report import Fact, Report, Section, Table, render

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
QUICK_LARGEST = 10_000


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
@click.option(
    "--largest", type=click.IntRange(100, 1_000_000), default=100_000, show_default=True, help="Largest gallery."
)
@click.option(
    "--seconds", type=click.FloatRange(0.05), default=1.0, show_default=True, help="For each contender of a case."
)
@click.option("--quick", is_flag=True, help="Galleries up to 10 000 and a tenth of the time.")
@click.option("--no-device", is_flag=True, help="Leave the secure world out.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="speed.json on stdout as well.")
def speed(out: Path, largest: int, seconds: float, quick: bool, no_device: bool, seed: int, as_json: bool) -> None:
    """Comparisons per second and latency on synthetic people, each next to its peers in the same run.

    Writes speed.json and report.html in DIR. Compare figures of one run, or ratios: a shared machine has moods.
    """
    rerun_single_threaded("bench")
    sizes = [n for n in SIZES if n <= (min(largest, QUICK_LARGEST) if quick else largest)]
    keep: Latencies = {}
    with advancing("speed", 1) as advance:
        cases = measure(
            sizes=sizes, seconds=seconds / 10 if quick else seconds, seed=seed, keep=keep, device=not no_device
        )
        advance(1)
    data: dict[str, Any] = {
        "command": "speed", "seed": seed, "machine_kind": machine_kind(), "environment": environment(), "cases": cases,
        "instructions": instructions.measure(), "peers_not_installed": missing_peers(),
    }  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "speed.json", data)
    rows = _rows(cases)
    (out / "report.html").write_text(render(_page(data, rows, keep), "html"), encoding="utf-8")
    note(f"speed.json and report.html in {out}")
    head = f"{'case':<28}{'size':>10}  {'who':<20}{'per second':>14}{'p50 ms':>11}{'p95 ms':>11}{'ours faster':>13}"
    lines = [f"{a:<28}{b:>10}  {c:<20}{d:>14}{e:>11}{f:>11}{h:>13}" for a, b, c, d, e, f, _, h in rows]
    show(data, [head, *lines], as_json=as_json)


def _rows(cases: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            group, size, who, f"{r['per_second']:,.4g}" if r["per_second"] < 1e4 else f"{r['per_second']:,.0f}",
            f"{r['p50_ms']:.4g}", f"{r['p95_ms']:.4g}", f"{r['p99_ms']:.4g}",
            f"{r['ours_times_faster']:.2f} x" if "ours_times_faster" in r else "",
        )
        for group, by_size in cases.items()
        for size, contenders in by_size.items()
        for who, r in contenders.items()
    ]  # fmt: skip


def _page(data: dict[str, Any], rows: list[tuple[str, ...]], keep: Latencies) -> Report:
    table = Table(
        title="All cases",
        columns=("case", "size", "who", "per second", "p50 ms", "p95 ms", "p99 ms", "ours faster"),
        rows=tuple(rows),
        numeric=frozenset({1, 3, 4, 5, 6, 7}),
        note="Contenders of a case take turns call by call; last column: median over turns of their time over ours.",
    )
    largest = {
        group: max(by_size.items(), key=lambda item: int(item[0]))
        for group, by_size in data["cases"].items()
        if group.endswith("1toN")
    }
    figures = [
        bars(
            {who: r["per_second"] for who, r in contenders.items()},
            title=f"{group}, {int(size):,} rows",
            unit="comparisons per second",
            description="Comparisons per second of the median search.",
        )
        for group, (size, contenders) in largest.items()
    ]
    figures += [latency_plot(samples, title=title) for title, samples in keep.items()]
    counted = data["instructions"]
    facts = [Fact(name, str(value)) for name, value in data["environment"].items()]
    if isinstance(counted, dict):
        facts += [
            Fact(f"instructions per {k} comparison", f"{v['instructions_per_comparison']:,}")
            for k, v in counted.items()
        ]
    else:
        facts.append(Fact("instructions", counted))
    facts.append(Fact("seed", str(data["seed"])))
    facts.append(Fact("peers not installed", ", ".join(data["peers_not_installed"]) or "none"))
    return Report(
        kind="bench",
        title="Speed",
        headline="Matching on synthetic people, each contender in turn in one run, one thread each.",
        tool=f"bioguard bench {data['environment']['bioguard']}",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        facts=tuple(facts),
        sections=(Section(title="Figures", figures=tuple(figures)), Section(title="Cases", tables=(table,))),
        residual=("Absolute times belong to this machine and this hour; ratios within one case can be compared.",),
    )
