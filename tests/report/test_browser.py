"""The page in a real browser, where one is installed: nothing overflows, nothing is requested, both color schemes."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bioguard.report import Report, render

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--virtual-time-budget=2000",
]  # fmt: skip
PROBE = """<script>
const wide = [...document.querySelectorAll("body *")].filter(
  e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .skip, thead"));
document.title = [document.documentElement.scrollWidth <= innerWidth, wide.length,
  performance.getEntriesByType("resource").length, getComputedStyle(document.body).backgroundColor].join("|");
</script></body>"""


@pytest.mark.skipif(BROWSER is None, reason="chromium is not on this host")
@pytest.mark.parametrize(("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 27)")])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_and_asks_for_nothing(
    report: Report, tmp_path: Path, scheme: str, background: str, width: int
) -> None:
    text = render(report, "html")
    probed = re.sub(r"<meta http-equiv=.Content-Security-Policy.[^>]*>", "", text).replace("</body>", PROBE)
    page = tmp_path / "report.html"
    page.write_text(probed, "utf-8")
    command = [
        str(BROWSER), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900",
        f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title is not None
    assert title[1] == f"true|0|0|{background}"
