"""Deliberately broken builds: a copy of the secure world's code with one line changed, run in place of the real one."""

import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tee_sim.lockdown.verdict import cached_probes

ROOT = Path(__file__).parents[2]
LAUNCH = """
import sys
sys.path[:0] = {paths!r}
from tee_sim.launcher import main
main(["launcher", *sys.argv[1:]])
"""

Break = Callable[..., Path]


@pytest.fixture
def broken(tmp_path, monkeypatch) -> Break:
    """`broken(file=..., old=..., new=...)`: from now on every secure world of this test runs that build."""

    def build(*changes: tuple[str, str, str]) -> Path:
        cached_probes()  # with the real code, before the interpreter is swapped
        copy = tmp_path / "broken-build"
        shutil.copytree(ROOT / "tee_sim", copy / "tee_sim")
        shutil.copytree(ROOT / "src" / "bioguard", copy / "src" / "bioguard")
        for file, old, new in changes:
            path = copy / file
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{file} no longer has exactly one {old!r}: adapt this mutation"
            path.write_text(text.replace(old, new), encoding="utf-8")
        start = copy / "start.py"
        start.write_text(LAUNCH.format(paths=[str(copy / "src"), str(copy)]), encoding="utf-8")
        wrapper = copy / "python"
        wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -B "{start}" "$5" "$6"\n', encoding="utf-8")
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(wrapper))
        return copy

    return build
