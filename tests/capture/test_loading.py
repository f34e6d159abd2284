"""What is loaded where: nothing of OpenCV to ask which files an engine has, no socket and no thread by any engine."""

import subprocess
import sys

import pytest

ASKED = """
import sys
from bioguard.capture.engines import ENGINES, files_of
from bioguard.evidence.engine_checks import engine_checks
list(engine_checks())
import bioguard.cli.capture
print(sorted({"cv2", "nbis", "_wsq", "socket"} & set(sys.modules)))
"""
LOADED = """
import os, sys
import numpy as np
from bioguard.capture.engine import Picture
from bioguard.capture.engines import load_engine
engine = load_engine("nbis")
before = len(os.listdir("/proc/self/task"))
opened = []
sys.addaudithook(lambda name, given: opened.append(given[0]) if name in ("open", "import") else None)
engine.extract(Picture(np.arange(900 * 900).reshape(900, 900).astype(np.uint8), 500))
print(sorted({"socket", "_socket", "ssl", "http", "asyncio", "multiprocessing", "email"} & set(sys.modules)), end=" ")
print(opened, before, len(os.listdir("/proc/self/task")))
os._exit(0)
"""


def said(script: str) -> str:
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=one)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_asking_loads_no_engine() -> None:
    assert said(ASKED) == "[]"


def test_an_engine_opens_nothing_and_starts_no_thread_once_it_is_loaded() -> None:
    assert said(LOADED.replace("os._exit", "sys.stdout.flush(); os._exit")) == "[] [] 1 1"


@pytest.mark.parametrize("module", ["cv2", "nbis", "_wsq"])
def test_without_the_extra_there_is_a_hint(module: str) -> None:
    script = f"""
import sys
sys.modules[{module!r}] = None
from bioguard.capture.engines import load_engine
from bioguard.errors import WrongUsage
try:
    load_engine("nbis")
    import bioguard.capture.pictures
except WrongUsage as refused:
    print(refused.code, refused.hint)
"""
    assert said(script) == "capture.missing pip install 'bioguard[capture]'"
