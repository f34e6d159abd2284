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
PERCENTILES = {"p50_ms": 1, "p95_ms": 20, "p99_ms": 100}
"""Calls from which a percentile is one: so many that one lies beyond it."""


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
    head = f"{'case':<42}{'who':<20}{'per second':>14}{'p50 ms':>10}{'p95 ms':>10}  time against the first of the case"
    lines = [f"{a:<42}{b:<20}{f:>14}{g:>10}{h:>10}  {c} {d and f'[{d}]'}" for a, b, c, d, _, f, g, h, _ in rows]
    show(data, [head, *lines], as_json=as_json)


def _rows(cases: dict[str, Any]) -> list[tuple[str, ...]]:
    """Case, who, ratio in words, its interval, calls, comparisons a second, p50, p95, p99."""
    rows = []
    for group, by_size in cases.items():
        for size, contenders in by_size.items():
            first = next(iter(contenders))
            case = f"{group.replace('_', ' ')}, {f'{int(size):,}' if size.isdigit() else size}"
            for who, r in contenders.items():
                percentiles = (_percentile(r, name, calls) for name, calls in PERCENTILES.items())
                rate = f"{r['per_second']:.3g}" if r["per_second"] < 1000 else f"{r['per_second']:,.0f}"
                rows.append((case, who, *_against(r, first), f"{r['calls']:,}", rate, *percentiles))
    return rows


def _against(r: dict[str, Any], first: str) -> tuple[str, str]:
    """How long one takes beside the first of its case, in words, and the interval; nothing for the first itself."""
    if "ours_times_faster" not in r:
        return "", ""
    low, high = r["ours_times_faster_95"]
    return f"{r['ours_times_faster']:.3g} x as long as {first}", f"{low:.3g} to {high:.3g}"


def _percentile(r: dict[str, Any], name: str, calls: int) -> str:
    """Milliseconds, or nothing where fewer calls than that were made: the slowest one would be it."""
    return f"{r[name]:.3g}" if r["calls"] >= calls else "-"


def _page(data: dict[str, Any], rows: list[tuple[str, ...]], keep: Latencies) -> Report:
    table = Table(
        title="All cases",
        columns=("case", "who", "takes", "95 %", "calls", "per second", "p50 ms", "p95 ms", "p99 ms"),
        rows=tuple(rows),
        numeric=frozenset(range(3, 9)),
        note="Contenders of a case take turns call by call. Takes: the median over turns of the time of this one over "
        "that of the first of its case, so more than 1 is slower than the first; 95 %: turns drawn again. A percentile "
        "is given from so many calls on that one of them lies beyond it: 20 for p95, 100 for p99. Through tee: pipes, "
        "storage, two durable commits and the time grid of replies to matches (5 ms), which bare calls do not have.",
    )
    largest = {
        group: max(by_size.items(), key=lambda item: int(item[0]))
        for group, by_size in data["cases"].items()
        if group.endswith("1toN")
    }
    figures = [
        bars(
            {who: r["per_second"] for who, r in contenders.items()},
            title=f"{group.replace('_', ' ')}, {int(size):,} rows",
            unit="comparisons per second",
            description="Comparisons per second of the median search.",
        )
        for group, (size, contenders) in largest.items()
    ]
    figures += [latency_plot(samples, title=title) for title, samples in keep.items()]
    counted = data["instructions"]
    facts = [Fact(name.replace("_", " "), str(value)) for name, value in data["environment"].items()]
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
