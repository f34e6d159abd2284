"""Every row of Android's own tests of its virtual HALs, of VTS and of the contract's checklist, on a real device.

A program in another language plays them through the pipe (tests/clients/rows), with real samples where Android's tests
have ids. A row passes, or differs for a reason that docs/aidl-differences.md gives.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.rows_program import ROWS, play, product
from tests.clients.stored_rows import stored_rows
from tests.clients.toolchains import ROOT, tool

GROUPS = ("fingerprint", "lockout", "face", "virtual_hal", "service", "checklist", "keys", "answers", "store")
PAGE = ROOT / "docs" / "aidl-differences.md"
SUITES = {
    "FakeFingerprintEngineTest": 31,
    "FakeFingerprintEngineUdfpsTest": 7,
    "FakeLockoutTrackerTest(fp)": 3,
    "FakeLockoutTrackerTest(face)": 6,
    "FakeFaceEngineTest": 27,
    "SessionTest": 1,
    "VirtualHalTest(fp)": 16,
    "VirtualHalTest(face)": 14,
    "WorkerThreadTest": 4,
    "VTS(fp)": 9,
    "VTS(face)": 10,
}
"""How many tests each of Android's suites has, and one more of a sensor that lights the finger itself."""


def made(scripts: Path, directory: Path, scenario: str) -> Path:
    command = [scripts / "bioguard", "--device", directory, "device", "init", "--scenario", ROWS / scenario]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return directory


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    tool("node")
    folder = tmp_path_factory.mktemp("rows")
    scripts = product(folder / "product")
    device, cascade = (made(scripts, folder / name, f"{name}.toml") for name in ("device", "cascade"))
    main, other = play(scripts, device, *GROUPS), play(scripts, cascade, "cascade")
    found = {**main.verdicts, **other.verdicts}
    assert main.left is not None, main.said
    secrets = [main.left["pin"], *main.left["secrets"]]
    told = main.said + other.said
    clean = not any(secret in told for secret in secrets)
    found["6.10 nothing of them on standard error"] = "PASS" if clean and "SEEDED" in told else f"FAIL {told}"
    return found | stored_rows(scripts, device, cascade, folder, main.left)


def table() -> list[str]:
    return (ROWS / "rows.txt").read_text().splitlines()


def test_the_table_has_every_row_of_each_suite() -> None:
    suites = [row.split(".")[0] for row in table() if not row.startswith("6.")]
    assert {suite: suites.count(suite) for suite in suites} == SUITES
    rows = [row.split(" ")[0] for row in table() if row.startswith("6.")]
    assert {*rows} == {f"6.{number}" for number in range(1, 11)}
    assert len(set(table())) == len(table())


def test_every_row_is_played_and_none_fails(verdicts: dict[str, str]) -> None:
    assert sorted(verdicts) == sorted(table())
    assert {row: verdict for row, verdict in verdicts.items() if verdict.startswith("FAIL")} == {}
    assert {verdict.split(" ")[0] for verdict in verdicts.values()} == {"PASS", "DIFFERS"}


def test_every_row_that_differs_stands_in_the_page_with_its_reason(verdicts: dict[str, str]) -> None:
    _, _, part = PAGE.read_text().partition("<!-- rows that differ -->")
    listed = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", part.partition("<!-- end -->")[0], re.MULTILINE))
    differ = {row: verdict.removeprefix("DIFFERS ") for row, verdict in verdicts.items() if verdict != "PASS"}
    assert listed == differ
