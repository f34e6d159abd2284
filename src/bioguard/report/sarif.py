"""A report as SARIF 2.1.0 (OASIS): a result for everything that is not a pass, because a gate counts results.

FAIL is an error, UNKNOWN and WARN are warnings: gates look at levels of results, and at neither notifications nor
`executionSuccessful`. A check that could not run is also a notification, and the run then was not successful.
"""

import json
from collections.abc import Mapping
from typing import Any

from bioguard.printable import harmless_json
from bioguard.report.json_form import render_json
from bioguard.report.model import Check, Report, Status

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
"""The name of the schema (section 3.13.3), not a place this file fetches."""
REPORT_FILE = "report.json"
"""Beside this file in a bundle; each check has its line in it."""
_LEVELS = {Status.FAIL: "error", Status.UNKNOWN: "warning", Status.WARN: "warning"}
_WORDS = {Status.FAIL: "", Status.UNKNOWN: "could not run: ", Status.WARN: "with a reservation: "}


def render_sarif(report: Report) -> str:
    """One run; rules are the checks that produced a result."""
    reported = report.with_status(*_LEVELS)
    index = {check.id: i for i, check in enumerate(reported)}
    unknown = [check for check in reported if check.status is Status.UNKNOWN]
    tool, _, version = report.tool.partition(" ")
    lines = _lines(report)
    run = {
        "tool": {
            "driver": {
                "name": tool,
                "version": version,
                # A package URL: names the tool, and is an absolute URI as section 3.19.14 wants.
                "informationUri": f"pkg:pypi/{tool}@{version}" if version else f"pkg:pypi/{tool}",
                "rules": [_rule(c) for c in reported],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not unknown,
                "endTimeUtc": report.created,
                "toolExecutionNotifications": [_notification(c, index[c.id]) for c in unknown],
            }
        ],
        "results": [_result(c, index[c.id], lines) for c in reported],
    }
    body = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return harmless_json(json.dumps(body, indent=2, ensure_ascii=False)) + "\n"


def _lines(report: Report) -> Mapping[str, int]:
    """Where each check is in the JSON form, by id, counted from 1."""
    text = enumerate(render_json(report).split("\n"), 1)
    found = {line: number for number, line in text if line.startswith('      "id": ')}
    written = {c.id: harmless_json(json.dumps(c.id, ensure_ascii=False)) for c in report.checks}
    return {name: found[f'      "id": {text},'] for name, text in written.items()}


def _rule(check: Check) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": check.id,
        "shortDescription": {"text": check.title},
        "help": {"text": check.fix or check.limits or check.title},
        "defaultConfiguration": {"level": "error"},
        "properties": {"clauses": list(check.clauses)},
    }
    return rule


def _result(check: Check, rule: int, lines: Mapping[str, int]) -> dict[str, Any]:
    places = [(REPORT_FILE, lines[check.id]), *((e.path, 1) for e in check.evidence)]
    return {
        "ruleId": check.id,
        "ruleIndex": rule,
        "kind": "fail",  # any other kind may have no level (section 3.27.10)
        "level": _LEVELS[check.status],
        "message": {"text": _WORDS[check.status] + " ".join([check.summary, *check.details])},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}}}
            for path, line in places
        ],
        "properties": {"status": check.status.value},
    }


def _notification(check: Check, rule: int) -> dict[str, Any]:
    return {
        "level": "warning",
        "message": {"text": f"{check.id} could not run: {check.summary}"},
        "associatedRule": {"id": check.id, "index": rule},
    }
