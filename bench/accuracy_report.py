"""`report.html` of an accuracy run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.accuracy import NOT_MEASURABLE
from bench.metrics.comparisons import Comparisons, pair_scores, scores_of
from bench.metrics.rates import Scores
from bench.plots import det_plot, histogram_plot
from bioguard.report import Fact, Figure, Report, Section, Table

PLOT_SCORES = 200_000
"""Scores drawn in a histogram: evenly spaced order statistics, so no draw is needed."""
MAX_BANDS = 4
PERCENT = "\N{NO-BREAK SPACE}%"


def percent(rate: float | str | None) -> str:
    """A rate for people; what could not be measured says so."""
    return "-" if rate is None else rate if isinstance(rate, str) else f"{100 * rate:.4g}{PERCENT}"


def _interval(pair: Sequence[float | None] | str) -> str:
    if isinstance(pair, str):
        return pair
    low, high = pair
    return "-" if low is None or high is None else f"{100 * low:.3g} to {100 * high:.3g}{PERCENT}"


def _part(found: Mapping[str, Any] | str, name: str) -> Any:
    """A figure of a point that may be "not measurable" as a whole."""
    return found if isinstance(found, str) else found[name]


def summary_lines(data: Mapping[str, Any]) -> list[str]:
    """A table for the terminal."""
    targets = ("1e-2", "1e-3", "1e-4", "1e-5")
    head = "".join(f"{name:>11}" for name in ("FNMR@1e-2", "@1e-3", "@1e-4", "@1e-5"))
    lines = [f"{'set':<28}{'subjects':>9}{'samples':>8}{'EER':>11}  {'95 % (people)':<18}{head}"]
    for name, row in _rows(data).items():
        figures = [percent(row["eer"]), _interval(row["eer_interval_95"])]
        figures += [percent(_part(row["fnmr_at_fmr"][t], "fnmr")) for t in targets]
        eer, interval, *points = ("n/m" if text == NOT_MEASURABLE else text for text in figures)
        counts = f"{row['people']:>9}{row['samples']:>8}"
        lines.append(f"{name:<28}{counts}{eer:>11}  {interval:<18}{''.join(f'{p:>11}' for p in points)}")
    return [*lines, f"n/m: {NOT_MEASURABLE}: no genuine or no impostor comparison, or fewer than 3/FMR impostor ones"]


def _rows(data: Mapping[str, Any]) -> dict[str, Any]:
    pooled = {"pooled": data["pooled"]} if data.get("pooled") else {}
    return {**data["sets"], **pooled}


def accuracy_report(data: Mapping[str, Any], sets: Sequence[Comparisons], *, created: str) -> Report:
    """The page.

    Args:
        data: what `accuracy.json` holds.
        sets: the comparisons, for the plots.
        created: ISO 8601 UTC.
    """
    rows = _rows(data)
    head = data.get("pooled") or next(iter(rows.values()))
    return Report(
        kind="bench",
        title="Accuracy",
        headline=f"Equal error rate {percent(head['eer'])} ({_interval(head['eer_interval_95'])} over people) "
        f"on {head['samples']} samples of {head['people']} subjects.",
        tool=f"bioguard bench {data['environment']['bioguard']}",
        created=created,
        key_numbers=(
            Fact("EER", percent(head["eer"])),
            Fact("FNMR at FMR 0.1 %", percent(_part(head["fnmr_at_fmr"]["1e-3"], "fnmr"))),
            Fact("genuine comparisons", f"{head['genuine']:,}"),
            Fact("impostor comparisons", f"{head['impostor']:,}"),
        ),
        facts=(
            Fact("data", data["data"]),
            Fact("protocol", "all pairs i < j within a set; zero-effort impostors; pooled sets share one threshold"),
            Fact("seed", str(data["seed"])),
            Fact("EER rule", head["eer_rule"]),
            *(Fact(name, str(value)) for name, value in data["environment"].items()),
        ),
        sections=(
            _rates(rows),
            _curves(sets, head),
            _identification(rows),
            _subjects(head),
            _effects(head),
            *([_attacks(data["presentation_attacks"])] if "presentation_attacks" in data else []),
        ),
        residual=(
            "Impostors make no effort: masks, casts and morphs are not in these rates.",
            "Intervals over people say how the figures would move with other people, not with another sensor.",
        ),
    )


def _rates(rows: Mapping[str, Any]) -> Section:
    eers = Table(
        title="Equal error rates",
        columns=(
            "set",
            "subjects",
            "genuine",
            "impostor",
            "EER",
            "95 % over people",
            "FVC bounds",
            "zero-FMR FNMR",
            "d'",
        ),
        rows=tuple(
            (
                name,
                str(r["people"]),
                f"{r['genuine']:,}",
                f"{r['impostor']:,}",
                percent(r["eer"]),
                _interval(r["eer_interval_95"]),
                _interval(r["eer_bounds"]),
                percent(_part(r["zero_fmr"], "fnmr")),
                "-" if r["d_prime"] is None else f"{r['d_prime']:.3f}",
            )
            for name, r in rows.items()
        ),
        numeric=frozenset(range(1, 9)),
    )
    points = []
    for name, r in rows.items():
        missing = [target for target, p in r["fnmr_at_fmr"].items() if p == NOT_MEASURABLE]
        for target, p in r["fnmr_at_fmr"].items():
            if target in missing:
                continue
            points.append(
                (
                    name,
                    target,
                    percent(p["fnmr"]),
                    f"{p['false_non_matches']} / {p['genuine']}",
                    _interval(p["interval_95"]),
                    _interval(p["subject_interval_95"]),
                    f"{p['false_matches']} / {p['impostor']}",
                )
            )
        if missing:
            points.append((name, ", ".join(missing), NOT_MEASURABLE, "", "", "", ""))
    rates = Table(
        title="FNMR at fixed FMR",
        columns=("set", "FMR", "FNMR", "errors", "95 % Clopper-Pearson", "95 % over people", "false matches"),
        rows=tuple(points),
        numeric=frozenset(range(1, 7)),
        note="Not measurable: fewer than 3/FMR impostor comparisons. Clopper-Pearson takes pairs as independent, which "
        "they are not; the interval over people draws people again and finds the threshold anew each time.",
    )
    failures = Table(
        title="Failures",
        columns=("set", "failure to acquire", "95 %", "failure to enroll"),
        rows=tuple(
            (
                name,
                f"{r['failure_to_acquire']['failed']} / {r['failure_to_acquire']['samples']}",
                _interval(r["failure_to_acquire"]["interval_95"]),
                f"{r['failure_to_enroll']['failed']} / {r['failure_to_enroll']['people']}",
            )
            for name, r in rows.items()
        ),
        numeric=frozenset({1, 2, 3}),
    )
    return Section(title="Error rates", tables=(eers, rates, failures))


def _curves(sets: Sequence[Comparisons], head: Mapping[str, Any]) -> Section:
    sides = {one.name: pair_scores([one]) for one in sets}
    separate = [(name, Scores(*pair)) for name, pair in sides.items() if all(side.size for side in pair)]
    if not separate:
        return Section(title="Curves", text=("No set has both genuine and impostor comparisons.",))
    pooled = scores_of(list(sets))
    curves = [(name, *s.det(), s.impostor.size, s.genuine.size) for name, s in separate]
    together = [("all", *pooled.det(), pooled.impostor.size, pooled.genuine.size)]
    marks = {
        t: p["threshold"]
        for t, p in head["fnmr_at_fmr"].items()
        if isinstance(p, dict) and isinstance(p["threshold"], float)
    }
    figures: list[Figure] = [det_plot(curves, title="DET by set", bands=len(curves) <= MAX_BANDS)]
    if len(separate) > 1 and "pooled" not in sides and head["people"] > sets[0].people:
        figures.append(det_plot(together, title="DET, all sets under one threshold", bands=True))
    shown = pooled if len(figures) > 1 else separate[0][1]
    figures.append(histogram_plot(_thinned(shown.genuine), _thinned(shown.impostor), marks, title="Scores"))
    left_out = [name for name in sides if name not in dict(separate)]
    text = (f"Not drawn, comparisons of one kind are missing: {', '.join(left_out)}.",) if left_out else ()
    return Section(title="Curves", text=text, figures=tuple(figures))


def _thinned(ordered: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (
        ordered
        if ordered.size <= PLOT_SCORES
        else ordered[np.linspace(0, ordered.size - 1, PLOT_SCORES).astype(np.int64)]
    )


def _identification(rows: Mapping[str, Any]) -> Section:
    cells = []
    for name, r in rows.items():
        found = r["identification"]
        if found == NOT_MEASURABLE:
            continue
        low, high = found["enrolled_subjects"]
        for fpir, p in found["fnir_at_fpir"].items():
            measured = isinstance(p, dict)
            cells.append(
                (
                    name,
                    str(low) if low == high else f"{low} to {high}",
                    str(found["searches"]),
                    fpir,
                    percent(p["fnir"]) if measured else p,
                    _interval(p["interval_95"]) if measured else "",
                    percent(found["hit_rate_by_rank"]["1"]),
                )
            )
    table = Table(
        title="Identification (1:N)",
        columns=("set", "N", "searches", "FPIR", "FNIR", "95 %", "rank 1"),
        rows=tuple(cells),
        numeric=frozenset(range(1, 7)),
        note="Enrolled: first usable sample of each subject. A search counts as missed unless the subject comes first "
        "and above the threshold; ties count against us.",
    )
    return Section(title="Identification", tables=(table,))


def _subjects(head: Mapping[str, Any]) -> Section:
    subjects = head["subjects"]
    tables = [
        Table(
            title=title,
            columns=("set", "subject", "FNMR", "matched as reference", "matched as probe", "mean genuine score"),
            rows=tuple(
                (
                    r["set"],
                    r["subject"],
                    percent(r["fnmr"]),
                    percent(r["as_reference"]),
                    percent(r["as_probe"]),
                    "-" if r["mean_genuine_score"] is None else f"{r['mean_genuine_score']:.3f}",
                )
                for r in subjects[kind]
            ),
            numeric=frozenset(range(2, 6)),
        )
        for kind, title in (
            ("goats", "Goats: hard to recognize"),
            ("lambs", "Lambs: easy to match as"),
            ("wolves", "Wolves: match others"),
        )
    ]
    text = (
        f"At FMR 1 %. The worst tenth of the subjects causes "
        f"{percent(subjects['share_of_false_non_matches_by_worst_tenth'])} of the false non-matches and "
        f"{percent(subjects['share_of_false_matches_by_worst_tenth'])} of the false matches.",
    )
    return Section(title="Subjects", text=text, tables=tuple(tables))


def _effects(head: Mapping[str, Any]) -> Section:
    several = head["several_enrollments"]
    views = Table(
        title="Several views enrolled, best score counts",
        columns=("views", "FNMR", "errors", "FMR", "false matches"),
        rows=tuple(
            (
                str(r["views"]),
                percent(r["fnmr"]),
                f"{r['false_non_matches']} / {r['genuine']}",
                percent(r["fmr"]),
                f"{r['false_matches']} / {r['impostor']}",
            )
            for r in several["views"]
        ),
        numeric=frozenset(range(5)),
        note="Threshold: FMR 1 % of one comparison. Probes are the samples after the fifth of each subject.",
    )
    users = Table(
        title="Users with several subjects (fingers, faces) enrolled",
        columns=("enrolled", "FMR of a user", "false matches", "1 - (1 - FMR)^k"),
        rows=tuple(
            (str(r["enrolled"]), percent(r["fmr"]), f"{r['false_matches']} / {r['trials']}", percent(r["independent"]))
            for r in several["subjects_per_user"]
        ),
        numeric=frozenset(range(4)),
    )
    quality = head["quality"]
    quarters = Table(
        title=f"Error by quality ({quality['kind']} of the poorer sample)",
        columns=("from", "to", "FNMR at FMR 1 %", "errors"),
        rows=tuple(
            (f"{r['from']:g}", f"{r['to']:g}", percent(r["fnmr"]), f"{r['false_non_matches']} / {r['genuine']}")
            for r in quality["quarters"]
        ),
        numeric=frozenset(range(4)),
    )
    return Section(title="Enrollment and quality", tables=(views, users, *([quarters] if quality["quarters"] else [])))


def _attacks(found: Mapping[str, Any]) -> Section:
    def cell(rate: Any) -> str:
        return f"{percent(rate['rate'])} ({rate['count']} / {rate['trials']})" if isinstance(rate, dict) else str(rate)

    table = Table(
        title="Presentation attacks by species",
        columns=("species", "APCER", "IAPAR"),
        rows=tuple((name, cell(r["apcer"]), cell(r["iapar"])) for name, r in found["species"].items()),
        numeric=frozenset({1, 2}),
        note=f"BPCER {cell(found['bpcer'])}; bona fide presentations rejected by the whole system "
        f"{cell(found['bona_fide_rejected'])}.",
    )
    return Section(title="Presentation attacks", tables=(table,))
