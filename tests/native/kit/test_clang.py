"""Applications that clang built run as those of gcc do: locked, with its sanitizer, for its coverage."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.native.host.conftest import TAS, built
from tests.native.host.test_memory import number
from tests.native.host.test_unlocked import run
from tests.native.kit.conftest import need


@pytest.fixture(autouse=True)
def _clang() -> None:
    need("clang", "clang is not installed")
    need("make")


def test_locked(tmp_path: Path) -> None:
    done = run(built("rough", tmp_path, "CC=clang"), "--", "COUNT", "FLOATS:4")
    assert (done.stdout.splitlines(), done.returncode) == (["COUNT 1", "FLOATS 20"], 0)


def test_a_sanitizer_names_the_overrun_by_file_and_line(tmp_path: Path) -> None:
    name = "-print-file-name=libclang_rt.asan-x86_64.so"
    if "/" not in subprocess.run(["clang", name], capture_output=True, text=True, check=True).stdout:
        pytest.skip("clang has no sanitizer runtime")
    ta = built("rough", tmp_path, "CC=clang", "CFLAGS=-fsanitize=address")
    done = run("--asan", ta, "--", "COUNT", f"{number('HEAD_OVERRUN')}")
    assert done.stdout.splitlines() == ["COUNT 1", f"{number('HEAD_OVERRUN')} TARGET_DEAD"]
    assert "heap-buffer-overflow" in done.stderr
    assert re.search(r"in heads .*rough/memory\.c:\d+", done.stderr), done.stderr


def test_coverage_of_every_source_adds_up_over_runs(tmp_path: Path) -> None:
    tool = shutil.which("llvm-cov") or shutil.which("llvm-cov-14")
    if tool is None:
        pytest.skip("llvm-cov is not installed")
    ta = built("rough", tmp_path, "CC=clang", "CFLAGS=--coverage")
    for times in (1, 2):
        done = run("--coverage", ta, "--", "COUNT", "COUNT")
        assert done.stdout.splitlines() == ["COUNT 1", "COUNT 2"]
        words = [tool, "gcov", "-t", "-o", str(tmp_path), "rough.c"]
        counts = subprocess.run(words, cwd=TAS / "rough", capture_output=True, text=True, check=True, timeout=60).stdout
        lines = {line.split(":", 2)[2].strip(): line.split(":")[0].strip() for line in counts.splitlines()}
        assert lines["params[0].value.a = (uint32_t)++calls;"] == str(2 * times)
    written = {path.stem for path in tmp_path.rglob("*.gcda")}
    assert written == {path.stem for path in (TAS / "rough").glob("*.c")}
