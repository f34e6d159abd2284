"""`report.html` of an extraction: engines side by side, then each on its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.extracting.figures import Scored
from bench.inputs import inputs_table
from bench.metrics.comparisons import scores_of
from bench.plots import det_plot, latency_plot, quality_plot
from bench.sections.curves import curves
from bench.sections.error_rates import failures, rates
from bench.sections.paired import paired
from bench.wording import NOT_MEASURABLE, of, over_people, percent
from bioguard.report import Fact, Figure, Report, Section, Table

HARDEST = "fnmr_at_1e-3"
TRAINED_ON = (
    "The comparator's own constants were trained on FVC2002 DB1_B and DB3_B and FVC2004 DB2_B and DB3_B, through other "
    "extractors: figures on pictures of these four sets are better than on fingers it has not seen."
)


def summary_lines(data: Mapping[str, Any]) -> list[str]:
    """A table for the terminal."""
    lines = [
        f"{'engine':<14}{'mean EER':>10}{'FNMR@1e-3':>11}{'3 touches':>11}{'not acquired':>14}{'p50 ms':>9}"
        f"{'p95 ms':>9}"
    ]
    for name, row in data["engines"].items():
        cells = [percent(_rate(row["mean_of_sets"], n)) for n in ("eer", HARDEST)]
        cells.append(percent(_rate(row["touches"]["3"]["mean_of_sets"], HARDEST)))
        failed, ms = row["failure_to_acquire"], row["ms_per_picture"]
        eer, fnmr, touches = ("n/m" if cell == NOT_MEASURABLE else cell for cell in cells)
        lines.append(
            f"{name:<14}{eer:>10}{fnmr:>11}{touches:>11}{of(failed['failed'], failed['samples']):>14}"
            f"{_ms(ms['p50']):>9}{_ms(ms['p95']):>9}"
        )
    lines += [f"{name}: {row['remark']}" for name, row in data["engines"].items() if row["remark"]]
    return [*lines, TRAINED_ON]


def _rate(found: Mapping[str, Any], name: str) -> Any:
    return found[name] if isinstance(found[name], str) else found[name]["rate"]


def _ms(value: float | str) -> str:
    return "-" if isinstance(value, str) else f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def extract_report(
    data: Mapping[str, Any], engines: Mapping[str, Scored], samples_ms: Mapping[str, Sequence[float]], *, created: str
) -> Report:
    """The page.

    Args:
        data: what `extract.json` holds.
        engines: their comparisons, for the plots.
        samples_ms: milliseconds of each picture, by engine.
        created: ISO 8601 UTC.
    """
    rows = data["engines"]
    best = min(rows, key=lambda name: _rate(rows[name]["mean_of_sets"], "eer") if _measured(rows[name]) else 2.0)
    return Report(
        kind="bench",
        title="From pictures to error rates",
        headline=f"Lowest mean EER {percent(_rate(rows[best]['mean_of_sets'], 'eer'))} ({best}), "
        f"{len(rows)} {'engine' if len(rows) == 1 else 'engines'} on the same pictures.",
        tool=f"bioguard bench {data['environment']['bioguard']}",
        created=created,
        key_numbers=tuple(Fact(f"mean EER, {n}", percent(_rate(r["mean_of_sets"], "eer"))) for n, r in rows.items()),
        facts=(
            Fact("data", data["data"]),
            Fact("SHA-256 of all pictures", data["inputs"]["sha256"]),
            Fact(
                "protocol",
                "all pairs i < j within a set; zero-effort impostors; means over sets, each set's thresholds",
            ),
            Fact("seed", str(data["seed"])),
            *(Fact(f"engine {n}", f"{r['identity']['model']}, {r['identity']['digest']}") for n, r in rows.items()),
        ),
        sections=(
            _side_by_side(rows),
            *(_differences(data["differences"])),
            _curves(engines, rows),
            _quality(rows),
            _acquired(rows, samples_ms),
            *(section for name, row in rows.items() for section in _alone(name, row, engines[name])),
            Section(title="How it was made", tables=(_environment(data), inputs_table(data["inputs"]))),
        ),
        residual=(
            TRAINED_ON,
            "Impostors make no effort: masks, casts and morphs are not in these rates.",
            "Intervals over fingers say how figures would move with other fingers, not with another sensor.",
        ),
    )


def _measured(row: Mapping[str, Any]) -> bool:
    return bool(row["mean_eer"] != NOT_MEASURABLE)


def _side_by_side(rows: Mapping[str, Any]) -> Section:
    cells = []
    for name, row in rows.items():
        for touches, found in row["touches"].items():
            mean = row["mean_of_sets"] if touches == "1" else found["mean_of_sets"]
            cells.append(
                (f"{name}, {touches}", *(cell for n in ("eer", "fnmr_at_1e-2", HARDEST) for cell in _cell(mean, n)))
            )
    return Section(
        title="Engines side by side",
        text=tuple(row["remark"] for row in rows.values() if row["remark"]),
        tables=(
            Table(
                title="Means over the sets, by touches of a template",
                columns=(
                    "engine, touches", "EER", "95 % over fingers", "FNMR at FMR 1 %", "95 %", "FNMR at FMR 0.1 %",
                    "95 %",
                ),
                rows=tuple(cells),
                numeric=frozenset(range(1, 7)),
                note="One touch: all pairs i < j. Several: the best score over k samples of a finger, every choice of "
                "k against every other sample. Each set has its own thresholds; the same fingers are drawn for all.",
            ),
        ),
    )  # fmt: skip


def _cell(mean: Mapping[str, Any], name: str) -> tuple[str, str]:
    found = mean[name]
    if isinstance(found, str):
        return found, "-"
    return percent(found["rate"]), over_people(found, "interval", brief=True)


def _differences(found: Mapping[str, Any]) -> list[Section]:
    return [paired(one, title="The same fingers, engine against engine", other=name) for name, one in found.items()]


def _curves(engines: Mapping[str, Scored], rows: Mapping[str, Any]) -> Section:
    drawn, bands = [], {}
    for name, one in engines.items():
        if _measured(rows[name]):
            scores = scores_of(one.sets)
            drawn.append((name, *scores.det(), scores.impostor.size, scores.genuine.size))
            if isinstance(rows[name]["pooled"]["det_band"], dict):
                bands[name] = rows[name]["pooled"]["det_band"]
    figures = (det_plot(drawn, title="DET, all sets under one threshold", bands=bands),) if drawn else ()
    return Section(title="DET", figures=figures, text=() if drawn else ("No engine has both kinds of comparisons.",))


def _quality(rows: Mapping[str, Any]) -> Section:
    found = {name: row["quality_against_error"] for name, row in rows.items()}
    shown = {f"{name}: {q['kind']}": q["quarters"] for name, q in found.items() if q["quarters"]}
    cells = tuple(
        (
            name,
            f"{q['from']:g} to {q['to']:g}",
            percent(q["fnmr"], q["genuine"]),
            of(q["false_non_matches"], q["genuine"]),
        )
        for name, quarters in shown.items()
        for q in quarters
    )
    table = Table(
        title="Error by quality of the poorer picture of a pair",
        columns=("engine, measure", "quality", "FNMR at FMR 1 %", "errors"), rows=cells, numeric=frozenset({1, 2, 3}),
        note="Quarters of the genuine pairs, all sets under one threshold.",
    )  # fmt: skip
    figures: tuple[Figure, ...] = (quality_plot(shown, title="FNMR at FMR 1 % by quality"),) if shown else ()
    return Section(title="Quality against error", tables=(table,) if cells else (), figures=figures)


def _acquired(rows: Mapping[str, Any], samples_ms: Mapping[str, Sequence[float]]) -> Section:
    words = sorted({word for row in rows.values() for word in row["acquired"]})
    codes = Table(
        title="What engines said of the pictures",
        columns=("engine", "failure to acquire", *words),
        rows=tuple(
            (
                name, of(row["failure_to_acquire"]["failed"], row["failure_to_acquire"]["samples"]),
                *(f"{row['acquired'].get(word, 0):,}" for word in words),
            )
            for name, row in rows.items()
        ),
        numeric=frozenset(range(1, 2 + len(words))),
        note="A failure to acquire is a picture without minutiae: it is in no rate of comparisons. A picture that an "
        "engine judges not good and still reads is compared.",
    )  # fmt: skip
    times = Table(
        title="Milliseconds a picture, without decoding",
        columns=("engine", "p50", "p95", "processor p50", "pictures", "minutiae, median", "least", "most"),
        rows=tuple(
            (
                name, *(_ms(row["ms_per_picture"][key]) for key in ("p50", "p95", "processor_p50")),
                f"{row['ms_per_picture']['pictures']:,}",
                *(_ms(row["minutiae"][key]) for key in ("median", "least", "most")),
            )
            for name, row in rows.items()
        ),
        numeric=frozenset(range(1, 8)),
        note="Every picture goes through all engines before the next one. What was kept from an earlier run "
        "has the time of that run.",
    )  # fmt: skip
    shown = {name: values for name, values in samples_ms.items() if len(values)}
    figures = (latency_plot(shown, title="Milliseconds a picture"),) if shown else ()
    return Section(title="Failures to acquire, and time", tables=(codes, times), figures=figures)


def _alone(name: str, row: Mapping[str, Any], one: Scored) -> list[Section]:
    """An engine's own sections, as `bench accuracy` has them."""
    several = {"all": row["pooled"]} if len(row["sets"]) > 1 else {}
    shown = {**row["sets"], **several}
    made = [rates(shown), failures(shown), curves(one.sets, row["pooled"], row["sets"])]
    return [Section(title=f"{name}: {s.title}", text=s.text, tables=s.tables, figures=s.figures) for s in made]


def _environment(data: Mapping[str, Any]) -> Table:
    return Table(
        title="Measured with",
        columns=("what", "version or kind"),
        rows=tuple((name.replace("_", " "), str(value)) for name, value in data["environment"].items()),
    )
