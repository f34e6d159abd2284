"""What runs in the secure world is what lies in its folders, and the page says how much it is."""

import re

from tests.meta.import_graph import modules
from tests.meta.secure_world_size import (
    LAUNCHER,
    ROOT,
    entries,
    is_native,
    manifests,
    measured,
    native_lines,
    product_graph,
    reached,
    sizes,
)

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
TOLERANCE = 0.03
NEVER_RUN = {"bioguard.match.fingerprint.explain"}
"""Measured by a wildcard, and imported by no application."""


def test_every_file_of_trusted_is_run_by_an_application() -> None:
    arrows = product_graph()
    run = set[str]().union(*(reached(arrows, entries(manifest)) & measured(manifest) for manifest in manifests()))
    all_measured = set[str]().union(*(measured(manifest) for manifest in manifests()))
    assert {name for name in modules(ROOT) if name.startswith("bioguard.trusted")} <= run
    assert all_measured - run == NEVER_RUN


def test_an_application_reaches_nothing_that_is_not_measured() -> None:
    """Beside the TA API, which the launcher has loaded, and the compiled kernels, which the manifest preloads."""
    arrows = product_graph()
    for manifest in manifests():
        unmeasured = reached(arrows, entries(manifest)) - measured(manifest) - set(manifest.preload)
        assert {name for name in unmeasured if not name.startswith("tee_sim.shared")} <= {"tee_sim"}
        assert unmeasured <= reached(arrows, [LAUNCHER])


def test_the_launcher_reaches_its_own_world_and_all_of_it() -> None:
    found = reached(product_graph(), [LAUNCHER])
    assert {name for name in modules(ROOT) if name.startswith("tee_sim.secure")} <= found
    others = {name for name in found if not name.startswith(("tee_sim.secure", "tee_sim.shared"))}
    assert {name for name in others if not is_native(name)} == {"tee_sim"}


def test_the_page_says_how_much_is_trusted() -> None:
    """`python -m tests.meta.secure_world_size` prints the table anew."""
    for row, counted in sizes().items():
        found = re.search(rf"^\| {row} \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
        assert found, row
        for said, is_so in zip((int(found[1]), int(found[2])), counted, strict=True):
            assert abs(said - is_so) <= max(1, TOLERANCE * is_so), f"{row}: the page says {said}, it is {is_so}"
    native = re.search(r"([\d ]+) lines of C", PAGE)
    assert native
    assert abs(int(native[1].replace(" ", "")) - native_lines()) <= TOLERANCE * native_lines()
