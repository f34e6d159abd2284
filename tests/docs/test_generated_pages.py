"""Pages generated from the code equal the code. `BIOGUARD_UPDATE_DOCS=1 pytest tests/docs` rewrites them."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest

from bioguard import exit_codes
from bioguard.cli.app import cli

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def exit_code_page() -> str:
    tree = ast.parse(Path(exit_codes.__file__).read_text("utf-8"))
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "ExitCode").body
    rows = []
    for member, doc in pairwise(body):
        if isinstance(member, ast.Assign) and isinstance(doc, ast.Expr):
            name = ast.unparse(member.targets[0])
            text = " ".join(str(ast.literal_eval(doc.value)).split())
            rows.append(f"| {ast.literal_eval(member.value)} | `{name}` | {text} |")
    head = "# Exit codes\n\nGenerated from `src/bioguard/exit_codes.py`. They change only with a major version.\n\n"
    return head + "| code | name | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command, click.Context]]:
    context = click.Context(command, info_name=path, **command.context_settings)
    context.help_option_names = ["-h", "--help"]
    context.terminal_width = context.max_content_width = 100
    yield path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            if not child.hidden:
                yield from _commands(child, f"{path} {name}")


def help_page() -> str:
    blocks = [
        f"## {path}\n\n```\n{command.get_help(context)}\n```\n" for path, command, context in _commands(cli, "bioguard")
    ]
    head = (
        "# Command line\n\nGenerated from `--help`. Global options may stand anywhere on the line. "
        "`--json` prints one object; its fields are in `docs/json.md`.\n\n"
    )
    return head + "\n".join(blocks)


PAGES = {"exit-codes.md": exit_code_page, "cli.md": help_page}


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name: str) -> None:
    """In a process of its own: click keeps the first help option it makes of a command, whoever asked."""
    path = DOCS / name
    done = subprocess.run([sys.executable, "-X", "utf8", __file__, name], capture_output=True, check=True, cwd=ROOT)
    page = done.stdout.decode("utf-8")
    if os.environ.get("BIOGUARD_UPDATE_DOCS"):
        path.write_text(page, "utf-8")
    assert path.read_text("utf-8") == page, f"docs/{name} is stale: run BIOGUARD_UPDATE_DOCS=1 pytest tests/docs"


if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1]]())
