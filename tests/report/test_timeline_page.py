"""A timeline as a page: every event in words, nothing else let in, keys that move, 10 000 events in a browser."""

import base64
import hashlib
import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bioguard.cli.__main__ import run
from bioguard.exit_codes import ExitCode
from bioguard.report.timeline_page import render_timeline
from tee_sim.normal.timeline_reader import arrows, read, timed_lines
from tests.report.test_browser import BROWSER, FLAGS

PID = 7
ROWS = {"caller": 1, "session fingerprint 0": 2, "TA biometric": 3, "disk": 4, "simulated time": 5}
CATEGORIES = {1: "caller", 2: "session", 3: "command", 4: "storage", 5: "time"}


def event(ph: str, ts: int, tid: int, name: str, **more: Any) -> dict[str, Any]:
    args = more.pop("args", {})
    return {"name": name, "ph": ph, "ts": ts, "cat": CATEGORIES[tid], "pid": PID, "tid": tid, "args": args, **more}


def frame(at: int, number: int) -> list[dict[str, Any]]:
    """A frame with what it leads to: 12 lines, 40 microseconds."""
    return [
        event("B", at, 1, "present", args={"frame": number}, bind_id=number, flow_out=True),
        event("X", at + 1, 2, "onAcquired", dur=0, args={"info": "GOOD"}, bind_id=number, flow_in=True),
        event("B", at + 2, 3, "authenticate"),
        event("X", at + 3, 4, "COMMIT", dur=20, args={"names": "6f" + "ab" * 32}),
        event("E", at + 30, 3, "authenticate", args={"result": "SUCCESS" if number % 50 else "GENERIC"}),
        event("C", at + 31, 5, "simulated time", args={"boot_ms": number * 10, "wall_ms": 10**12}),
        event("X", at + 32, 2, "onAuthenticationFailed", dur=0),
        event("E", at + 39, 1, "present", args={"result": "OK"}),
    ]


def written(path: Path, frames: int) -> Path:
    """A timeline of so many frames in one session."""
    meta = [
        {"name": "thread_name", "ph": "M", "ts": 0, "cat": "__metadata", "pid": PID, "tid": tid, "args": {"name": name}}
        for name, tid in ROWS.items()
    ]
    session = [event("B", 0, 2, "session"), event("B", 1, 2, "AUTHENTICATING", args={"operation": 1})]
    events = meta + session + [e for number in range(1, frames + 1) for e in frame(number * 100, number)]
    path.write_text("[\n" + "".join(json.dumps(e) + ",\n" for e in events))
    return path


def page(path: Path) -> str:
    events = read(path.read_bytes())
    return render_timeline(timed_lines(events), arrows(events), name=path.name, left_out_bytes=0)


def test_every_event_stands_there_in_words_and_in_its_lane(tmp_path: Path) -> None:
    text = page(written(tmp_path / "t.json", 2))
    rows = [html.unescape(re.sub(r"<[^>]+>", "|", row)) for row in re.findall(r"<li .*?</li>", text)]
    assert len(rows) == 2 + 2 * 6
    words = [[part.strip() for part in row.split("|") if part.strip()] for row in rows]
    assert words[:6] == [
        ["0.000", "session fingerprint 0", "session"],
        ["0.001", "session fingerprint 0", "AUTHENTICATING", "operation=1"],
        ["0.100", "0.039", "caller", "present", "frame=1 result=OK"],
        ["0.101", "session fingerprint 0", "onAcquired", "info=GOOD"],
        ["0.102", "0.028", "TA biometric", "authenticate", "result=SUCCESS"],
        ["0.103", "0.020", "disk", "COMMIT", "names=6fababababab…"],
    ]
    lanes = re.findall(r'<span class="chip \w+">(.*?)</span>', text)
    assert lanes == ["caller", "session fingerprint 0", "simulated time", "TA biometric", "disk"]
    assert 'data-arrows="101,0,1;201,0,1"' in text
    assert re.findall(r'data-l="(\d)" data-y="(\d)"', text)[:4] == [("1", "0"), ("1", "1"), ("0", "0"), ("1", "2")]


def test_only_its_own_style_and_script_are_let_in(tmp_path: Path) -> None:
    text = page(written(tmp_path / "t.json", 1))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    hashes = {
        kind: base64.b64encode(hashlib.sha256(found.encode()).digest()).decode()
        for kind, found in re.findall(r"<(style|script)>(.*?)</(?:style|script)>", text, re.DOTALL)
    }
    assert html.unescape(policy[1]).split("; ") == [
        "default-src 'none'", f"style-src 'sha256-{hashes['style']}'", f"script-src 'sha256-{hashes['script']}'",
        "base-uri 'none'", "form-action 'none'",
    ]  # fmt: skip
    assert not re.search(r'\s(style|on\w+|src)="', text)
    assert not re.findall(r'href="(?!#)', text)


