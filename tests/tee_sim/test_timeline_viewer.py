"""A viewer that is not ours opens the timeline: speedscope, in a browser, finds its rows and no others."""

import base64
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from counter.commands import ADD, COUNTER_UUID, Add

from tee_sim.normal import timeline, timeline_reader
from tee_sim.normal.client import Context
from tee_sim.normal.supplicant import Supplicant
from tee_sim.testing.in_process import InProcessTee
from tests.tee_sim.locked.conftest import COUNTER, counter
from tests.tee_sim.test_timeline import KILLED

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
PAGE = os.environ.get("BIOGUARD_TIMELINE_VIEWER", "")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--virtual-time-budget=10000",
]  # fmt: skip

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="chromium is not on this host"),
    pytest.mark.skipif(not PAGE, reason="no timeline viewer: BIOGUARD_TIMELINE_VIEWER is not set"),
]


def rows_in_viewer(path: Path) -> set[str]:
    """The rows that the viewer offers for a file."""
    script = path.with_name("load.js")
    data = base64.b64encode(path.read_bytes()).decode()
    script.write_text(f"speedscope.loadFileFromBase64('timeline.json', {json.dumps(data)})", "utf-8")
    url = f"{Path(PAGE).absolute().as_uri()}#localProfilePath={script}"
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={path.with_name('profile')}", "--dump-dom", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    shown = html.unescape(re.sub(r"<style.*?</style>", "", done.stdout, flags=re.DOTALL))
    return set(re.findall(r"\(pid \d+\), ([^<>\"]+?) \(tid \d+\)", shown))


def rows_in_file(path: Path) -> set[str]:
    """The rows with something that takes time: the viewer shows no others."""
    found = timeline_reader.read(path.read_bytes())
    named = {(e["pid"], e["tid"]): e["args"]["name"] for e in found if e["name"] == "thread_name"}  # type: ignore[index]
    return {str(named[e["pid"], e["tid"]]) for e in found if e["ph"] in "BX"}


def test_every_row_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "timeline.json"
    monkeypatch.setenv(timeline.VARIABLE, str(path))
    supplicant = Supplicant(tmp_path)
    context = Context(InProcessTee([counter()], supplicant))
    with context.open_session(COUNTER_UUID) as session:
        session.call(ADD, Add(step=1))
    context.advance_clock(1000)
    supplicant.close()
    assert rows_in_viewer(path) == rows_in_file(path) == {"TA counter", "disk", "RPMB", "secure world"}


def test_the_file_of_a_killed_command_opens(tmp_path: Path) -> None:
    path = tmp_path / "timeline.json"
    environment = os.environ | {timeline.VARIABLE: str(path), "PYTHONPATH": str(COUNTER)}
    line = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(line, cwd=Path(__file__).parents[2], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert rows_in_viewer(path) == rows_in_file(path)
