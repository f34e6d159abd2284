"""Tables of error rates, of the people behind them, and of failures and whole transactions."""

from collections.abc import Mapping
from typing import Any

from bench.wording import NOT_MEASURABLE, folded, interval, of, over_people, part, percent
from bioguard.report import Section, Table

BESIDE_EER = ("1e-3", "1e-2")
"""False match rates whose FNMR may stand beside the EER: the first that every set can show."""


def rates(rows: Mapping[str, Any]) -> Section:
    """Equal error rates, and FNMR at fixed FMR; what names a set and what it found stand in the first columns."""
    return Section(title="Error rates", text=_concentrated(rows), tables=(_eers(rows), _fixed(rows)))


def failures(rows: Mapping[str, Any]) -> Section:
    """Failures to acquire and to enroll, and the rates of attempts and transactions that count them."""
    return Section(title="Failures and transactions", tables=(_failures(rows), _attempts(rows), _transactions(rows)))


def _concentrated(rows: Mapping[str, Any]) -> tuple[str, ...]:
    """A sentence for each set whose pairs are first of all one person's."""
    lines = []
    for name, row in rows.items():
        top = row["largest_share"]
        if top and top["large"]:
            lines.append(
                f"{name}: {percent(top['share'], top['genuine'])} of the genuine comparisons are of one person, "
                f"{top['subject']} ({of(top['genuine'], row['genuine'])}): in what is counted over pairs this "
                f"one weighs as much. Read the column that weighs people alike."
            )
    return tuple(lines)


def _eers(rows: Mapping[str, Any]) -> Table:
    beside = next(
        (t for t in BESIDE_EER if all(r["fnmr_at_fmr"][t] != NOT_MEASURABLE for r in rows.values())), BESIDE_EER[-1]
    )
    return Table(
        title="Equal error rates",
        columns=(
            "set", "EER", "95 % over people", f"FNMR at {100 * float(beside):g} %", "subjects", "genuine", "impostor",
            "FVC bounds", "FNMR at FMR 0", "d'",
        ),
        rows=tuple(
            (
                name,
                percent(r["eer"], _pairs(r)),
                over_people(r, "eer_interval", brief=True),
                percent(part(r["fnmr_at_fmr"][beside], "fnmr"), r["genuine"]),
                _count(r["people"]),
                f"{r['genuine']:,}",
                f"{r['impostor']:,}",
                interval(r["eer_bounds"]),
                percent(part(r["zero_fmr"], "fnmr"), r["genuine"]),
                "-" if r["d_prime"] is None else f"{r['d_prime']:.2f}",
            )
            for name, r in rows.items()
        ),
        numeric=frozenset(range(1, 10)),
    )  # fmt: skip


