"""`report.html` of an accuracy run."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.accuracy import rows_of
from bench.dataset import UNDESCRIBED, Dataset
from bench.inputs import inputs_table
from bench.metrics.comparisons import Scored, square
from bench.sections.attacks import attacks
from bench.sections.curves import curves
from bench.sections.effects import effects
from bench.sections.error_rates import failures, rates
from bench.sections.groups import groups
from bench.sections.identification import identification
from bench.sections.paired import paired
from bench.sections.subjects import subjects
from bench.sections.threshold_check import threshold_check as checked
from bench.threshold_check import check_rows
from bench.wording import NOT_MEASURABLE, over_people, part, percent
from bioguard.report import Fact, Report, Section, Table


def summary_lines(data: Mapping[str, Any]) -> list[str]:
    """A table for the terminal."""
    targets = ("1e-2", "1e-3", "1e-4", "1e-5")
    head = "".join(f"{name:>11}" for name in ("FNMR@1e-2", "@1e-3", "@1e-4", "@1e-5"))
    lines = [f"{'set':<28}{'subjects':>12}{'samples':>12}{'EER':>11}  {'95 % (people)':<18}{head}"]
    for name, row in rows_of(data).items():
        figures = [percent(row["eer"]), over_people(row, "eer_interval", brief=True)]
        figures += [percent(part(row["fnmr_at_fmr"][t], "fnmr")) for t in targets]
        eer, ends, *points = ("n/m" if text == NOT_MEASURABLE else text for text in figures)
        counts = f"{row['people']:>12}{row['samples']:>12}"
        lines.append(f"{name:<28}{counts}{eer:>11}  {ends:<18}{''.join(f'{p:>11}' for p in points)}")
    lines.append(f"n/m: {NOT_MEASURABLE}: no genuine or no impostor comparison, or fewer than 3/FMR impostor ones")
    return [*lines, *label_lines(data)]


def label_lines(data: Mapping[str, Any]) -> list[str]:
    """What a lab must not overlook: labels of thresholds that do not hold on these data."""
    rows = [(name, row) for name, found in check_rows(data).items() for row in found]
    if not rows:
        return []
    measured = [(name, row) for name, row in rows if row["holds"] != NOT_MEASURABLE]
    broken = [f"{row['label']} x{row['ratio']:.2g} ({name})" for name, row in measured if not row["holds"]]
    if broken:
        return [f"labels of thresholds that do NOT hold here, {len(broken)} of {len(measured)}: {', '.join(broken)}"]
    return [
        f"labels of thresholds: {len(measured)} checked, none is exceeded; {len(rows) - len(measured)} {NOT_MEASURABLE}"
    ]


def accuracy_report(
    data: Mapping[str, Any], sets: Sequence[Scored], dataset: Dataset = UNDESCRIBED, *, created: str
) -> Report:
    """The page.

    Args:
        data: what `accuracy.json` holds.
        sets: the comparisons, for the plots.
        dataset: as its file describes it.
        created: ISO 8601 UTC.
    """
    rows = rows_of(data)
    head = data.get("pooled") or next(iter(rows.values()))
    shown = check_rows(data)
    return Report(
        kind="bench",
        title="Accuracy",
        headline=f"Equal error rate {percent(head['eer'])} (95 % over people: {over_people(head, 'eer_interval')}) "
        f"on {_count(head['samples'])} samples of {_count(head['people'])} subjects.",
        tool=f"bioguard bench {data['environment']['bioguard']}",
        created=created,
        key_numbers=(
            Fact("EER", percent(head["eer"])),
            Fact("FNMR at FMR 0.1 %", percent(part(head["fnmr_at_fmr"]["1e-3"], "fnmr"))),
            Fact("genuine comparisons", f"{head['genuine']:,}"),
            Fact("impostor comparisons", f"{head['impostor']:,}"),
        ),
        facts=(
            *dataset.facts(),
            Fact("data", data["data"]),
            *([Fact("SHA-256 of all inputs", data["inputs"]["sha256"])] if "inputs" in data else []),
            Fact("protocol", f"{_compared(sets)}; zero-effort impostors; pooled sets share one threshold"),
            Fact("seed", str(data["seed"])),
            Fact("EER rule", head["eer_rule"]),
            Fact("commit", data["environment"]["commit"]),
        ),
        sections=(
            *([_checked(data, shown)] if shown else []),
            rates(rows),
            *([groups(head["groups"])] if "groups" in head else []),
            failures(rows),
            *([paired(data["against"])] if "against" in data else []),
            curves(sets, head, data["sets"]),
            identification(rows),
            subjects(head),
            effects(head),
            *([attacks(data["presentation_attacks"])] if "presentation_attacks" in data else []),
            Section(title="How it was made", tables=_made(data)),
        ),
        residual=(
            "Impostors make no effort: masks, casts and morphs are not in these rates.",
            "Intervals over people say how the figures would move with other people, not with another sensor.",
        ),
    )


def _compared(sets: Sequence[Scored]) -> str:
    return "all pairs i < j within a set" if len(square(sets)) == len(sets) else "the comparisons that are listed"


def _checked(data: Mapping[str, Any], rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Section:
    return checked(rows, data.get("comparison_profile"), data.get("left_out_across", ()), data.get("across", ()))


def _count(value: int | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _made(data: Mapping[str, Any]) -> tuple[Table, ...]:
    environment = Table(
        title="Measured with",
        columns=("what", "version or kind"),
        rows=tuple((name.replace("_", " "), str(value)) for name, value in data["environment"].items()),
    )
    return environment, *([inputs_table(data["inputs"])] if "inputs" in data else [])
