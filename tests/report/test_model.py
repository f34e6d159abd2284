"""The verdict is never better than the worst check, and silence is UNKNOWN."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.report import Check, Evidence, Figure, Report, Requirement, Status, Table, overall

STATUSES = st.lists(st.sampled_from(Status))


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ([], Status.UNKNOWN),
        ([Status.NOT_APPLICABLE], Status.UNKNOWN),
        ([Status.PASS, Status.NOT_APPLICABLE], Status.PASS),
        ([Status.PASS, Status.WARN], Status.WARN),
        ([Status.PASS, Status.WARN, Status.UNKNOWN], Status.UNKNOWN),
        ([Status.UNKNOWN, Status.FAIL], Status.FAIL),
    ],
)
def test_the_worst_counts(statuses: list[Status], verdict: Status) -> None:
    assert overall(statuses) is verdict


@given(STATUSES)
def test_a_pass_needs_a_pass_and_nothing_worse(statuses: list[Status]) -> None:
    worse = {Status.FAIL, Status.UNKNOWN, Status.WARN}
    assert (overall(statuses) is Status.PASS) == (Status.PASS in statuses and not worse & set(statuses))


def test_a_promise_without_a_check_is_unknown_and_spoils_the_verdict(report: Report) -> None:
    assert report.requirement_status("POL-01") is Status.FAIL
    assert report.requirement_status("POL-03") is Status.UNKNOWN
    good = Check(id="A", title="t", status=Status.PASS, summary="s", clauses=("POL-01",))
    rows = tuple(Requirement(id=i, section="", promise="p", control="c") for i in ("POL-01", "POL-02"))
    common = {"kind": "audit", "title": "t", "headline": "h", "tool": "b 1", "created": "2026-01-01T00:00:00Z"}
    assert Report(**common, checks=(good,), requirements=rows[:1]).status is Status.PASS
    assert Report(**common, checks=(good,), requirements=rows).status is Status.UNKNOWN


def test_a_check_may_not_point_at_a_promise_that_is_not_there(report: Report) -> None:
    stray = Check(id="A", title="t", status=Status.PASS, summary="s", clauses=("POL-99",))
    with pytest.raises(ValueError, match="a requirement that is not in the report"):
        Report(
            kind="audit",
            title="t",
            headline="h",
            tool="b 1",
            created="",
            checks=(stray,),
            requirements=report.requirements,
        )


def test_a_check_is_listed_once(report: Report) -> None:
    with pytest.raises(ValueError, match="check BG-X-001 is there twice"):
        Report(kind="a", title="t", headline="h", tool="b 1", created="", checks=(report.checks[0],) * 2)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../up", "a//b", "a/../b", "https://x", "javascript:x", ".hidden", "a b", ""]
)
def test_evidence_points_into_the_bundle_only(path: str) -> None:
    with pytest.raises(ValueError, match="an evidence path is relative and plain"):
        Evidence(label="x", path=path)


@pytest.mark.parametrize(
    "svg",
    [
        "<svg><script>1</script></svg>",
        '<svg onload="x()"/>',
        '<svg><image href="x.png"/></svg>',
        '<svg xmlns:xlink="http://www.w3.org/1999/xlink"><use xlink:href="http://host/x"/></svg>',
        '<svg><rect fill="url(http://host/x)"/></svg>',
        "<svg><style>@import 'x'</style></svg>",
        '<svg><a href="javascript:1"/></svg>',
        '<!DOCTYPE svg [<!ENTITY a "b">]><svg/>',
        "<svg><!DOCTYPE x></svg>",
        "<svg>",
        "<p>",
    ],
)
def test_figures_hold_shapes_only(svg: str) -> None:
    with pytest.raises(ValueError, match="svg"):
        Figure(title="t", svg=svg, description="d")


def test_tables_are_rectangular() -> None:
    with pytest.raises(ValueError, match="one cell a column"):
        Table(title="t", columns=("a", "b"), rows=(("1",),))
