"""A report as one HTML file: no script, no outside reference, readable without color and on paper.

The page forbids itself to load anything (Content-Security-Policy default-src 'none'), so a mistake here could not reach
the network either. All text is escaped by Jinja; only `Figure.svg`, checked by the model, is passed through.

A bundle's page is rendered again where it is verified, and compared byte by byte: what `report.css` and `report.html`
make of a report without tables stays as version 0.1 made it. Tables, which no audit has, have a sheet of their own.
"""

from markupsafe import Markup

from bioguard.report.jinja import environment, template_text
from bioguard.report.model import Report, Status


def render_html(report: Report) -> str:
    """The whole page."""
    ordered = sorted(report.checks, key=lambda c: list(Status).index(c.status))
    open_checks = [c for c in ordered if c.status in (Status.FAIL, Status.UNKNOWN)]
    tables = any(section.tables for section in report.sections)
    sheets = ("report.css", "tables.css") if tables else ("report.css",)
    css = Markup("".join(map(template_text, sheets)))  # noqa: S704  # our own files
    page = environment().get_template("report.html")
    return page.render(report=report, ordered=ordered, open_checks=open_checks, Status=Status, css=css)
