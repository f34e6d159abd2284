"""libteec, built once, and host programs for it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import tee_sim
from tee_sim.normal.dev_kit import kit_folder

DEV_KIT = Path(tee_sim.__file__).parent / "dev_kit"
CLIENT = DEV_KIT / "client"
HOSTS = Path(__file__).parents[1] / "hosts"
PARROT = Path(__file__).parent / "parrot"
TEE_SIM = (sys.executable, "-m", "tee_sim.cli")
_FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-g", "-pthread", f"-I{DEV_KIT / 'include'}")
SOURCES = (*sorted(CLIENT.glob("*.c")), DEV_KIT / "runtime/cbor.c", DEV_KIT / "runtime/frame.c")


@dataclass(frozen=True)
class Ended:
    """What a program said, and what it ended with."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def libteec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of libteec.so.2."""
    if shutil.which("gcc") is None or shutil.which("make") is None:
        pytest.skip("no C compiler: gcc is not installed")
    out = tmp_path_factory.mktemp("libteec")
    subprocess.run(["make", "-s", "-C", CLIENT, f"OUT={out}", "CC=gcc"], check=True)
    return out


@pytest.fixture(scope="session")
def program(libteec: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`program("calls")`: a host program, linked with libteec."""
    out = tmp_path_factory.mktemp("hosts")

    def built(name: str) -> Path:
        if not (out / name).exists():
            words = ["gcc", *_FLAGS, "-o", out / name, HOSTS / f"{name}.c", f"-L{libteec}", "-lteec"]
            subprocess.run(words, check=True)
        return out / name

    return built


@pytest.fixture(scope="session")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """`sanitized("calls", "address")`: a host program and the sources of libteec in one, with a sanitizer of gcc."""
    if shutil.which("gcc") is None:
        pytest.skip("no C compiler: gcc is not installed")
    out = tmp_path_factory.mktemp("sanitized")

    def built(name: str, kind: str) -> Path:
        program = out / f"{name}-{kind}"
        words = ["gcc", *_FLAGS, "-O1", f"-fsanitize={kind}", "-fno-sanitize-recover=all", "-o", program]
        done = subprocess.run([*words, HOSTS / f"{name}.c", *SOURCES], check=False, capture_output=True, text=True)
        if "cannot find" in done.stderr:
            pytest.skip(f"sanitizer runtime of {kind} is not installed")
        assert done.returncode == 0, done.stderr
        return program

    return built


@pytest.fixture(scope="session")
def surroundings(libteec: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a host program: libteec is found, and `tee-sim` on PATH."""
    bin_folder = tmp_path_factory.mktemp("bin")
    (bin_folder / "tee-sim").write_text(f'#!/bin/sh\nexec {" ".join(TEE_SIM)} "$@"\n')
    (bin_folder / "tee-sim").chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TEE_SIM_")}
    return kept | {"LD_LIBRARY_PATH": str(libteec), "PATH": f"{bin_folder}:{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def parrot_in_c(libteec: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parrot once more, as an application in C; what passes to it is passed on in C too."""
    out = tmp_path_factory.mktemp("parrot")
    source = HOSTS.parent / "tas" / "parrot"
    subprocess.run(["make", "-s", "-C", source, f"TA_DEV_KIT_DIR={kit_folder()}", f"O={out}"], check=True)
    return next(out.glob("*.ta"))


Run = Callable[..., Ended]


@pytest.fixture
def run(surroundings: dict[str, str]) -> Run:
    """`run(program, argument...)`: by `tee-sim run` with the parrot, after `options` and with `variables`."""

    def played(*words: object, options: tuple[object, ...] = (), application: Path = PARROT, **variables: str) -> Ended:
        command = [*TEE_SIM, "run", *map(str, options), str(application), "--", *map(str, words)]
        environment = surroundings | variables
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        return Ended(done.returncode, done.stdout, done.stderr)

    return played


@pytest.fixture
def machine(run: Run, tmp_path: Path) -> Path:
    """The directory of a machine that has hosted the parrot."""
    assert run("true", options=("--machine", tmp_path / "machine")) == Ended(0, "", "")
    return tmp_path / "machine"
