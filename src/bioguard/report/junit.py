"""A report as JUnit XML for CI.

FAIL is a `failure`; UNKNOWN is an `error`, so that a check that could not run never turns a pipeline green;
NOT_APPLICABLE is `skipped`; WARN passes with its words in `system-out`.
"""

import xml.etree.ElementTree as ET

from bioguard.printable import printable
from bioguard.report.model import Check, Report, Status

_CHILD = {Status.FAIL: "failure", Status.UNKNOWN: "error", Status.NOT_APPLICABLE: "skipped"}


def _clean(text: str) -> str:
    """With escapes for what XML 1.0 section 2.2 forbids, and for what turns a line around."""
    return printable(text, keep="\t\n")


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"


def render_junit(report: Report) -> str:
    """One suite, one case a check, the class name is the check id's family."""
    counts = report.counts()
    suite = ET.Element(
        "testsuite",
        name=_clean(report.title),
        tests=str(len(report.checks)),
        failures=str(counts[Status.FAIL]),
        errors=str(counts[Status.UNKNOWN]),
        skipped=str(counts[Status.NOT_APPLICABLE]),
        time=_seconds(sum(c.duration_ms for c in report.checks)),
        timestamp=report.created.removesuffix("Z"),
    )
    for check in report.checks:
        _case(suite, report.kind, check)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, kind: str, check: Check) -> None:
    family = check.id.rpartition("-")[0] or kind
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"bioguard.{kind}.{family}",
        name=_clean(f"{check.id} {check.title}"),
        time=_seconds(check.duration_ms),
    )
    child = _CHILD.get(check.status)
    if child is not None:
        element = ET.SubElement(case, child, message=_clean(check.summary))
        if child != "skipped":
            element.set("type", check.status.value)
            element.text = _clean("\n".join([*check.details, *([f"fix: {check.fix}"] if check.fix else [])]))
    elif check.status is Status.WARN:
        ET.SubElement(case, "system-out").text = _clean("\n".join(["WARN: " + check.summary, *check.details]))
