"""The functions of the TEE Client API, in C, over the pipes of `tee-sim run`: values and mistakes."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from tests.native.client.conftest import DEV_KIT, HOSTS, PARROT, SOURCES, Ended, Run

NAMES = {name: re.findall(r"^CHECK\((\w+)\)", (HOSTS / f"{name}.c").read_text(), re.M) for name in ("calls", "threads")}
ALL = [(program, name) for program, names in NAMES.items() for name in names]
FUNCTIONS = {
    "TEEC_InitializeContext", "TEEC_FinalizeContext", "TEEC_RegisterSharedMemory", "TEEC_AllocateSharedMemory",
    "TEEC_ReleaseSharedMemory", "TEEC_OpenSession", "TEEC_CloseSession", "TEEC_InvokeCommand",
    "TEEC_RequestCancellation",
}  # fmt: skip


@pytest.fixture(scope="module")
def answers() -> dict[str, Ended]:
    """What each program said, which runs once."""
    return {}


@pytest.fixture(params=["python", "c"])
def said(
    request: pytest.FixtureRequest, run: Run, program: Callable[[str], Path], answers: dict[str, Ended]
) -> Callable[[str], Ended]:
    """`said("calls")`: with an application in Python, and with the same in C."""
    application = PARROT if request.param == "python" else request.getfixturevalue("parrot_in_c")

    def of(name: str) -> Ended:
        key = f"{name} {request.param}"
        if key not in answers:
            answers[key] = run(program(name), application=application)
        return answers[key]

    return of


@pytest.mark.parametrize(("program_name", "check"), ALL)
def test_it_holds(said: Callable[[str], Ended], program_name: str, check: str) -> None:
    lines = [line for line in said(program_name).out.splitlines() if line.split()[0] == check]
    assert lines == [f"{check} ok"]


@pytest.mark.parametrize("name", NAMES)
def test_a_program_of_checks_ends_well_and_says_nothing_else(said: Callable[[str], Ended], name: str) -> None:
    ended = said(name)
    assert (ended.status, ended.err) == (0, "")
    spoken = [line.split()[0] for line in ended.out.splitlines() if not line.startswith("identity ")]
    assert sorted(spoken) == sorted(NAMES[name])


def test_a_login_is_the_identity_that_linux_makes(said: Callable[[str], Ended], program: Callable[[str], Path]) -> None:
    space = UUID("58ac9ca0-2086-4683-a1b8-ec4bc08e01b6")
    user, group, app = f"uid={os.geteuid():x}", f"gid={os.getegid():x}", f"app={program('calls')}"
    expected = {
        "USER": (1, user), "GROUP": (2, group), "APPLICATION": (4, app), "USER_APPLICATION": (5, f"{user}:{app}"),
        "GROUP_APPLICATION": (6, f"{group}:{app}"),
    }  # fmt: skip
    lines = [line for line in said("calls").out.splitlines() if line.startswith("identity ")]
    assert lines == [f"identity {word} {number}:{uuid5(space, name)}" for word, (number, name) in expected.items()]


def test_the_library_exports_the_functions_and_nothing_else(libteec: Path) -> None:
    shown = subprocess.run(
        ["nm", "-D", "--defined-only", libteec / "libteec.so.2"], capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[2] for line in shown.splitlines()} == FUNCTIONS


def test_the_library_is_called_as_others_link_it(libteec: Path) -> None:
    shown = subprocess.run(
        ["readelf", "-dW", libteec / "libteec.so.2"], capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"\(SONAME\).*\[(.*)\]", shown) == ["libteec.so.2"]
    assert set(re.findall(r"\(NEEDED\).*\[(.*)\]", shown)) <= {"libc.so.6"}
    assert not re.search(r"TEXTREL|RPATH|RUNPATH", shown)


def test_sanitizers_find_nothing(run: Run, sanitized: Callable[[str, str], Path]) -> None:
    ended = run(sanitized("calls", "address,undefined"))
    assert (ended.status, ended.err) == (0, "")
    assert len(re.findall(r" ok$", ended.out, re.M)) == len(NAMES["calls"])


def test_threads_race_for_nothing(run: Run, sanitized: Callable[[str, str], Path]) -> None:
    ended = run(sanitized("threads", "thread"), TSAN_OPTIONS="die_after_fork=0")
    assert (ended.status, ended.err) == (0, "")
    assert len(re.findall(r" ok$", ended.out, re.M)) == len(NAMES["threads"])


@pytest.mark.parametrize("compiler", ["clang", "aarch64-linux-gnu-gcc"])
def test_other_compilers_have_nothing_to_say(compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    flags = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-fPIC", "-Wall", "-Wextra", "-Werror", f"-I{DEV_KIT / 'include'}"]
    relay = DEV_KIT / "relay/relay.c"
    words = [compiler, *flags, "-shared", "-o", str(tmp_path / "all.so"), *map(str, SOURCES), str(relay)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
