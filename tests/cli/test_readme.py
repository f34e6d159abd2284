"""The README's five minutes by hand work exactly as printed."""

import os
import pty
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from bioguard.device import Device
from bioguard.device.consent import grant_all
from bioguard.formats import write_iso2005
from bioguard.simulate.people import finger_impressions

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PIN = "2468\n"


PROMPT = re.compile(r"(?:PIN|confirmation)[^\n]*: ")


def steps() -> list[tuple[str, str]]:
    """Every command of the five minutes, and its comment."""
    block = re.search(r"## Five minutes by hand\n\n```\n(.*?)```", README, re.DOTALL)
    assert block
    lines = [line[2:].partition("  #") for line in block[1].splitlines() if line.startswith("$ ")]
    return [(command.rstrip(), comment) for command, _, comment in lines]


def decision() -> str:
    """What the README says that the first decision prints."""
    block = re.search(r"The answer comes first[^\n]*\n\n```\n(.*?)```", README, re.DOTALL)
    assert block
    return block[1]


def at_a_terminal(command: str, directory: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a command on a terminal of its own, answering every prompt for a PIN."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(directory)
        os.execve("/bin/bash", ["bash", "-c", command], environment)
    seen, answered = b"", 0
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
        prompts = len(PROMPT.findall(seen.decode("utf-8", "replace")))
        while answered < prompts:
            os.write(terminal, PIN.encode())
            answered += 1
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), seen.decode("utf-8", "replace").replace("\r\n", "\n")


def test_golden_path_of_the_readme(tmp_path: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    said, exports = "", ""
    for step, comment in steps():
        if step.startswith("export "):
            exports = step + "; "
            continue
        code, output = at_a_terminal(exports + step, tmp_path, environment)
        assert code == 0, (step, output)
        assert bool(PROMPT.search(output)) == ("asks for the PIN" in comment), step
        said += output
    shown = decision().splitlines()
    assert (shown[0], shown[-1], len(shown)) == ("match: alice", "unlocked", 3)
    for words in (
        decision(),
        "rejected",
        "verified",
        "erased record",
        "right-index",
        "receipt written to",
        "storage.db is that store",
    ):
        assert words in said, (words, said)


def test_the_dependencies_are_those_of_the_package() -> None:
    section = README.partition("## Dependencies\n\n")[2].partition(";")[0]
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in declared]
    assert section.split(", ") == names


def test_every_folder_of_tests_is_a_room_or_named() -> None:
    rooms = {p.name for p in (ROOT / "src/bioguard").iterdir()} | {"bench", "tee_sim"}
    named = re.findall(r"(\w+)/", README.partition("\ntests/  ")[2].partition("\ndocs/  ")[0])
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and not p.name.startswith(("_", "."))}
    assert sorted(folders - rooms) == sorted(named)


def test_the_python_snippet_runs(tmp_path: Path) -> None:
    touches = finger_impressions(1, person=0, count=4)
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "alice-touch4.iso").write_bytes(write_iso2005(touches[3]))
    with Device.init(tmp_path / "phone", require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", touches[:3], finger="right-index")
    snippet = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert snippet
    done = subprocess.run([sys.executable, "-c", snippet[1]], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
