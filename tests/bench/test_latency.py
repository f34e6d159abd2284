"""The latency command: one side against itself, and a checkout that cannot be measured."""

import json
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.__main__ import cli
from bench.commands import latency
from bench.environment import ROOT
from bioguard.errors import InputRefused


def test_ratios_of_a_checkout_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    sides: list[Path] = []

    def once(checkout: Path, rounds: int) -> dict[str, list[float]]:
        sides.append(checkout)
        return {"open": [4.0, 2.0, 3.0] if checkout == ROOT else [6.0, 6.0, 60.0]}

    monkeypatch.setattr("bench.commands.latency._once", once)
    done = CliRunner().invoke(cli, ["latency", "--against", str(ROOT.parent), "--turns", "2", "--json"])
    found = json.loads(done.stdout)["operations"]["open"]
    assert found == {"here": 3.0, "there": 6.0, "ratio": 0.5, "ratio_least": 0.5, "ratio_most": 0.5}
    assert sides == [ROOT.parent, ROOT, ROOT, ROOT.parent]


def test_a_folder_without_the_product_is_refused(tmp_path: Path) -> None:
    (tmp_path / "src" / "bioguard").mkdir(parents=True)
    (tmp_path / "src" / "bioguard" / "__init__.py").touch()
    done = CliRunner().invoke(cli, ["latency", "--against", str(tmp_path), "--turns", "1"])
    assert isinstance(done.exception, InputRefused)
    assert done.exception.code == "bench.checkout"


@pytest.mark.slow
def test_the_probe_measures_every_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.commands.latency._once", cache(latency._once))  # this checkout beside itself: once
    done = CliRunner().invoke(cli, ["latency", "--against", str(ROOT), "--turns", "1", "--rounds", "2", "--json"])
    found = json.loads(done.stdout)["operations"]
    times = {"init", "enroll face", "1:1 face", "1:1 finger", "1:N face", "list", "open", "cold command"}
    assert set(found) == times | {"memory, KiB"}
    assert all(found[name]["here"] > 0 and found[name]["there"] > 0 for name in times)
