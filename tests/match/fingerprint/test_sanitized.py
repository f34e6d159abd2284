"""The kernel under address and undefined behavior sanitizers, where a compiler is there. Long form: fuzz_kernel."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "src/bioguard/match/native/fingers"
FLAGS = ["-std=c11", "-O1", "-g", "-fno-trapping-math", "-fno-math-errno", "-Wall", "-Wextra", "-Werror"]
LIBRARIES = ["-lm", "-pthread"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"]


def test_fuzzed_under_sanitizers(tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc here")
    runtime = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    if not Path(runtime.stdout.strip()).is_absolute():
        pytest.skip("gcc has no sanitizer runtime here")
    kernel = tmp_path / "_cylinders.so"
    sources = [str(SOURCES / name) for name in ("module.c", "compare.c", "parts.c", "describe.c")]
    include = f"-I{sysconfig.get_path('include')}"
    macro = "-DPy_LIMITED_API=0x030B0000"
    build = [compiler, "-shared", "-fPIC", *FLAGS, *SANITIZERS, include, macro, *sources, *LIBRARIES, "-o", str(kernel)]
    made = subprocess.run(build, capture_output=True, text=True, check=False)
    if "Python.h" in made.stderr:
        pytest.skip("no Python headers here")
    assert made.returncode == 0, made.stderr
    environment = {
        **os.environ,
        "LD_PRELOAD": runtime.stdout.strip(),
        "ASAN_OPTIONS": "detect_leaks=0",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "tests.match.fingerprint.fuzz_kernel", "--kernel", str(kernel), "--seconds", "4"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "rounds agreed" in run.stdout
    assert not run.stdout.startswith("0 ")
