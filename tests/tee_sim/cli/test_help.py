"""Every command has an example in its help, and each runs as it stands."""

import ast
import re
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import cast

import click
import pytest

from tee_sim.cli import exit_codes
from tee_sim.cli.main import cli

CONTEXT = click.Context(cli)
COMMANDS = {name: cast("click.Command", cli.get_command(CONTEXT, name)) for name in cli.list_commands(CONTEXT)}


def example(command: click.Command) -> str:
    found = re.search(r"Example:\n\s+(.+)$", command.help or "", re.MULTILINE)
    assert found, command.name
    return found[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_the_help_runs(name: str, here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    programs = tmp_path_factory.mktemp("bin")
    for called, command in (("tee-sim", "-m tee_sim.cli"), ("python", "")):
        (programs / called).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {command} "$@"\n')
        (programs / called).chmod(0o755)
    if name == "dev-kit" and shutil.which("cc") is None:
        pytest.skip("no C compiler: cc is not installed")
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", example(COMMANDS[name])],
        env={"PATH": f"{programs}:/usr/bin:/bin", "PYTHONPATH": "", "XDG_CACHE_HOME": str(here / "cache")},
        cwd=here, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout


def test_every_status_is_explained() -> None:
    page = (Path(__file__).parents[3] / "docs/tee-sim.md").read_text("utf-8")
    tree = ast.parse(Path(exit_codes.__file__).read_text("utf-8"))
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef)).body
    rows = [
        f"| {ast.literal_eval(member.value)} | `{ast.unparse(member.targets[0])}` | {ast.literal_eval(doc.value)} |"
        for member, doc in pairwise(body)
        if isinstance(member, ast.Assign) and isinstance(doc, ast.Expr)
    ]
    assert len(rows) == len(exit_codes.ExitStatus)
    assert [row for row in rows if row not in page] == []
    for name in COMMANDS:
        assert f"`tee-sim {name}" in page
