"""An engine that is not ours reads the timeline: Perfetto's takes every event, and arrows from frames to callbacks."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions
from tee_sim.normal import timeline
from tee_sim.normal.timeline_reader import read
from tests.serve.v2.client import Client
from tests.serve.v2.conftest import START_MS
from tests.serve.v2.perfetto import ask

ENGINE = os.environ.get("BIOGUARD_PERFETTO", "")

pytestmark = [
    pytest.mark.skipif(not ENGINE, reason="no Perfetto engine: BIOGUARD_PERFETTO is not set"),
    pytest.mark.skipif(shutil.which("node") is None, reason="no Perfetto engine: it runs in node, which is missing"),
]

PROBLEMS = "select name || ' ' || value from stats where value > 0 and severity != 'info'"
SLICES = """
select t.name || ': ' || s.name from slice s join thread_track k on s.track_id = k.id join thread t using (utid)
"""
ARROWS = """
select a.name || ' -> ' || b.name from flow f join slice a on f.slice_out = a.id join slice b on f.slice_in = b.id
"""
TIMES = (
    "select cast(c.value as int) || '' from counter c join track t on c.track_id = t.id where t.name like '%boot_ms'"
)


def test_every_event_and_every_arrow_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.json"
    monkeypatch.setenv(timeline.VARIABLE, str(path))
    options = DeviceOptions(seed="perfetto", clock=START_MS, release_grid_ms=0)
    with Device.init(tmp_path / "device", options) as device:
        client = Client(device)
        client.person(b"ann", 1)
        (session,) = client.ask("create_session", b"ann", 0)
        client.enroll(session, b"ann", person=1, position=2)
        client.ask("authenticate", session, 0, None)
        client.present(session, 1, 2, 5)
        client.ask("close", session)
    events = read(path.read_bytes())
    rows = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    problems, slices, arrows, times = ask(Path(ENGINE), path, [PROBLEMS, SLICES, ARROWS, TIMES])
    assert problems == []
    ours = Counter(f"{rows[e['pid'], e['tid']]}: {e['name']}" for e in events if e["ph"] in "BXi")
    assert Counter(slices) == ours
    assert Counter(arrows) == {
        "generate_challenge -> GENERATING_CHALLENGE": 1, "generate_challenge -> onChallengeGenerated": 1,
        "enroll -> ENROLLING": 1, "present -> onAcquired": 4, "present -> onEnrollmentProgress": 3,
        "authenticate -> AUTHENTICATING": 1, "present -> onAuthenticationSucceeded": 1, "close -> onSessionClosed": 1,
    }  # fmt: skip
    assert [int(ms) for ms in times] == [e["args"]["boot_ms"] for e in events if e["ph"] == "C"]
