"""Deliberately broken builds: a copy of the secure world's code with a few lines changed, run in place of the real one.

The secure world is a process of its own, so a patch in the test's process does not reach it.
"""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from tee_sim.normal.sandbox_verdict.probes import cached_probes

Change = tuple[str, str, str]
"""File below the checkout, text that occurs in it exactly once, text in its place."""

ROOT = Path(__file__).parents[1]
FAST_PINS: Change = (
    "src/bioguard/trusted/gatekeeper/app.py",
    "ARGON2_PASSES = 3\nARGON2_MEMORY_BYTES = 64 * 1024 * 1024\n",
    "ARGON2_PASSES = 1\nARGON2_MEMORY_BYTES = 8 * 1024\n",
)
"""A build in which a guess of a PIN costs next to nothing, for tests about anything else that give many."""
LAUNCH = """
import sys
sys.path[:0] = {paths!r}
from tee_sim.secure.launcher import main
main(["launcher", *sys.argv[5:]])
"""
OTHERS = """
import runpy, sys
sys.executable, sys.argv = "{wrapper}", sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def _same(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)


def copy_with(copy: Path, changes: tuple[Change, ...]) -> list[str]:
    """Copy the product to `copy` and change it; return what to put first on its module path.

    Files that stay as they are become second names of the same ones where they can: a tenth of the time.
    """
    shutil.copytree(ROOT / "tee_sim", copy / "tee_sim", copy_function=_same)
    shutil.copytree(ROOT / "src" / "bioguard", copy / "src" / "bioguard", copy_function=_same)
    for file, old, new in changes:
        path = copy / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} no longer has exactly one {old!r}: adapt this mutation"
        path.unlink()
        path.write_text(text.replace(old, new), encoding="utf-8")
    return [str(copy / "src"), str(copy)]


def interpreter(patch: pytest.MonkeyPatch, copy: Path, command: str, *, only: str = "") -> None:
    """From now on `sys.executable` is a script that runs `command` of the real interpreter.

    Args:
        only: the module that it is run for; another one runs as it is, and what it starts goes through the script too.
    """
    wrapper = copy / "python"
    asis = OTHERS.format(wrapper=str(wrapper))
    others = f'[ "$4" = {only} ] || {{ shift 3; exec "{sys.executable}" -I -B -c \'{asis}\' "$@"; }}\n' if only else ""
    wrapper.write_text(f'#!/bin/sh\n{others}exec "{sys.executable}" -B {command}\n', encoding="utf-8")
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    patch.setattr(sys, "executable", str(wrapper))


def install(patch: pytest.MonkeyPatch, copy: Path, changes: tuple[Change, ...]) -> None:
    """From now on every secure world started under `patch` runs the copy made at `copy`."""
    cached_probes()  # with the real code, before the interpreter is swapped
    paths = copy_with(copy, changes)
    start = copy / "start.py"
    start.write_text(LAUNCH.format(paths=paths), encoding="utf-8")
    # the launcher's own arguments: two pipes, and those for pictures where there are sensors
    interpreter(patch, copy, f'"{start}" "$@"', only="tee_sim.secure.launcher")
