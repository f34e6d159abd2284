"""`python -m bench serve`: it runs, and its figures are those of what was timed."""

import json

import pytest
from click.testing import CliRunner

from bench.__main__ import cli
from bench.serving import AHEAD, CALLS_PER_ROUND, _beside, lines


def test_what_a_call_takes_over_the_other_is_that_of_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    took = iter([[1.0] * 10, [3.0] * 10, [50.0] * 10, [58.0] * 10, [2.0] * 10, [5.0] * 10])
    monkeypatch.setattr("bench.serving._timed_us", lambda _call: next(took))
    found = _beside(lambda: None, lambda: None, 3)
    assert found["over_us"] == 3.0  # of 2, 8 and 3
    assert (found["facade"]["p50_us"], found["pipe"]["p50_us"], found["pipe"]["calls"]) == (2.0, 5.0, 30)
    said = lines({"calls": {"users": found}, "events_per_s": {"alone": 1234.5}})
    assert said[1].split() == ["users", "2", "5", "3"]
    assert said[2] == "events a second, alone: 1234"


def test_it_runs() -> None:
    done = CliRunner().invoke(cli, ["serve", "--rounds", "2", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["costs"]
    assert list(found["calls"]) == ["lock_status", "users"]
    assert all(one["pipe"]["calls"] == 2 * CALLS_PER_ROUND for one in found["calls"].values())
    assert found["calls"]["users"]["over_us"] > 0
    assert all(rate > AHEAD for rate in found["events_per_s"].values())
