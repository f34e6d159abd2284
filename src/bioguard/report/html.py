"""A report as one HTML file: no script, no outside reference, readable without color and on paper.

The page forbids itself to load anything (Content-Security-Policy default-src 'none'), so a mistake here could not reach
the network either. All text is escaped by Jinja; only `Figure.svg`, checked by the model, is passed through.
"""

import pkgutil
import re
from functools import cache

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from bioguard.printable import printable
from bioguard.report.model import Report, Status

FILES = ("report.html", "report.css")
_BACKTICKS = re.compile(r"`([^`\n]+)`")


def _code(text: str) -> Markup:
    """The text, escaped, with what stands between backticks as code: commands to type."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(printable(text)))))  # noqa: S704  # escaped just here


def _shown(value: object) -> object:
    """Text with escapes for what would hide or turn it around; our own markup as it is."""
    return printable(value, keep="\n\t") if type(value) is str else value


@cache
def _template() -> Template:
    sources = {}
    for name in FILES:
        content = pkgutil.get_data("bioguard.report", f"templates/{name}")
        if content is None:
            raise FileNotFoundError(name)
        sources[name] = content.decode("utf-8")
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _code
    environment.filters["svg"] = Markup  # only ever given Figure.svg, which the model checked
    environment.globals["css"] = Markup(sources["report.css"])  # noqa: S704  # our own file
    return environment.get_template("report.html")


def render_html(report: Report) -> str:
    """The whole page."""
    ordered = sorted(report.checks, key=lambda c: list(Status).index(c.status))
    open_checks = [c for c in ordered if c.status in (Status.FAIL, Status.UNKNOWN)]
    return _template().render(report=report, ordered=ordered, open_checks=open_checks, Status=Status)
