"""What a command loads, of our own packages and of others: waiting begins with imports."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from bench.__main__ import cli as bench_cli
from bioguard.cli.app import COMMANDS, cli
from bioguard.device import ahead
from bioguard.match.kernels import ENVIRONMENT_VARIABLE
from tee_sim.cli.main import cli as tee_sim_cli
from tee_sim.lazy_group import LazyGroup

OUTSIDE = {
    "cbor2", "confusable_homoglyphs", "cryptography", "ctypes", "difflib", "jinja2", "nacl", "numpy", "sqlite3",
    "subprocess",
}  # fmt: skip
"""What costs most, and what only some commands need. All else outside is click and the standard library."""
FRAME = {
    "bioguard", "bioguard.cli", "bioguard.errors", "bioguard.exit_codes", "bioguard.printable", "bioguard.text",
    "tee_sim", "tee_sim.normal", "tee_sim.normal.machine", "tee_sim.normal.sandbox_verdict", "tee_sim.shared",
}  # fmt: skip
"""Of ours, for every command: each module by the folder above it."""
TOKEN = FRAME | {"bioguard.records", "bioguard.user_files"}
VERIFIER = TOKEN | {"bioguard.evidence", "bioguard.json_text", "bioguard.log", "bioguard.proofs", "bioguard.report"}
LOADED: dict[str, tuple[set[str], set[str], set[str]]] = {
    "--help": (FRAME, set(), {"bioguard.cli.match", "tee_sim.shared.schema"}),
    "--version": (FRAME, set(), set()),
    "token --help": (FRAME, set(), {"bioguard.cli.token_files"}),
    "token show token.bin": (TOKEN, set(), {"tee_sim.shared.schema", "bioguard.records.features"}),
    "audit --help": (FRAME, set(), {"bioguard.cli.audit_verify"}),
    "audit verify nowhere": (
        VERIFIER,
        {"cbor2", "cryptography", "jinja2", "nacl", "sqlite3"},
        {"bioguard.evidence.run", "bioguard.records.features"},
    ),
}
"""Command line: the packages of ours and those outside that it may load, and modules in them that it may not."""
WORLD = {"cbor2", "ctypes", "sqlite3", "subprocess"}
"""To start a secure world and keep its store."""
STARTS: dict[str, tuple[set[str], set[str]]] = {
    "list": (WORLD, {"bioguard.formats", "bioguard.log"}),
    "user list": (WORLD, {"bioguard.formats", "bioguard.log"}),
    "pin status alice": (WORLD, {"bioguard.formats", "bioguard.log"}),
    "authenticate alice": (WORLD, {"bioguard.formats.files", "bioguard.log"}),
    "authenticate alice nowhere.npy": (WORLD | {"numpy"}, {"bioguard.formats.write", "bioguard.match", "bioguard.log"}),
    "enroll alice nowhere.npy": (WORLD | {"numpy"}, {"bioguard.formats.write", "bioguard.match", "bioguard.log"}),
    "device status": (WORLD | {"cryptography", "nacl"}, {"bioguard.formats"}),
}
"""Of commands on a device: what they may load from outside, and modules and packages of ours that they may not."""
PROBE = """
import gc, sys
sys.argv = ["bioguard", *sys.argv[1:]]
from bioguard.cli.__main__ import main
try:
    main()
finally:
    print(*sys.modules, f"collects:{gc.isenabled()}", file=sys.stderr)
"""


def loaded(line: str, folder: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, *line.split()], capture_output=True, text=True, check=False, cwd=folder
    )
    return set(done.stderr.split("\n")[-2].split())


@pytest.mark.parametrize("line", LOADED)
def test_a_command_loads_what_it_uses(line: str, tmp_path: Path) -> None:
    (tmp_path / "token.bin").write_bytes(bytes(69))
    ours, outside, never = LOADED[line]
    modules = loaded(line, tmp_path)
    assert "bioguard.cli.running" in modules
    own = {name for name in modules if name.startswith(("bioguard", "tee_sim"))}
    packages = {name if name in ours else name.rpartition(".")[0] for name in own}
    assert packages <= ours
    assert OUTSIDE & {m.partition(".")[0] for m in modules} <= outside
    assert never & modules == set()


@pytest.mark.parametrize("line", STARTS)
def test_a_command_on_a_device_loads_what_it_uses(line: str, tmp_path: Path) -> None:
    """There is none here: what is loaded until that is said is all but what the answers need."""
    outside, never = STARTS[line]
    modules = loaded(f"--device nowhere {line}", tmp_path)
    assert OUTSIDE & {m.partition(".")[0] for m in modules} <= outside
    assert never & modules == set()
    assert "numpy.ma" not in modules
    assert "collects:True" in modules, "the collector rests only while code is loaded"
    assert not {m for m in modules if m.startswith(("bioguard.evidence", "bioguard.trusted", "tee_sim.secure"))}


GROUPS = [
    bench_cli,
    tee_sim_cli,
    cli,
    *(c for n in COMMANDS if isinstance(c := cli.get_command(click.Context(cli), n), LazyGroup)),
]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_the_help_of_a_group_is_that_of_its_commands(group: LazyGroup) -> None:
    context = click.Context(group)
    for name, (_, text) in group.table.items():
        command = group.get_command(context, name)
        assert command is not None
        assert not command.hidden
        assert click.Command(name, help=text).get_short_help_str(500) == command.get_short_help_str(500)
    for width in (50, 80, 100):
        ours, of_click = click.HelpFormatter(width=width), click.HelpFormatter(width=width)
        group.format_commands(context, ours)
        click.Group.format_commands(group, context, of_click)
        assert ours.getvalue() == of_click.getvalue()


def test_help_of_the_simulator_loads_no_command() -> None:
    line = [sys.executable, "-I", "-X", "importtime", "-m", "tee_sim.cli", "--help"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    modules = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    assert "tee_sim.cli.main" in modules
    assert not {"tee_sim.cli.run", "tee_sim.cli.ask", "tee_sim.shared.schema", "cbor2", "cryptography"} & modules


def test_the_variable_of_the_kernels_is_the_one_that_a_device_hands_on() -> None:
    assert ahead.KERNEL_VARIABLE == ENVIRONMENT_VARIABLE
