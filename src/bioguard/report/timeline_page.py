"""A timeline as one HTML file: lanes over a time axis, and a list that says every event in words, with a bar.

The page forbids itself to load anything: only its own style and script, named by their hashes, are let in. The list
needs no script; the lanes, the zoom and the keys are drawn and played by one that reads the list.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from bioguard.report.jinja import environment, template_text
from tee_sim.normal.timeline_reader import Arrow, TimedLine
from tee_sim.shared.dataclass import dataclass

_ORDER: Final = ("caller", "session", "world", "time", "command", "storage", "rpmb", "fault")
"""The lanes from top to bottom, by category: whoever asks stands above whom it asks."""
_UNITS: Final = 1000
_DEEPEST: Final = 6
_TICKS: Final = 5
_MOST_LEVELS: Final = 32
"""Of a lane: what more there is at once is drawn over each other, and stands in the list all the same."""
_VALUE: Final = "boot_ms"
_LONG_NAME: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{8,}\b")
"""Under which the disk knows its objects: the beginning tells them apart, `trace show` has the rest."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: its name, and the class that gives it its color."""

    name: str
    css: str


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _lanes(lines: Sequence[TimedLine]) -> list[Lane]:
    """Rows of the same name are one lane: each command has a disk of its own, and one follows the other."""
    found = {line.row: line.category for line in reversed(lines)}
    ranks = {category: rank for rank, category in enumerate(_ORDER)}
    names = sorted(found, key=lambda name: (ranks.get(found[name], len(ranks)), name))
    return [Lane(name, found[name] if found[name] in ranks else "world") for name in names]


def _levels(lines: Sequence[TimedLine], end_us: int) -> list[int]:
    """Of each event, how far below the top of its lane it is drawn: the first level where nothing else is then."""
    free: dict[str, list[int]] = {}
    levels: list[int] = []
    for line in lines:
        until = end_us if line.unended else line.at_us + (line.lasted_us or 0)
        own = free.setdefault(line.row, [])
        level = next((n for n, free_from in enumerate(own) if free_from <= line.at_us), len(own))
        level = min(level, _MOST_LEVELS - 1)
        own[level : level + 1] = [max(until, line.at_us)]
        levels.append(level)
    return levels


def _event(line: TimedLine, lane: int, level: int, end_us: int) -> dict[str, Any]:
    scale = _UNITS / max(end_us, 1)
    until = end_us if line.unended else line.at_us + (line.lasted_us or 0)
    value = line.args.get(_VALUE)
    return {
        "css": line.category if line.category in _ORDER else "world",
        "failed": line.failed,
        "unended": line.unended,
        "start_us": line.at_us,
        "lasted_us": "" if line.lasted_us is None else line.lasted_us,
        "lane": lane,
        "level": level,
        "value": value if line.category == "time" and type(value) is int else None,
        "at": f"{line.at_us / 1000:.3f}",
        "lasted": f"{line.lasted_us / 1000:.3f}" if line.lasted_us else "",
        "row": line.row,
        "indent": min(line.depth, _DEEPEST),
        "name": line.name,
        "details": _LONG_NAME.sub(r"\1…", line.details),
        "x": f"{line.at_us * scale:.2f}",
        "width": f"{max((until - line.at_us) * scale, 2):.2f}",
    }


def render_timeline(lines: Sequence[TimedLine], arrows: Sequence[Arrow], *, name: str, left_out_bytes: int) -> str:
    """The whole page.

    Args:
        lines, arrows: as `tee_sim.normal.timeline_reader` reads them.
        name: of the file, for the title.
        left_out_bytes: of the end of the file.
    """
    end_us = max((line.at_us + (line.lasted_us or 0) for line in lines), default=0)
    lanes = _lanes(lines)
    numbers = {lane.name: number for number, lane in enumerate(lanes)}
    levels = _levels(lines, end_us)
    css, js = template_text("timeline.css"), template_text("timeline.js")
    return (
        environment()
        .get_template("timeline.html")
        .render(
            css=Markup(css),  # noqa: S704  # our own file
            js=Markup(js),  # noqa: S704  # our own file
            css_hash=_hash(css),
            js_hash=_hash(js),
            name=name,
            lanes=lanes,
            events=[_event(line, numbers[line.row], level, end_us) for line, level in zip(lines, levels, strict=True)],
            arrows=";".join(
                f"{a.at_us},{numbers[a.source]},{numbers[a.target]}"
                for a in arrows
                if a.source in numbers and a.target in numbers
            ),
            end_us=end_us,
            total=f"{end_us / 1000:.3f} ms",
            failures=sum(line.failed for line in lines),
            torn=left_out_bytes,
            ticks=[f"{end_us * n / (_TICKS - 1) / 1000:.1f}" for n in range(_TICKS)],
        )
    )
