"""One record of import options, and the same flags on every command that reads samples."""

import argparse
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from bench.__main__ import cli as bench_cli
from bench.import_options import add_import_options, import_options_of
from bioguard.cli.app import cli
from bioguard.cli.import_options import import_options
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, Trailing
from bioguard.formats.options import IMPORT_FLAGS

READERS = ("enroll", "authenticate", "identify", "match explain", "demo", "convert")
BENCH_READERS = ("scores", "accuracy", "calibrate", "rates", "protection", "realism")
BENCH_PROGRAMS = (
    "experiments.fingerprint_protection",
    "experiments.fingerprint_speed",
    "experiments.fingerprint_touches",
    "calibration.train_projection",
)
GIVEN = [
    ([], {}),
    (["--dpi", "500"], {"dpi": (500, 500)}),
    (["--dpi", "500,569.5"], {"dpi": (500, 569.5)}),
    (["--native-size", "640x480"], {"native_size_px": (640, 480)}),
    (["--native-size", "296,560@569"], {"native_size_px": (296, 560), "native_dpi": 569}),
    (["--xyt-m1", "--lenient"], {"xyt_m1": True, "lenient": True}),
    (["--trailing", "keep"], {"trailing": Trailing.KEEP}),
    (["--trailing", "refuse", "--dpi", "1000"], {"trailing": Trailing.REFUSE, "dpi": (1000, 1000)}),
]
WRONG = [
    ["--dpi", "0"],
    ["--dpi", "500x500"],
    ["--dpi", "nan"],
    ["--dpi", "1e3"],
    ["--dpi", "1,2,3"],
    ["--native-size", "640"],
    ["--native-size", "0x480"],
    ["--trailing", "drop"],
    ["--dpi", "500", "--native-size", "640x480"],
]


def _command(root: click.Group, path: str) -> click.Command:
    command: click.Command = root
    for name in path.split():
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None, path
        command = found
    return command


@pytest.mark.parametrize(
    "command",
    [_command(cli, name) for name in READERS] + [_command(bench_cli, name) for name in BENCH_READERS],
    ids=lambda c: c.name,
)
def test_every_command_that_reads_samples_has_every_flag(command: click.Command) -> None:
    names = {name for parameter in command.params for name in parameter.opts}
    assert {flag.name for flag in IMPORT_FLAGS} <= names


@pytest.mark.parametrize("program", BENCH_PROGRAMS)
def test_every_program_of_the_bench_that_reads_samples_has_every_flag(program: str) -> None:
    command = [sys.executable, "-m", f"bench.{program}", "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0
    assert [flag.name for flag in IMPORT_FLAGS if flag.name not in done.stdout] == []


@click.command()
@import_options
@click.pass_obj
def keep(seen: list[ImportOptions], options: ImportOptions) -> None:
    seen.append(options)


def _click(arguments: list[str]) -> ImportOptions:
    seen: list[ImportOptions] = []
    CliRunner().invoke(keep, arguments, obj=seen, catch_exceptions=False)
    return seen[0]


def _argparse(arguments: list[str]) -> ImportOptions:
    parser = argparse.ArgumentParser()
    add_import_options(parser)
    return import_options_of(parser, parser.parse_args(arguments))


@pytest.mark.parametrize(("arguments", "fields"), GIVEN)
def test_click_and_argparse_make_the_same_record(arguments: list[str], fields: dict[str, object]) -> None:
    expected = ImportOptions(**fields)
    assert _click(arguments) == expected
    assert _argparse(arguments) == expected


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_a_wrong_value_is_a_usage_error(arguments: list[str]) -> None:
    result = CliRunner().invoke(keep, arguments)
    assert result.exit_code == 2, result.output
    assert "--dpi" in result.output or "--native-size" in result.output or "--trailing" in result.output
    with pytest.raises(SystemExit) as caught:
        _argparse(arguments)
    assert caught.value.code == 2


def test_lenient_keeps_trailing_bytes_unless_told_otherwise() -> None:
    assert not ImportOptions().keeps_trailing
    assert ImportOptions(lenient=True).keeps_trailing
    assert ImportOptions(trailing=Trailing.KEEP).keeps_trailing
    assert not ImportOptions(lenient=True, trailing=Trailing.REFUSE).keeps_trailing
    assert ImportOptions(trailing="keep").keeps_trailing  # type: ignore[arg-type]  # as people write it in Python
    with pytest.raises(InputRefused, match="unknown import option"):
        ImportOptions(trailing="drop")  # type: ignore[arg-type]
