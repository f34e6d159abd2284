"""Every broken product turns the row of its promise red: each alone, and all together."""

from pathlib import Path

import pytest

from tests.broken_tree import audit, plant, red
from tests.evidence.broken_products.breaks import BREAKS, combined
from tests.evidence.broken_products.hostile import HOSTILE


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BREAKS))
def test_a_broken_product_does_not_pass(name: str, tmp_path: Path) -> None:
    broken = BREAKS[name]
    checks = audit(plant(tmp_path / "product", broken.changes), tmp_path / "evidence", *broken.rows)
    green = [row for row in broken.rows if not red(checks, row)]
    assert not green, {check["id"]: (check["status"], check["summary"]) for check in checks.values()}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*sorted(HOSTILE), "all together"])
def test_a_hostile_application_is_found_by_every_way_out(name: str, tmp_path: Path) -> None:
    broken = [HOSTILE[name]] if name in HOSTILE else list(HOSTILE.values())
    checks = audit(plant(tmp_path / "product", combined(broken)), tmp_path / "evidence", "POL-04")
    assert red(checks, "POL-04")
    budget = checks["BG-SBX-005"]
    assert budget["status"] == "FAIL", (budget["summary"], budget["details"])


@pytest.mark.slow
def test_all_of_them_together_turn_every_row_red(tmp_path: Path) -> None:
    """None of them hides another. What is not encrypted at all is left out: a pad is what an audit has to tell."""
    together = [broken for name, broken in BREAKS.items() if name != "not-encrypted"]
    rows = sorted({row for broken in together for row in broken.rows})
    checks = audit(plant(tmp_path / "product", combined(together)), tmp_path / "evidence", *rows)
    assert [row for row in rows if not red(checks, row)] == []
