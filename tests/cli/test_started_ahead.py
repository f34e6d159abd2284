"""A command that starts a device has its secure world started early, and leaves nothing behind, however it ends."""

import inspect
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
import pytest

from bioguard.cli import __main__, command_line
from bioguard.cli.app import cli
from bioguard.cli.command_line import device_to_start, hoist_global_options, refuse_idle_options
from bioguard.device import Device, DeviceOptions, ahead
from bioguard.errors import WrongUsage
from bioguard.private_files import write_file
from tee_sim.normal import child
from tee_sim.normal.machine.fuse_file import FUSE_FILE

PROBE = """
import sys
from tee_sim.normal import child
kept, made = child.Child, []
class Seen(kept):
    def __init__(self, *of, **named):
        super().__init__(*of, **named)
        made.append(self)
child.Child = Seen
sys.argv = ["bioguard", *sys.argv[1:]]
from bioguard.cli.__main__ import main
try:
    main()
finally:
    if "tee_sim.normal.secure_process" in sys.modules:
        assert sys.modules["tee_sim.normal.secure_process"].Child is Seen
    print(len(made), sum(one.process.poll() is None for one in made), len(child._ahead))
"""
"""Prints how many processes were started for a secure world, and how many of them run at the end."""
SOMETIMES = {"fault set", "token verify"}
"""Commands that start a device for some of their arguments."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ahead")
    Device.init(folder / "phone").close()
    (folder / "broken").mkdir(mode=0o700)
    write_file(folder / "broken", FUSE_FILE, "no fuses")
    return folder


def play(home: Path, *line: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, *line], capture_output=True, text=True, check=False, cwd=home
    )
    return done.returncode, done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("line", "code", "processes"),
    [
        ("--device phone list", 0, "1 0 0"),
        ("--device phone list --nonsense", 2, "1 0 0"),
        ("--device phone authenticate nobody nowhere.iso", 4, "1 0 0"),
        ("--device phone list --help", 0, "0 0 0"),
        ("--device nowhere list", 6, "0 0 0"),
        ("--device broken list", 7, "1 0 0"),
        ("--device phone incident", 0, "0 0 0"),
        ("--device phone lits", 2, "0 0 0"),
    ],
)
def test_one_process_and_none_of_it_is_left(home: Path, line: str, code: int, processes: str) -> None:
    assert play(home, *line.split()) == (code, processes)


def test_a_device_in_use_leaves_none_either(home: Path) -> None:
    with Device.open(home / "phone"):
        assert play(home, "--device", "phone", "list") == (6, "1 0 0")


def test_one_that_is_interrupted_leaves_none_either(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: bytes) -> None:
        assert child._ahead
        raise KeyboardInterrupt

    monkeypatch.setattr(ahead, "tell_ahead", interrupted)
    with pytest.raises(KeyboardInterrupt), __main__._started_ahead(["--device", str(home / "phone"), "list"]):
        pass
    assert child._ahead == []


def _commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for word in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), word)
            assert below is not None
            yield from _commands(below, f"{name} {word}".strip())
    if name:
        yield name, command


def _source(command: click.Command) -> str:
    """Of a command and of the functions of its module that it calls."""
    called: Any = inspect.unwrap(command.callback) if command.callback else None
    helpers = (called.__globals__.get(name) for name in called.__code__.co_names)
    ours = (h for h in helpers if inspect.isfunction(h) and h.__module__ == called.__module__)
    return "".join(map(inspect.getsource, (called, *ours)))


def test_the_tables_are_what_the_commands_do() -> None:
    """One that starts no device would start a process for nothing; one that is left out would wait for it."""
    commands = dict(_commands(cli))
    named = command_line._STARTS_ONE | command_line._NO_DEVICE
    assert not (named | command_line.WITHOUT_CACHES) - commands.keys()
    assert command_line._STARTS_ONE.isdisjoint(command_line._NO_DEVICE)
    for name, command in commands.items():
        if isinstance(command, click.Group) or name in SOMETIMES:
            continue
        words, source = command_line._command(name.split()), _source(command)
        assert ("state.device(" in source) is not command_line._STARTS_ONE.isdisjoint(words), name
        assert ("caches=False" in source) is not command_line.WITHOUT_CACHES.isdisjoint(words), name


@pytest.mark.parametrize(("line", "refused"), [("policy", True), ("policy set", False), ("list", False)])
def test_a_seed_is_refused_where_no_device_is_started(line: str, *, refused: bool) -> None:
    arguments = hoist_global_options([*line.split(), "--seed", "7"])
    with pytest.raises(WrongUsage, match="starts no device") if refused else nullcontext():
        refuse_idle_options(arguments)


def test_the_device_is_the_one_that_the_command_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    (here / FUSE_FILE).touch()
    monkeypatch.setenv("BIOGUARD_DEVICE", str(there))
    for line, starts in {
        f"list --device {here}": here,
        f"list --device={here}": here,
        f"--device {there} --device {here} log show --json": here,
        f"--device {here} --device {there} list": None,
        "list": None,
        f"--device {here} log verify x": None,
        f"--device {here} log": None,
        f"--device {here}": None,
        "--device": None,
    }.items():
        assert device_to_start(hoist_global_options(line.split())) == starts, line
    monkeypatch.setenv("BIOGUARD_DEVICE", str(here))
    assert device_to_start(["list"]) == here
    monkeypatch.delenv("BIOGUARD_DEVICE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "bioguard").symlink_to(here)
    assert device_to_start(["list"]) == tmp_path / "bioguard"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(Path, "home", _no_home)
    assert device_to_start(["list"]) is None
    assert __main__.run(["list"]) == 2, "the command says so"


def _no_home() -> Path:
    raise RuntimeError


@pytest.mark.parametrize("caches", [True, False])
def test_it_is_told_what_a_device_tells(home: Path, monkeypatch: pytest.MonkeyPatch, *, caches: bool) -> None:
    """Else it would be started for nothing, and another one after it."""
    given: list[object] = []
    take = child.take_ahead

    def taken_of(*of: object, **more: object) -> object:
        given.append(take(*of, **more))  # type: ignore[arg-type]
        return given[-1]

    monkeypatch.setattr("tee_sim.normal.secure_process.take_ahead", taken_of)
    ahead.start(home / "phone", caches=caches)
    try:
        with Device.open(home / "phone", DeviceOptions(caches=caches)) as device:
            (taken,) = given
            assert isinstance(taken, child.Child)
            assert taken.told != b""
            assert device.running.process.pid == taken.process.pid
    finally:
        ahead.discard()
