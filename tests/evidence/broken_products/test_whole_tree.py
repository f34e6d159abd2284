"""An unchanged copy keeps its promises: what fails on a broken one is the break, not the way it is run."""

from pathlib import Path

from tests.broken_tree import audit, plant, red


def test_an_unchanged_product_keeps_its_promises(tmp_path: Path) -> None:
    python = plant(tmp_path / "product", ())
    checks = audit(python, tmp_path / "evidence", "POL-14", "POL-27")
    assert {name: check["status"] for name, check in checks.items()} == {
        "BG-STA-001": "PASS", "BG-STA-003": "PASS", "BG-STA-006": "PASS", "BG-SBX-001": checks["BG-SBX-001"]["status"],
        "BG-STA-007": "PASS", "BG-STA-008": "PASS", "BG-SBX-004": checks["BG-SBX-004"]["status"], "BG-POL-014": "PASS",
    }  # fmt: skip
    assert not red(checks, "POL-14")
