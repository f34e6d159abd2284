"""Every example of every --help is a line that works: run in a sandbox, or parsed where running takes too long.

A new example is found by itself. If it needs a file or a state that is not there, add it to `scene`.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest

from bench.__main__ import cli as bench_cli
from bioguard.cli.__main__ import run
from bioguard.cli.app import cli
from bioguard.cli.command_line import GLOBAL_OPTIONS, hoist_global_options
from bioguard.device import Device, DeviceOptions, parse_clock
from bioguard.device.consent import grant_all, signed_log
from bioguard.device.pins import enrollment_token, set_pin
from bioguard.device.receipts import erasure_receipt
from bioguard.formats import write_iso2005
from bioguard.records.audit_events import Event
from bioguard.records.modality import Modality
from bioguard.report.png import write_png
from bioguard.simulate.people import face_views, finger_impressions
from tests.cli.test_readme import at_a_terminal
from tests.unlocked import unlocked_devices

ROOTS = {"bioguard": cli, "python -m bench": bench_cli}
TOO_LONG = (
    "demo", "attack", "audit run", "audit egress", "audit leaks", "audit verify", "audit reference", "capture",
    "device init --device ./phone --sensor", "device init --device ./phone --scenario",
    "enroll alice --finger right-index a1.png", "authenticate alice touch.png",
)  # fmt: skip
"""Commands whose examples are parsed; they have tests of their own. So are all of the bench."""
AT_A_TERMINAL = ("pin set alice",)
"""Examples that ask."""
DEVICES = {
    "unenrolled": ("enroll", "consent grant", "pin set"),
    "with a PIN": ("authenticate", "token verify"),
    "nothing yet": ("device init",),
    "stepped": ("clock",),
}
"""What the device is like before an example of these commands; elsewhere alice has enrolled without a PIN."""


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            if not child.hidden:
                yield from commands(child, f"{path} {name}")


def examples() -> dict[str, str]:
    """Line and the command whose help has it."""
    found: dict[str, str] = {}
    for root, group in ROOTS.items():
        for path, command in commands(group, root):
            lines = [line.strip() for line in (command.help or "").splitlines()]
            found |= {line: path for line in lines if line.startswith(root) or f"| {root}" in line}
    return found


EXAMPLES = examples()


def test_examples_are_found() -> None:
    assert len(EXAMPLES) > 40
    assert EXAMPLES["echo 4711 | bioguard pin set alice --pin-file -"] == "bioguard pin set"
    with_examples = set(EXAMPLES.values())
    assert {"bioguard enroll", "bioguard fault set", "bioguard log verify", "python -m bench accuracy"} <= with_examples


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Files and devices under the names that examples use, and what stands for words such as VKEY."""
    scene = tmp_path_factory.mktemp("examples")
    touches, faces = finger_impressions(1, person=0, count=5), face_views(1, person=0, count=4)
    named = dict(zip(("a1", "a2", "a3", "a4", "probe"), touches, strict=True))
    named |= {"a": touches[0], "b": touches[1], "finger": touches[0], "old": touches[1]}
    for name, touch in named.items():
        (scene / f"{name}.iso").write_bytes(write_iso2005(touch))
    for name in ("a", "b"):
        (scene / f"{name}.png").write_bytes(write_png(np.full((400, 300), 200, np.uint8), 500))
    (scene / "card.bin").write_bytes(write_iso2005(touches[:2]))
    for name, face in zip(("left", "front", "right", "probe"), faces, strict=True):
        np.save(scene / f"{name}.npy", face.vector)
    np.savez(scene / "faces.npz", embeddings=np.stack([f.vector for f in faces]), labels=np.zeros(4))
    (scene / "pin.txt").write_text("2468\n")
    (scene / "k.bin").write_bytes(bytes(range(32)))
    (scene / "phone.json").write_text("[\n")
    shutil.copytree(Path(__file__).parents[2] / "docs/examples/scenarios", scene / "docs/examples/scenarios")
    shutil.copy(scene / "docs/examples/scenarios/two-sensors.toml", scene / "phone.toml")
    for name in (
        "backup.tar",
        "keys.json",
        "other.csv",
        "other.npz",
        "acme.profile",
        "bench/baselines/KIND/accuracy.json",
    ):
        (scene / name).parent.mkdir(parents=True, exist_ok=True)
        (scene / name).write_text("{}")
    for name in ("evidence", "out/accuracy", "shared/data/fingerprints", "data/prints", "data/pictures", "door-7"):
        (scene / name).mkdir(parents=True)
    words = {}
    with Device.init(scene / "unenrolled", require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
    Device.init(scene / "stepped", DeviceOptions(clock=parse_clock("fixed:2026-01-31T12:00:00Z"))).close()
    with Device.init(scene / "with a PIN") as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        set_pin(device, "alice", b"2468")
        token = enrollment_token(device, "alice", Modality.FINGERPRINT, b"2468")
        device.enroll("alice", touches[:3], finger="right-index", token=token)
    with Device.init(scene / "enrolled", require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        (scene / "checkpoint.txt").write_text(signed_log(device).checkpoint)
        gone = device.enroll("alice", finger_impressions(1, person=1, count=3), finger="left-thumb").record_id
        device.enroll("alice", faces[:3])
        words["6f0c..."] = device.enroll("alice", touches[:3], finger="right-index").record_id
        device.authenticate("alice", touches[4])
        (scene / "receipt.json").write_text(erasure_receipt(device, [device.erase("alice", gone)]).to_text())
        shutil.copy(scene / "enrolled" / "storage.db", scene / "copy-of-storage.db")
        log = signed_log(device)
        (scene / "log.json").write_text(log.to_text())
        words["VKEY"] = log.key.vkey
        decided = [i.entry.sequence for i in log.items if i.entry and i.entry.event is Event.DECIDED]
        words["42"] = str(decided[-1])
    return scene, words


def _below(path: str, names: tuple[str, ...]) -> bool:
    return any(f"{path} ".startswith(f"bioguard {name} ") for name in names)


def _device(line: str, path: str) -> str:
    """What the line itself does decides; in a pipe, the command that shows it."""
    kinds = [kind for text in (line, path) for kind, names in DEVICES.items() if _below(text, names)]
    return kinds[0] if kinds else "enrolled"


def _parse(words: list[str]) -> None:
    """Follow the words to their command and let it parse the rest; nothing is run."""
    root = "python -m bench" if words[0] == "python" else "bioguard"
    command, rest = ROOTS[root], words[len(root.split()) :]
    rest = hoist_global_options(rest) if root == "bioguard" else rest
    while rest[0] in GLOBAL_OPTIONS:
        rest = rest[1 + GLOBAL_OPTIONS[rest[0]] :]
    while isinstance(command, click.Group):
        child = command.get_command(click.Context(command), rest[0])
        assert child is not None, rest
        command, rest = child, rest[1:]
    command.make_context(words[0], rest)


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_works(
    scene: tuple[Path, dict[str, str]],
    tmp_path: Path,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, words = scene
    here = Path(shutil.copytree(folder, tmp_path / "scene" / "here"))
    (tmp_path / "scene" / "shared").symlink_to(here / "shared")
    monkeypatch.chdir(here)
    path = EXAMPLES[line]
    monkeypatch.setenv("BIOGUARD_DEVICE", str(here / _device(line, path)))
    # In one pass: one key in thirty holds the number that stands for an entry of the log.
    line = re.sub("|".join(map(re.escape, words)), lambda word: words[word[0]], line)
    if "--receipt receipt.json" in line:
        (here / "receipt.json").unlink()
    if path.startswith("python") or _below(path, TOO_LONG) or _below(line, TOO_LONG):
        _parse(shlex.split(line))
        return
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    if line.removeprefix("bioguard ") in AT_A_TERMINAL:
        code, said = at_a_terminal(line, here, environment)
        assert code == 0, said
    elif any(sign in line for sign in ("|", "&&", "$(")):
        shell = ["bash", "-o", "pipefail", "-c", line]
        done = subprocess.run(shell, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    else:
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
        with unlocked_devices():
            code = run(shlex.split(line)[1:])
        assert code == 0, capsys.readouterr().err


def test_an_example_that_is_wrong_is_found(scene: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The example that stood in the help of `fault set`, and two that do not parse."""
    monkeypatch.setenv("BIOGUARD_DEVICE", str(scene[0] / "enrolled"))
    assert run(["fault", "set", "storage=full", "storage_after=2"]) == 4
    with pytest.raises(click.UsageError):
        _parse(shlex.split("bioguard audit run --out evidence --seal"))
    with pytest.raises(click.UsageError):
        _parse(shlex.split("python -m bench accuracy --scores nowhere.csv --out out"))
