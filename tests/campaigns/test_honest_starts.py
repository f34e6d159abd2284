"""A short form of `python -m tests.campaigns.honest_starts`: the attempts on states, from the starts that once lied."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.campaigns import honest_starts
from tests.campaigns.honest_starts import STARTS, Run

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the battery is Linux only"),
    pytest.mark.alone("egress"),
]

STATEFUL = """
import json
from bioguard.evidence import escape_battery
names = ["nice_value", "setpriority_victim", "affinity", "affinity_victim", "sched_policy", "io_priority",
         "umask_visible", "oom_score_adj", "prlimit_victim", "rlimit_self", "signal_victim", "udp4_lo"]
report = escape_battery.run(("0", "HS", "ALL"), names=names)
print(json.dumps([report.unexpected("HS"), report.unexpected("ALL"), report.escaped("0"), report.proving_nothing()]))
"""
HIDDEN = {
    "nicest": {"nice_value", "setpriority_victim"},
    "idle": {"sched_policy"},
    "cpuset": {"affinity", "affinity_victim"},
    "first-to-go": {"oom_score_adj"},
}


@pytest.mark.parametrize("start", STARTS)
def test_no_start_makes_an_escape(start: str) -> None:
    if not honest_starts.possible(start):
        pytest.skip("this host cannot start a command so")
    done = honest_starts.started(start, sys.executable, "-c", STATEFUL)
    hygiene, everything, without, nothing = json.loads(done.stdout)
    assert (hygiene, everything) == ([], [])
    assert set(nothing) == HIDDEN.get(start, set()) - set(without)
    assert len(without) + len(nothing) == 12, "each works without a lock, or says that it proves nothing"


def test_a_false_alarm_is_told_and_what_was_played_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[str] = []

    def once(start: str, number: int) -> Run:
        played.append(start)
        alarms = ("nice_value got out at ALL",) if start == "nice" else ()
        return Run(start=start, kind="battery", number=number, exit_code=3, alarms=alarms, nothing=())

    monkeypatch.setattr(honest_starts, "battery", once)
    monkeypatch.setattr(honest_starts, "possible", lambda start: True)
    words = ["--runs", "1", "--no-audit", "--out", str(tmp_path / "runs"), "--only", "plain"]
    assert honest_starts.main(words) == 0
    assert honest_starts.main([*words, "--only", "nice"]) == 3
    assert played == ["plain", "nice"]


def test_no_answer_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = subprocess.CompletedProcess([], 1, "", "Traceback\nOSError: none")
    monkeypatch.setattr(honest_starts, "_bioguard", lambda *words: silent)
    assert honest_starts.battery("plain", 0).alarms == ("no answer, status 1: OSError: none",)
    assert honest_starts.audit("plain").alarms == ("no answer, status 1: OSError: none",)