def test_a_hostile_file_stays_text(tmp_path: Path) -> None:
    odd = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\u202e'
    events = [{**event("i", 0, 1, odd, s="t", args={odd: odd, "result": odd}), "cat": odd}]
    text = render_timeline(timed_lines(events), [], name=odd, left_out_bytes=3)
    assert text.count("<script>") == 1
    assert "<img" not in text
    assert "\u202e" not in text
    assert "3 bytes are left out" in text


def test_a_file_that_says_that_everything_is_open_at_once_has_bounds() -> None:
    """Beginnings without an end, in one row: what is counted and drawn of each does not grow with their number."""
    events = [event("B", at, 1, "x") for at in range(2000)]
    lines = timed_lines(events)
    text = render_timeline(lines, [], name="t", left_out_bytes=0)
    assert max(line.depth for line in lines) == 65
    assert text.count('data-y="31"') == 2000 - 32
    assert 'data-y="32"' not in text


def test_the_command_writes_it_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "t.json", 1)
    assert run(["trace", "html", "t.json", "--out", "t.html"]) == 0
    assert capsys.readouterr().out == "drew 8 events in t.html\n"
    assert Path("t.html").read_text("utf-8") == page(Path("t.json"))
    assert Path("t.html").stat().st_mode & 0o777 == 0o600
    before = Path("t.json").read_bytes()
    assert run(["trace", "html", "t.json", "--out", "t.json"]) == ExitCode.USAGE
    assert Path("t.json").read_bytes() == before


PROBE = """<script>
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
const said = [], at = () => document.activeElement.dataset.i;
const slices = () => document.querySelectorAll("#drawing .slice, #drawing .mark").length;
for (const key of KEYS) { press(key); said.push(at()); }
requestAnimationFrame(() => setTimeout(() => {
  const drawn = slices(), labels = [...document.querySelectorAll("#drawing text")].map((t) => t.textContent);
  const [row, top] = [document.activeElement, document.getElementById("panel")].map((e) => e.getBoundingClientRect());
  document.title = [said.join(","), row.top >= top.bottom - 1 && row.bottom <= innerHeight, drawn > 0 && drawn < 9000,
    labels.includes(LABEL), document.documentElement.scrollWidth <= innerWidth,
    performance.getEntriesByType("resource").length, getComputedStyle(document.body).backgroundColor].join("|");
}, 50));
</script></body>"""


def in_browser(text: str, folder: Path, width: int = 1280, scheme: str = "light") -> str:
    """The document as a browser leaves it."""
    path = folder / "page.html"
    path.write_text(text, "utf-8")
    command = [
        str(BROWSER), *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900",
        f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.skipif(BROWSER is None, reason="chromium is not on this host")
@pytest.mark.parametrize(
    ("frames", "width", "scheme", "background"),
    [(20, 390, "dark", "rgb(20, 23, 27)"), (1700, 1280, "light", "rgb(255, 255, 255)")],
)
def test_keys_move_through_the_events_of_a_page_that_fits(
    tmp_path: Path, frames: int, width: int, scheme: str, background: str
) -> None:
    text = page(written(tmp_path / "t.json", frames))
    keys = [
        "ArrowDown",
        "ArrowDown",
        "ArrowDown",
        "ArrowRight",
        "ArrowLeft",
        "ArrowUp",
        "End",
        "Home",
        "ArrowDown",
        "n",
    ]
    last, failure = 1 + 6 * frames, 2 + 6 * 49 + 2
    wanted = [0, 1, 2, 8, 2, 1, last, 0, 1, failure if frames >= 50 else 1]
    label = "authenticate" if frames >= 50 else "AUTHENTICATING"
    probe = PROBE.replace("KEYS", json.dumps([*keys, "f", "-", "-"])).replace("LABEL", json.dumps(label))
    probed = re.sub(r"<meta http-equiv=.Content-Security-Policy.[^>]*>", "", text).replace("</body>", probe)
    title = re.search(r"<title>(.*?)</title>", in_browser(probed, tmp_path, width, scheme))
    assert title is not None
    moved, *rest = title[1].split("|")
    assert [int(n) for n in moved.split(",")] == [*wanted, *[wanted[-1]] * 3]
    assert rest == ["true", "true", "true", "true", "0", background]


@pytest.mark.skipif(BROWSER is None, reason="chromium is not on this host")
def test_the_script_runs_under_the_policy_of_the_page_and_another_does_not(tmp_path: Path) -> None:
    text = page(written(tmp_path / "t.json", 2))
    shown = in_browser(text.replace("</body>", "<script>document.title = 'another'</script></body>"), tmp_path)
    assert "<title>Timeline t.json</title>" in shown
    assert re.search(r'<rect [^>]*class="slice caller', shown)
    assert in_browser(text.replace('"use strict";', '"use strict"; '), tmp_path).count('class="slice') == 0
