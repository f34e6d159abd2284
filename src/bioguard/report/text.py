"""A report as plain text for a terminal. Words carry the meaning; there is no color."""

from textwrap import fill

from bioguard.printable import printable
from bioguard.report.model import Check, Report, Status, Table
from bioguard.text import columns

WIDTH = 100


def render_text(report: Report) -> str:
    """The whole report; ends with a newline."""
    counts = ", ".join(f"{n} {status.label}" for status, n in report.counts().items() if n)
    lines = [report.title, "=" * len(report.title), ""]
    if report.checks:
        lines += [f"{report.status.label}: {report.headline}", f"checks: {counts}"]
    else:
        lines.append(report.headline)
    lines.append(f"made by {report.tool} at {report.created}")
    lines += [f"{fact.name}: {fact.value}" for fact in (*report.key_numbers, *report.facts)]
    for check in sorted(report.checks, key=lambda c: list(Status).index(c.status)):
        lines += ["", *_check(check)]
    if report.requirements:
        lines += ["", "Promises", "--------"]
        lines += [
            f"{report.requirement_status(r.id).label:<14} {r.id} {r.promise}"
            f" [{', '.join(c.id for c in report.checks_of(r.id)) or 'no check ran'}]"
            for r in report.requirements
        ]
    for section in report.sections:
        lines += ["", section.title, "-" * len(section.title), *(fill(t, WIDTH) for t in section.text)]
        for shown in section.tables:
            lines += ["", *_table(shown)]
        lines += [f"[figure] {figure.title}: {figure.description}" for figure in section.figures]
    if report.residual:
        lines += ["", "What stays open", "---------------"]
        lines += [fill(text, WIDTH, initial_indent="* ", subsequent_indent="  ") for text in report.residual]
    return printable("\n".join(lines), keep="\n") + "\n"


def _check(check: Check) -> list[str]:
    clauses = f" ({', '.join(check.clauses)})" if check.clauses else ""
    lines = [f"{check.status.label:<14} {check.id} {check.title}{clauses}"]
    body = [check.summary, *check.details]
    if check.fix and check.status is not Status.PASS:
        body.append(f"fix: {check.fix}")
    if check.limits:
        body.append(f"limits: {check.limits}")
    body += [f"evidence: {e.label}: {e.path}" for e in check.evidence]
    return lines + [fill(t, WIDTH, initial_indent=" " * 15, subsequent_indent=" " * 17) for t in body]


def _table(shown: Table) -> list[str]:
    widths = [max(map(len, column)) for column in zip(shown.columns, *shown.rows, strict=True)]
    rule = ["-" * width for width in widths]
    lines = columns([shown.columns, rule, *shown.rows], right=shown.numeric)
    return [shown.title, *lines, *([shown.note] if shown.note else [])]
