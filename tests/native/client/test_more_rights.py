"""A program with more rights than its caller (setuid) starts nothing that the caller names."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.native.client.conftest import DEV_KIT

NOBODY = 65534
MAIN = """
#include <stdio.h>
#include <sys/auxv.h>
#include <tee_client_api.h>
int main(int count, char **words)
{
    TEEC_Context context;
    TEEC_Result result = TEEC_InitializeContext(count > 1 ? words[1] : NULL, &context);
    printf("%lu %x", getauxval(AT_SECURE), result);
    return 0;
}
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(dir="/tmp"))  # one that another user can reach
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize(("words", "result"), [((), "ffff0008"), (("/machine",), "ffff0001")])
def test_the_callers_surroundings_start_nothing(
    words: tuple[str, ...], result: str, libteec: Path, folder: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("a program with more rights than its caller needs root")
    (folder / "main.c").write_text(MAIN)
    shutil.copyfile(libteec / "libteec.so.2", folder / "libteec.so.2")
    line = ["gcc", f"-I{DEV_KIT / 'include'}", "main.c", "-o", "main", "libteec.so.2", f"-Wl,-rpath,{folder}"]
    subprocess.run(line, cwd=folder, check=True)
    (folder / "main").chmod(0o755 | stat.S_ISUID)
    (folder / "mine").mkdir()
    (folder / "mine").chmod(0o777)
    command = folder / "mine" / "tee-sim"
    command.write_text(f"#!/bin/sh\necho started > {folder}/mine/started\n")
    command.chmod(0o755)
    surroundings = {
        "PATH": f"{command.parent}:/usr/bin:/bin",
        "TEE_SIM_COMMAND": str(command),
        "TEE_SIM_MACHINE": "/machine",
    }
    done = subprocess.run(
        [folder / "main", *words],
        env=surroundings,
        user=NOBODY,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    secure, _, said = done.stdout.partition(" ")
    if secure == "0":
        pytest.skip("setuid is not followed in /tmp")
    assert (secure, said) == ("1", result), done.stderr
    assert not (command.parent / "started").exists()
