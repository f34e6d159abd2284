"""Reports: one model, five renderers.

from bioguard.report import Report, Check, Status, render
html = render(report, "html")          # also text, json, junit, sarif
"""

from collections.abc import Callable, Mapping

from bioguard.report.html import render_html
from bioguard.report.json_form import render_json
from bioguard.report.junit import render_junit
from bioguard.report.model import Check, Evidence, Fact, Figure, Report, Requirement, Section, Status, Table, overall
from bioguard.report.sarif import render_sarif
from bioguard.report.text import render_text

__all__ = [
    "RENDERERS",
    "Check",
    "Evidence",
    "Fact",
    "Figure",
    "Report",
    "Requirement",
    "Section",
    "Status",
    "Table",
    "overall",
    "render",
]

RENDERERS: Mapping[str, Callable[[Report], str]] = {
    "text": render_text,
    "json": render_json,
    "junit": render_junit,
    "sarif": render_sarif,
    "html": render_html,
}


def render(report: Report, form: str) -> str:
    """The report in one of the forms of `RENDERERS`. Raises KeyError for another form."""
    return RENDERERS[form](report)
