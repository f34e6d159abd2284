"""Tables of error rates and failures."""

from collections.abc import Mapping
from typing import Any

from bench.wording import NOT_MEASURABLE, interval, part, percent
from bioguard.report import Section, Table


def rates(rows: Mapping[str, Any]) -> Section:
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
                interval(r["eer_interval_95"]),
                interval(r["eer_bounds"]),
                percent(part(r["zero_fmr"], "fnmr")),
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
                    interval(p["interval_95"]),
                    interval(p["subject_interval_95"]),
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
                interval(r["failure_to_acquire"]["interval_95"]),
                f"{r['failure_to_enroll']['failed']} / {r['failure_to_enroll']['people']}",
            )
            for name, r in rows.items()
        ),
        numeric=frozenset({1, 2, 3}),
    )
    return Section(title="Error rates", tables=(eers, rates, failures))
