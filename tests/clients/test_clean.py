"""The clients are clean for the strictest reader of their language, and short enough to be read."""

import shutil
import subprocess

import pytest

from tests.clients.toolchains import C_FLAGS, CLIENTS, tool

# Java has the interfaces of the AIDL as well
LONGEST = {"c": 400, "python": 400, "node": 400, "java": 500}


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_client_in_c_has_no_warning(compiler: str) -> None:
    tool(compiler)
    subprocess.run([compiler, *C_FLAGS, "-fsyntax-only", CLIENTS / "c" / "walk.c"], check=True, timeout=60)


def test_the_client_for_node_is_read_without_being_run() -> None:
    tool("node")
    for path in sorted((CLIENTS / "node").glob("*.mjs")):
        subprocess.run([shutil.which("node") or "node", "--check", path], check=True, timeout=60)


@pytest.mark.parametrize("folder", LONGEST)
def test_a_client_with_its_program_is_short(folder: str) -> None:
    sources = [path for path in (CLIENTS / folder).iterdir() if path.is_file()]
    lines = [line for path in sources for line in path.read_text().splitlines()]
    assert 0 < len(lines) < LONGEST[folder]
    assert max(map(len, lines)) <= 120
