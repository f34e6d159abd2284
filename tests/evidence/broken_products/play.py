"""Run products with breaks through their own audit, in copies of the tree."""

from collections.abc import Iterable
from pathlib import Path

from tests.broken_build import Change
from tests.broken_tree import audit, plant, red
from tests.evidence.broken_products.breaks import BREAKS, Break, combined
from tests.evidence.broken_products.hostile import HOSTILE
from tests.evidence.broken_products.served import SERVED

SHORT_BATTERY: Change = (
    "src/bioguard/evidence/escape_battery/__init__.py",
    "    chosen = list(ATTEMPTS if names is None else names)\n",
    "    chosen = list(ATTEMPTS if names is None else names)[::16]\n",
)
"""Of the audit in the copy: it finds nothing in any of these products, so what turns a row red is another check."""
ALONE: dict[str, Break] = BREAKS | HOSTILE | SERVED


def unseen(broken: Iterable[Break], folder: Path, *more: Change) -> dict[str, object]:
    """What the audit of a product with all these breaks does not see: row -> status and words of its checks.

    Each row that is broken has to be red, and each check that a break names. Where a hostile application lets something
    out, what it may let out in all (BG-SBX-005) has to say so, whatever else does.
    """
    together = list(broken)
    rows = sorted({row for one in together for row in one.rows})
    checks = audit(plant(folder / "product", (*combined(together), *more)), folder / "evidence", *rows)
    said = {name: (check["status"], check["summary"]) for name, check in checks.items()}
    green: dict[str, object] = {row: said for row in rows if not red(checks, row)}
    wanted = {check for one in together for check in one.checks}
    green |= {check: said.get(check) for check in sorted(wanted) if said.get(check, ("",))[0] != "FAIL"}
    if any(one in HOSTILE.values() for one in together) and checks["BG-SBX-005"]["status"] != "FAIL":
        green["BG-SBX-005"] = (said["BG-SBX-005"], checks["BG-SBX-005"]["details"])
    return green
