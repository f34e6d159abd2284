"""Fill in the templates of this package: everything is escaped, and what would hide in a text is shown."""

import pkgutil
import re
from functools import cache

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from bioguard.printable import printable

_BACKTICKS = re.compile(r"`([^`\n]+)`")


def template_text(name: str) -> str:
    """Return a file of `templates/`."""
    return (pkgutil.get_data("bioguard.report", f"templates/{name}") or b"").decode("utf-8")


def _code(text: str) -> Markup:
    """The text, escaped, with what stands between backticks as code: commands to type."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(printable(text)))))  # noqa: S704  # escaped just here


def _breakable(text: str) -> Markup:
    """The text, escaped, with a place to break after each slash and underscore: names of sets in narrow columns."""
    return Markup(re.sub(r"(?<=\w)([/_])(?=\w)", r"\1<wbr>", str(escape(printable(text)))))  # noqa: S704  # escaped just here


def _figure(text: str) -> Markup:
    """The text, escaped, a figure together with its unit: a line does not end before a percent sign."""
    return Markup(re.sub(r"(?<=\d) (?=[%x]$)", "&nbsp;", str(escape(printable(text)))))  # noqa: S704  # escaped just here


def _shown(value: object) -> object:
    """Text with escapes for what would hide or turn it around; our own markup as it is."""
    return printable(value, keep="\n\t") if type(value) is str else value


@cache
def environment() -> Environment:
    """Return the one environment, for HTML and SVG."""
    made = Environment(
        loader=FunctionLoader(template_text),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breakable"] = _breakable
    made.filters["code"] = _code
    made.filters["figure"] = _figure
    made.filters["svg"] = Markup  # only ever given Figure.svg, which the model checked
    made.filters["n"] = lambda number: f"{number:.1f}"  # coordinates: a tenth of a unit is a tenth of a pixel
    return made
