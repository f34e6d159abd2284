"""One report with every feature in it."""

import pytest

from bioguard.report import Check, Evidence, Fact, Figure, Report, Requirement, Section, Status, Table

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0L9 9" stroke="currentColor"/></svg>'


def check(number: int, status: Status, **more: object) -> Check:
    fields = {"title": f"check {number}", "summary": f"summary {number}", **more}
    return Check(id=f"BG-X-{number:03d}", status=status, **fields)  # type: ignore[arg-type]


@pytest.fixture
def report() -> Report:
    checks = (
        check(1, Status.PASS, clauses=("POL-01",), limits="not more", control="a filter", duration_ms=1500),
        check(
            2,
            Status.FAIL,
            clauses=("POL-01", "POL-02"),
            fix="mend <it> & run again",
            details=("line one", "line \x07 two"),
            evidence=(Evidence(label="raw list", path="raw/list.json", sha256="ab" * 32),),
        ),
        check(3, Status.UNKNOWN, fix="run as root"),
        check(4, Status.WARN, details=("careful",)),
        check(5, Status.NOT_APPLICABLE),
    )
    return Report(
        kind="audit",
        title='Audit of <b>"device"</b>',
        headline="One check failed & one could not run",
        tool="bioguard 0.1.0",
        created="2026-01-31T12:00:00Z",
        key_numbers=(Fact("Packets", "0"),),
        facts=(Fact("Sandbox", "ENFORCED+"),),
        checks=checks,
        requirements=tuple(
            Requirement(id=f"POL-0{i}", section="III.1", promise=f"promise {i}", control="control") for i in (1, 2, 3)
        ),
        sections=(
            Section(
                title="Timing",
                text=("measured",),
                tables=(
                    Table(title="Latency", columns=("what", "ms"), rows=(("1:1", "3.5"),), numeric=frozenset({1})),
                ),
                figures=(Figure(title="Curve", svg=SVG, description="a straight line"),),
            ),
        ),
        residual=("the owner of the host can read everything",),
    )