def _count(value: int | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _pairs(row: Mapping[str, Any]) -> int:
    """Of the two sides the one that has fewer pairs decides how many digits mean something."""
    return min(int(row["genuine"]), int(row["impostor"]))


def _fixed(rows: Mapping[str, Any]) -> Table:
    points, missing = [], {}
    for name, r in rows.items():
        missing[name] = [target for target, p in r["fnmr_at_fmr"].items() if p == NOT_MEASURABLE]
        for target, p in r["fnmr_at_fmr"].items():
            if target in missing[name]:
                continue
            points.append((
                name,
                target,
                percent(p["fnmr"], p["genuine"]),
                over_people(p, "subject_interval", brief=True),
                percent(p["fnmr_each_person_equal"], p["genuine"]),
                of(p["false_non_matches"], p["genuine"]),
                interval(p["interval_95"]),
                of(p["false_matches"], p["impostor"]),
            ))  # fmt: skip
    return Table(
        title="FNMR at fixed FMR",
        columns=(
            "set", "FMR", "FNMR", "95 % over people", "people weighed alike", "errors", "95 % Clopper-Pearson",
            "false matches",
        ),
        rows=tuple(points),
        numeric=frozenset(range(1, 8)),
        note=f"{folded(missing)} Measurable are 3/FMR impostor comparisons and more. Clopper-Pearson takes pairs as "
        "independent, which they are not; the interval over people draws people again and finds the threshold anew "
        "each time. Weighed alike: the mean over people of their own FNMR.".strip(),
    )  # fmt: skip


def _failures(rows: Mapping[str, Any]) -> Table:
    cells, gates, reasons = [], set(), []
    together = {r["failure_to_enroll"].get("samples_together") for r in rows.values()} - {None}
    several = next(iter(together)) if len(together) == 1 else "so many"
    for name, r in rows.items():
        acquire, enroll = r["failure_to_acquire"], r["failure_to_enroll"]
        gates |= {_gate(enroll)} if "gate" in enroll else set()
        reasons += [f"{name} {why} {count}" for why, count in enroll.get("reasons", {}).items()]
        every = enroll.get("every_samples_in_a_row")
        cells.append((
            name,
            _failed(enroll, "people"),
            interval(enroll["interval_95"]),
            of(every["refused"], every["tried"]) if every else "-",
            _failed(acquire, "samples"),
            interval(acquire["interval_95"]),
        ))  # fmt: skip
    refused = f" Refused: {'; '.join(reasons)}." if reasons else ""
    return Table(
        title="Failures",
        columns=("set", "failure to enroll", "95 %", f"any {several} in a row", "failure to acquire", "95 %"),
        rows=tuple(cells),
        numeric=frozenset(range(1, 6)),
        note=f"{' '.join(sorted(gates))}{refused} Intervals: Clopper-Pearson over people, and over samples.",
    )


def _failed(found: Mapping[str, Any], what: str) -> str:
    return found["rate"] if isinstance(found["rate"], str) else of(found["failed"], found[what])


def _gate(found: Mapping[str, Any]) -> str:
    together = found.get("samples_together")
    if together is None:
        return "Without features nothing judges an enrollment: who has no usable sample fails."
    return (
        f"Enrolled are the first {together} usable samples of everybody with {together} samples, by the product's gate."
    )


def _attempts(rows: Mapping[str, Any]) -> Table:
    cells, missing = [], {}
    for name, r in rows.items():
        found = r["transaction_at_fmr"]
        missing[name] = [target for target, p in found.items() if p == NOT_MEASURABLE]
        cells += [
            (
                name,
                target,
                percent(p["gfrr"], r["genuine"]),
                percent(p["gfar"]),
                percent(p["fte"], r["failure_to_enroll"]["people"]),
                percent(p["fta_of_enrolled"], r["samples"]),
                percent(p["fnmr_of_enrolled"], r["genuine"]),
                percent(p["frr"], r["genuine"]),
                percent(p["far"]),
            )
            for target, p in found.items()
            if p != NOT_MEASURABLE
        ]
    return Table(
        title="Generalized rates, one attempt",
        columns=("set", "FMR", "GFRR", "GFAR", "FTE", "FTA'", "FNMR'", "FRR", "FAR"),
        rows=tuple(cells),
        numeric=frozenset(range(1, 9)),
        note=f"{folded(missing)} GFRR = FTE + (1 - FTE)(FTA' + (1 - FTA') FNMR'), with FTA' and FNMR' of the people "
        "who are enrolled; GFAR = (1 - FTE)(1 - FTA) FMR.".strip(),
    )


def _transactions(rows: Mapping[str, Any]) -> Table:
    cells, attempts = [], set()
    missing: dict[str, list[str]] = {}
    for name, r in rows.items():
        missing[name] = []
        for target, p in r["transaction_at_fmr"].items():
            several = p if p == NOT_MEASURABLE else p["several_attempts"]
            if several == NOT_MEASURABLE:
                missing[name].append(target)
                continue
            attempts.add(several["attempts"])
            cells.append((
                name,
                target,
                percent(several["gfrr"], several["genuine"]),
                percent(several["gfar"], several["impostor"]),
                of(several["refused"], several["genuine"]),
                of(several["accepted"], several["impostor"]),
            ))  # fmt: skip
    many = "several" if len(attempts) != 1 else next(iter(attempts))
    return Table(
        title=f"Transactions of {many} attempts",
        columns=("set", "FMR", "GFRR", "GFAR", "refused", "impostors accepted"),
        rows=tuple(cells),
        numeric=frozenset(range(1, 6)),
        note=f"{folded(missing)} FMR is that of one comparison. Each usable sample of an enrolled person is the "
        "reference in turn; the other samples of one person, in their order, are the attempts; a sample that could not "
        "be acquired is an attempt that fails.".strip(),
    )
