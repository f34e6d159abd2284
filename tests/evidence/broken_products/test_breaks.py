"""Broken products turn the rows of their promises red: all together, and a sample alone.

Each alone: `python -m tests.evidence.broken_products`.
"""

from pathlib import Path

import pytest

from tests.broken_build import Change
from tests.evidence.broken_products import __main__ as command
from tests.evidence.broken_products import play
from tests.evidence.broken_products.breaks import BREAKS
from tests.evidence.broken_products.hostile import HOSTILE
from tests.evidence.broken_products.play import ALONE, SHORT_BATTERY, unseen
from tests.evidence.broken_products.served import SERVED

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]
SAMPLE = (pytest.param("clear-copy", marks=pytest.mark.campaign), "digest-and-template")
"""One that the watched life of a device shows, in the suite with all the others only, and one that a trial does;
tests/campaigns plays more of the second kind."""


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_broken_product_does_not_pass(name: str, tmp_path: Path) -> None:
    assert unseen([ALONE[name]], tmp_path) == {}


@pytest.mark.campaign
@pytest.mark.parametrize("name", SERVED)
def test_what_a_server_alone_does_turns_its_own_row_red(name: str, tmp_path: Path) -> None:
    """In the suite what such a server tells and writes is doctored instead: tests/evidence/leak_scan/test_served.py."""
    assert unseen([SERVED[name]], tmp_path) == {}


@pytest.mark.slow
def test_a_hostile_application_is_found_by_every_way_out(tmp_path: Path) -> None:
    assert unseen(HOSTILE.values(), tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("battery", [(SHORT_BATTERY,), pytest.param((), marks=pytest.mark.campaign)])
def test_all_of_them_together_turn_every_row_red(battery: tuple[Change, ...], tmp_path: Path) -> None:
    """None of them hides another. What is not encrypted at all is left out: a pad is what an audit has to tell."""
    assert unseen([broken for name, broken in BREAKS.items() if name != "not-encrypted"], tmp_path, *battery) == {}


SEEN = {name: {"status": "FAIL", "summary": "", "details": [], "clauses": ["POL-04", "POL-25"]} for name in "ab"}
BUDGET = {"status": "FAIL", "summary": "kept", "details": ["so many bits"], "clauses": ["POL-04"]}


@pytest.mark.parametrize(
    ("name", "checks", "green"),
    [
        ("dump", SEEN, []),
        ("dump", {"a": SEEN["a"] | {"clauses": ["POL-25"]}}, ["POL-04"]),
        ("dump", {"a": SEEN["a"] | {"status": "UNKNOWN"}}, ["POL-04", "POL-25"]),
        ("served-socket", {"BG-SBX-004": BUDGET | {"clauses": ["POL-27"]}}, []),
        ("served-socket", {"a": SEEN["a"] | {"clauses": ["POL-27"]}}, ["BG-SBX-004"]),
        ("hostile-page-rows", SEEN | {"BG-SBX-005": BUDGET}, []),
        ("hostile-page-rows", SEEN | {"BG-SBX-005": BUDGET | {"status": "PASS"}}, ["BG-SBX-005"]),
    ],
)
def test_what_the_audit_left_green_is_the_end_of_the_command(
    name: str, checks: dict[str, object], green: list[str], monkeypatch: Patch, capsys: Capture
) -> None:
    """Every row that is broken has to be red, not one of them; UNKNOWN is not red."""
    monkeypatch.setattr(play, "plant", lambda _root, _changes: Path("python"))
    monkeypatch.setattr(play, "audit", lambda _python, _out, *_rows: checks)
    assert list(unseen([ALONE[name]], Path())) == green
    assert command.main([name]) == (3 if green else 0)
    said = capsys.readouterr().out
    assert said.startswith(f"{name} ")
    assert ("GREEN" in said) is bool(green)


def test_every_break_can_be_played_alone(capsys: Capture) -> None:
    assert command.main(["--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [*BREAKS, *HOSTILE, *SERVED]
    assert (len(BREAKS), len(HOSTILE), len(SERVED)) == (14, 6, 13)
    with pytest.raises(SystemExit):
        command.main(["nothing"])
