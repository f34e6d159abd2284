"""What Makefiles and sources of existing applications use beside the functions of the specification."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tee_sim.normal.dev_kit import kit_folder
from tee_sim.shared.native.allowed import ALLOWED
from tee_sim.shared.native.image import UNDEFINED, Image
from tests.native.builds import ABIS, TAS, BuildError, Builds

IDIOMS = TAS / "idioms"
WARNINGS = {"CFLAGS": "-Wextra -Werror"}


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    for tool in ("gcc", "make"):
        if shutil.which(tool) is None:
            pytest.skip(f"no C compiler: {tool} is not installed")
    return Builds(kit_folder(), tmp_path_factory.mktemp("idioms") / "builds")


def _run(builds: Builds, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    host = builds.host(IDIOMS, "idioms")
    command = [sys.executable, "-m", "tee_sim.cli", "run", *options, str(folder), "--", str(host)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ))


def _need(compiler: str) -> None:
    if shutil.which(compiler) is None:
        reason = f"{compiler} is not installed"
        pytest.skip(reason if "aarch64" in compiler else f"no C compiler: {reason}")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("abi", ABIS)
def test_names_and_rules_that_applications_use_hold(builds: Builds, abi: int, compiler: str) -> None:
    _need(compiler)
    ta = builds.ta(IDIOMS / "ta", abi, CC=compiler, **WARNINGS)

    done = _run(builds, ta.parent, "--allow-level", "PARTIAL")

    assert (done.returncode, done.stdout) == (0, "all of them hold\n"), done.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_an_application_that_writes_no_globals_runs_unlocked_with_a_sanitizer_and_without(
    builds: Builds, compiler: str
) -> None:
    _need(compiler)
    plain = builds.ta(IDIOMS / "ta", 11, CC=compiler, **WARNINGS)
    try:
        sanitized = builds.ta(IDIOMS / "ta", 11, CC=compiler, CFG_TA_ASAN="y", **WARNINGS)
    except BuildError as error:
        if "cannot find" not in str(error) and "No such file" not in str(error):
            raise
        pytest.skip(f"sanitizer runtime of {compiler} is not installed")

    for ta, option in ((plain, "--coverage"), (sanitized, "--asan")):
        done = _run(builds, ta.parent, option)
        assert (done.returncode, done.stdout) == (0, "all of them hold\n"), done.stderr
    assert b"san" in sanitized.read_bytes()
    assert "native.sanitized" in _run(builds, sanitized.parent).stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_what_is_built_for_aarch64_asks_for_nothing_else(builds: Builds, compiler: str) -> None:
    _need(compiler)
    _need("aarch64-linux-gnu-gcc")
    choice = {"CC": "clang"} if compiler == "clang" else {}
    ta = builds.ta(IDIOMS / "ta", 11, CROSS_COMPILE="aarch64-linux-gnu-", **choice)

    image = Image(ta.read_bytes())

    asked = {symbol.name for symbol in image.symbols()[1:] if symbol.section == UNDEFINED}
    assert image.machine == "EM_AARCH64"
    assert asked - ALLOWED == set()
    assert "TEE_AllocateOperation" in asked


def test_each_message_of_an_application_is_a_line(builds: Builds) -> None:
    ta = builds.ta(IDIOMS / "ta", 11, **WARNINGS)

    done = _run(builds, ta.parent, "--debug")

    said = [line.partition(" trace: ")[2] for line in done.stderr.splitlines() if " trace: " in line]
    assert said[0].endswith("of tee_internal_api.h alone: TA_CreateEntryPoint")
    assert said[1].endswith("result 0xffff0000, as text")
    assert said[2] == "and 1 more"
    assert said[3].startswith("I check_memory:")
    assert said[4] == "between"
    assert "?" not in "".join(said[:5])
    assert done.returncode == 0


def test_a_kit_has_every_header_of_the_source(builds: Builds) -> None:
    source = Path(__file__).parents[2] / "tee_sim/dev_kit/include"
    headers = {str(path.relative_to(source)) for path in source.rglob("*.h")}

    assert headers == {str(path.relative_to(builds.kit / "include")) for path in (builds.kit / "include").rglob("*.h")}
    assert "sys/queue.h" in headers


STRICT = (
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wcast-align",
    "-Wfloat-equal",
    "-Wformat=2",
    "-Wformat-security",
    "-Winit-self",
    "-Wmissing-declarations",
    "-Wmissing-format-attribute",
    "-Wmissing-include-dirs",
    "-Wpointer-arith",
    "-Wredundant-decls",
    "-Wshadow",
    "-Wswitch-default",
    "-Wundef",
    "-Wwrite-strings",
)
"""Warnings that Makefiles of applications turn on, and into errors."""
OF_C = ("-Wstrict-prototypes", "-Wmissing-prototypes", "-Wnested-externs", "-Wdeclaration-after-statement")


@pytest.mark.parametrize("choice", ["-D__OPTEE_CORE_API_COMPAT_1_1=1", "-U__OPTEE_CORE_API_COMPAT_1_1"])
@pytest.mark.parametrize(
    "compiler", ["gcc -std=gnu99", "gcc -std=gnu17", "clang -std=gnu11", "g++ -std=c++17", "clang++ -std=gnu++17"]
)
def test_all_headers_pass_the_warnings_of_strict_makefiles(
    builds: Builds, compiler: str, choice: str, tmp_path: Path
) -> None:
    _need(compiler.split(maxsplit=1)[0])
    include = builds.kit / "include"
    names = {str(path.relative_to(include)) for path in include.rglob("*.h")}
    names -= {"tee_api_sized.h", "tee_api_compat11.h"}  # parts of tee_internal_api.h
    is_cpp = "++" in compiler
    source = tmp_path / "all"
    source.write_text("".join(f"#include <{name}>\n" for name in sorted(names)))
    words = [*compiler.split(), *STRICT, *(() if is_cpp else OF_C), choice, f"-I{include}", "-fsyntax-only"]

    done = subprocess.run(
        [*words, "-x", "c++" if is_cpp else "c", source], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")
