"""A report as canonical JSON, and the strict way back. Schema: `report/schema/report.schema.json`."""

import dataclasses
import json
from typing import Any

from bioguard.errors import InputRefused
from bioguard.json_text import parse_json as read_json
from bioguard.printable import harmless_json
from bioguard.proofs.encoding import PARSE_FAULTS
from bioguard.report.model import Check, Evidence, Fact, Figure, Report, Requirement, Section, Status, Table

SCHEMA = "bioguard/report/1"


def _plain(value: Any) -> Any:
    if isinstance(value, Status):
        return value.value
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, frozenset):
        return sorted(value)
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def render_json(report: Report) -> str:
    """Sorted keys, two spaces, one newline at the end."""
    counts = {status.value: n for status, n in report.counts().items()}
    body = {"schema": SCHEMA, "status": report.status.value, "counts": counts, **_plain(report)}
    return harmless_json(json.dumps(body, sort_keys=True, indent=2, ensure_ascii=False)) + "\n"


def parse_json(text: str) -> Report:
    """Read a report back.

    Raises:
        InputRefused: it is not exactly what `render_json` writes.
    """
    refused = InputRefused("not a report of this version", hint="make the report again", code="input.report")
    try:
        raw = read_json(text)
        report = Report(
            **{k: raw[k] for k in ("kind", "title", "headline", "tool", "created")},
            key_numbers=tuple(Fact(**f) for f in raw["key_numbers"]),
            facts=tuple(Fact(**f) for f in raw["facts"]),
            checks=tuple(_check(c) for c in raw["checks"]),
            requirements=tuple(Requirement(**r) for r in raw["requirements"]),
            sections=tuple(_section(s) for s in raw["sections"]),
            residual=tuple(raw["residual"]),
        )
        again = render_json(report)
    except PARSE_FAULTS:
        raise refused from None
    if again != text:
        raise refused
    return report


def _check(raw: dict[str, Any]) -> Check:
    lists = {"details": tuple(raw["details"]), "clauses": tuple(raw["clauses"])}
    evidence = tuple(Evidence(**e) for e in raw["evidence"])
    return Check(**{**raw, **lists, "evidence": evidence, "status": Status(raw["status"])})


def _section(raw: dict[str, Any]) -> Section:
    return Section(
        title=raw["title"],
        text=tuple(raw["text"]),
        tables=tuple(_table(t) for t in raw["tables"]),
        figures=tuple(Figure(**f) for f in raw["figures"]),
    )


def _table(raw: dict[str, Any]) -> Table:
    rows = tuple(tuple(row) for row in raw["rows"])
    marks = {name: frozenset(raw.get(name, ())) for name in ("numeric", "failing")}
    return Table(**{**raw, "columns": tuple(raw["columns"]), "rows": rows, **marks})
