"""The runtime, and the application that misbehaves, each built once."""

import shutil
import subprocess
from pathlib import Path

import pytest

import tee_sim

KIT = Path(tee_sim.__file__).parent / "dev_kit"
TAS = Path(__file__).parents[1] / "tas"


def made(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def needs(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("gcc", "make")
    out = tmp_path_factory.mktemp("runtime")
    made("make", "-s", "-C", str(KIT / "runtime"), f"OUT={out}", "CC=gcc")
    return out / "libtee_sim_ta.so"


def built(name: str, out: Path, *variables: str) -> Path:
    made("make", "-s", "-C", str(TAS / name), f"TA_DEV_KIT_DIR={KIT}", f"O={out}", *variables)
    return next(out.glob("*.ta"))


@pytest.fixture(scope="session")
def rough(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("gcc", "make")
    return built("rough", tmp_path_factory.mktemp("rough"))


@pytest.fixture(scope="session")
def rough_11(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("gcc", "make")
    return built("rough", tmp_path_factory.mktemp("rough11"), "CFG_TA_OPTEE_CORE_API_COMPAT_1_1=y")
