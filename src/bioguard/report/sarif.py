"""A report as SARIF 2.1.0 (OASIS): failures only, because many viewers show every result as an alert.

Checks that could not run are no findings; they are notifications of the run, and the run then says it was not
successful, so that a dashboard does not take silence for a pass.
"""

import json
from typing import Any

from bioguard.printable import harmless_json
from bioguard.report.model import Check, Report, Status

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
"""The name of the schema (section 3.13.3), not a place this file fetches."""


def render_sarif(report: Report) -> str:
    """One run; rules are the checks that produced a result or a notification."""
    failed, unknown = report.with_status(Status.FAIL), report.with_status(Status.UNKNOWN)
    reported = [*failed, *unknown]
    index = {check.id: i for i, check in enumerate(reported)}
    tool, _, version = report.tool.partition(" ")
    run = {
        "tool": {"driver": {"name": tool, "version": version, "rules": [_rule(c) for c in reported]}},
        "invocations": [
            {
                "executionSuccessful": not unknown,
                "endTimeUtc": report.created,
                "toolExecutionNotifications": [_notification(c, index[c.id]) for c in unknown],
            }
        ],
        "results": [_result(c, index[c.id]) for c in failed],
    }
    body = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return harmless_json(json.dumps(body, indent=2, ensure_ascii=False)) + "\n"


def _rule(check: Check) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": check.id,
        "shortDescription": {"text": check.title},
        "help": {"text": check.fix or check.limits or check.title},
        "properties": {"clauses": list(check.clauses)},
    }
    return rule


def _result(check: Check, rule: int) -> dict[str, Any]:
    places = [{"physicalLocation": {"artifactLocation": {"uri": e.path}}} for e in check.evidence]
    return {
        "ruleId": check.id,
        "ruleIndex": rule,
        "kind": "fail",
        "level": "error",
        "message": {"text": " ".join([check.summary, *check.details])},
        **({"locations": places} if places else {}),
    }


def _notification(check: Check, rule: int) -> dict[str, Any]:
    return {
        "level": "warning",
        "message": {"text": f"{check.id} could not run: {check.summary}"},
        "associatedRule": {"id": check.id, "index": rule},
    }
