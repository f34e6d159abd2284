"""One report model; every renderer shows the same facts.

Rules:
* `UNKNOWN` (the check could not run) is never a pass: it is worse than WARN and better than FAIL, and an empty report
  is UNKNOWN;
* a check names its evidence and its limits; text is plain, renderers escape it;
* figures are SVG drawn by us (`Figure`), the only markup that is passed through.
"""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum, unique

from tee_sim.shared.dataclass import dataclass

_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_SVG_ELEMENTS = frozenset(
    {"svg", "g", "defs", "use", "clipPath", "style", "title", "desc", "text", "tspan"}
    | {"path", "line", "polyline", "polygon", "rect", "circle", "ellipse"}
)
_OUTSIDE = re.compile(r"url\(\s*['\"]?(?!#)|@import|javascript:", re.IGNORECASE)


@unique
class Status(Enum):
    """Result of one check, worst first."""

    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    WARN = "WARN"
    PASS = "PASS"  # noqa: S105  # a verdict, not a password
    NOT_APPLICABLE = "NOT_APPLICABLE"

    @property
    def label(self) -> str:
        """For people."""
        return self.value.replace("_", " ")


_WORST_FIRST = tuple(Status)


def overall(statuses: Iterable[Status]) -> Status:
    """The verdict over many: the worst counts; nothing at all, or nothing applicable, is UNKNOWN."""
    present = {s for s in statuses if s is not Status.NOT_APPLICABLE}
    return min(present, key=_WORST_FIRST.index) if present else Status.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A file of the bundle. path is relative, with forward slashes; sha256 in hex, or empty if not hashed."""

    label: str
    path: str
    sha256: str = ""

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path):
            raise ValueError("an evidence path is relative and plain: letters, digits, dot, dash, underscore, slash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check and what it found.

    Attributes:
        id: stable, for instance BG-STA-001.
        title: what holds if it passes, one line.
        summary: what was found, one sentence.
        details: more lines: findings, counts.
        control: what enforces it.
        limits: what a pass does not show.
        fix: what to do when it does not pass.
        clauses: policy rows it gives evidence for (POL-01 ...).
        reference: specification section.
    """

    id: str
    title: str
    status: Status
    summary: str
    details: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    control: str = ""
    limits: str = ""
    fix: str = ""
    clauses: tuple[str, ...] = ()
    reference: str = ""
    duration_ms: int = 0

    def __post_init__(self) -> None:
        if not self.id or not self.title or not self.summary:
            raise ValueError("a check has an id, a title and a summary")


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value, for the header: version, seed, data set, machine kind."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of plain text. `numeric` columns (by index) are right-aligned; the first column heads its row.

    `failing` rows (by index) are red; a cell of theirs says in words what fails.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    numeric: frozenset[int] = frozenset()
    failing: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("every row has one cell a column")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An inline SVG, with words for those who do not see it.

    It may hold shapes and text only: no script, no event handler, no image, no reference out of the document.
    """

    title: str
    svg: str
    description: str
    note: str = ""

    def __post_init__(self) -> None:
        if not self.description or not self.svg.startswith("<svg") or "<!" in self.svg:
            raise ValueError("a figure is a bare <svg> with a description")
        try:
            elements = list(ET.fromstring(self.svg).iter())  # noqa: S314  # no DTD can be in it, see above
        except ET.ParseError:
            raise ValueError("the svg is not well-formed") from None
        for element in elements:
            if element.tag.rpartition("}")[2] not in _SVG_ELEMENTS or _OUTSIDE.search(element.text or ""):
                raise ValueError("the svg holds an element that is no shape")
            for name, value in element.attrib.items():
                local = name.rpartition("}")[2].lower()
                if local.startswith("on") or _OUTSIDE.search(value) or (local == "href" and value[:1] != "#"):
                    raise ValueError("the svg refers to something outside")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Tables and figures under one heading."""

    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A promise that checks give evidence for: one row of the register."""

    id: str
    section: str
    promise: str
    control: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run of something, whatever its kind.

    Attributes:
        kind: `audit`, `bench`, ...; part of the JSON schema id.
        title: heading.
        headline: the verdict in one sentence of plain words.
        created: ISO 8601 UTC.
        key_numbers: the three or four numbers that matter, shown first.
        facts: what was tested, with what.
        checks: findings.
        requirements: promises, in the order of the register; a check points at them with `clauses`.
        sections: tables and figures.
        residual: what stays open even when all checks pass.
    """

    kind: str
    title: str
    headline: str
    tool: str
    created: str
    key_numbers: tuple[Fact, ...] = ()
    facts: tuple[Fact, ...] = ()
    checks: tuple[Check, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    sections: tuple[Section, ...] = ()
    residual: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        twice = [i for i, n in Counter(c.id for c in self.checks).items() if n > 1]
        if twice:
            raise ValueError(f"check {twice[0]} is there twice")
        known = {r.id for r in self.requirements}
        if known and not {clause for c in self.checks for clause in c.clauses} <= known:
            raise ValueError("a check points at a requirement that is not in the report")

    @property
    def status(self) -> Status:
        """Verdict over all checks and requirements: a promise without a check that ran is UNKNOWN."""
        return overall([*(c.status for c in self.checks), *(self.requirement_status(r.id) for r in self.requirements)])

    def checks_of(self, requirement_id: str) -> tuple[Check, ...]:
        """The checks that give evidence for a requirement."""
        return tuple(c for c in self.checks if requirement_id in c.clauses)

    def requirement_status(self, requirement_id: str) -> Status:
        """The worst of its checks; UNKNOWN without any."""
        return overall(c.status for c in self.checks_of(requirement_id))

    def counts(self) -> dict[Status, int]:
        """How many checks ended how, every status listed."""
        found = Counter(c.status for c in self.checks)
        return {status: found[status] for status in Status}

    def with_status(self, *statuses: Status) -> Sequence[Check]:
        """The checks that ended so, in order."""
        return tuple(c for c in self.checks if c.status in statuses)
