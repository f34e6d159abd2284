"""`python -m bench native`: it runs, and its figures are those of what was timed."""

import json
import shutil

import pytest
from click.testing import CliRunner

from bench.__main__ import cli
from bench.native.costs import UP_CALLS, _figures, lines


def test_figures_of_known_times() -> None:
    took = {
        "invoke": [3000] * 10 + [8000] * 10, "floor": [2000] * 10 + [4000] * 10, "up_none": [1000] * 20,
        "up_many": [1000 + UP_CALLS * 500] * 20, "memory": [2000] * 20, "digest": [9000] * 20, "write": [7000] * 20,
    }  # fmt: skip
    found = _figures(took)
    assert found["invoke_to_floor"] == pytest.approx(1.75)  # 1.5 in one round, 2 in the other
    assert found["invoke"] == {"p50_us": 5.5, "p95_us": 8.0, "calls": 20}
    assert (found["up_call"]["p50_us"], found["digest_64k"]["p50_us"]) == (pytest.approx(0.5), pytest.approx(7.0))
    said = lines(found)
    assert said[-1] == "invocation to floor: 1.75"
    assert said[1].split() == ["invocation", "through", "libteec", "5.5", "8.0"]


def test_it_runs() -> None:
    if shutil.which("cc") is None or shutil.which("make") is None:
        pytest.skip("no C compiler: gcc is not installed")
    done = CliRunner().invoke(cli, ["native", "--rounds", "2", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["costs"]
    assert found["invoke"]["calls"] == found["floor"]["calls"] == 20
    # Of 20 calls the order is chance.
    assert all(found[name]["p50_us"] > 0 for name in ("object_write", "invoke", "up_call"))


def test_without_a_compiler_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.__main__ import run

    monkeypatch.setenv("PATH", "/nowhere")
    assert run(["native"]) == 4
