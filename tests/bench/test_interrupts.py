"""Ctrl-C ends every command with 130 and a word on what was kept; files that cannot be used never in a traceback."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from bench import __main__ as bench
from bench.commands.all import COMMANDS
from bench.interrupts import AGAIN, KEPT, NOTHING, exit_of
from bench.single_thread import VARIABLES
from bioguard.errors import InputRefused

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(COMMANDS))
@pytest.mark.parametrize("raised", [KeyboardInterrupt, click.Abort])
def test_every_command_is_interrupted_alike(
    name: str, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = bench.cli.get_command(click.Context(bench.cli), name)
    assert command is not None

    def stopped(context: click.Context) -> None:
        raise raised

    monkeypatch.setattr(command, "invoke", stopped)
    monkeypatch.setattr(command, "make_context", lambda *args, **options: click.Context(command))
    assert bench.run([name]) == 130
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-2:] == ["bench: error[interrupted]: interrupted", f"hint: {KEPT.get(name, NOTHING)}"]
    assert said[-1].startswith(f"hint: {AGAIN}")


def test_what_is_said_to_be_kept_is_of_commands_there_are() -> None:
    assert set(KEPT) <= set(COMMANDS)


@pytest.mark.parametrize(
    "line",
    [["campaign", "--people", "30000", "--threads", "1"], ["speed", "--largest", "1000", "--no-device"]],
    ids=lambda line: line[0],
)
@pytest.mark.parametrize("begun", [False, True], ids=["loading", "at work"])
def test_a_process_is_interrupted(line: list[str], begun: bool, tmp_path: Path) -> None:
    """`speed` works in a process of its own, which is told."""
    environment = {"PATH": "/usr/bin", **({} if line[0] == "speed" else dict.fromkeys(VARIABLES, "1"))}
    out = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-m", "bench", *line, "--out", str(out)], cwd=ROOT, env=environment, text=True,
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        waited = time.monotonic() + 60
        while begun and line[0] == "campaign" and not list(out.glob("*.npz")) and time.monotonic() < waited:
            time.sleep(0.05)
        time.sleep(2.5 if begun and line[0] == "speed" else 0.5)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert f"hint: {AGAIN}" in said
    begun = begun or "nothing had begun" not in said  # half a second may be enough to begin in
    assert (KEPT["campaign"] in said) == (begun and line[0] == "campaign")


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt(), 130), (InputRefused("no", hint="so"), 4)])
def test_programs_beside_the_commands_end_like_them(
    raised: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> int:
        raise raised

    assert exit_of(main) == code
    assert capsys.readouterr().err.splitlines()[-1].startswith("hint: ")
    assert exit_of(lambda: 3) == 3


def test_the_oracle_is_interrupted() -> None:
    line = [sys.executable, "-m", "bench.oracle", "--calls", "1000000"]
    with subprocess.Popen(line, cwd=ROOT, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()  # it works from here on
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
    assert (process.returncode, said.splitlines()[-2:]) == (
        130, ["bench: error[interrupted]: interrupted", f"hint: {NOTHING}"],
    )  # fmt: skip


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.csv").write_text("label,score\n1,2\n0,1\n", "utf-8")
    (tmp_path / "file").write_text("", "utf-8")
    out = tmp_path / "file" / "out"
    assert bench.run(["accuracy", "--scores", str(tmp_path / "s.csv"), "--out", str(out)]) == 4
    assert f"bench: error[input.unusable]: {out}: Not a directory" in capsys.readouterr().err
