"""The four clients of docs/examples/clients, built where their tool is: how each program of a language is started."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "docs" / "examples" / "clients"
TESTS = Path(__file__).parent
C_FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{CLIENTS / 'c'}")
SANITIZERS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def framed(body: bytes) -> bytes:
    """A frame as it stands on the pipe."""
    return len(body).to_bytes(4, "little") + body


def tool(*names: str) -> None:
    """Skip the test by name where a tool is missing."""
    for name in names:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")


def compiled_c(source: Path, folder: Path, *flags: str, compiler: str = "gcc") -> Path:
    """A C program that includes the client's header."""
    program = folder / source.stem
    subprocess.run([compiler, *C_FLAGS, *flags, "-o", program, source], check=True, timeout=120)
    return program


def sanitized_c(source: Path, folder: Path) -> list[str]:
    tool("gcc")
    probe = folder / "probe.c"
    probe.write_text("int main(void) { return 0; }\n")
    if subprocess.run(["gcc", *SANITIZERS, "-o", folder / "probe", probe], capture_output=True, check=False).returncode:
        pytest.skip("the sanitizer runtime of gcc is not installed")
    return [str(compiled_c(source, folder, *SANITIZERS))]


def java(sources: list[Path], main: str, folder: Path) -> list[str]:
    tool("javac", "java")
    subprocess.run(["javac", "-Xlint:all", "-Werror", "-d", folder, *sources], check=True, timeout=120)
    # as short a start as there is: a test starts it ten times
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-cp", str(folder), main]


JAVA = sorted((CLIENTS / "java").glob("*.java"))


@dataclass(frozen=True)
class Language:
    """`verdicts`: a program over the client's codec; `walk`: the client's own program."""

    verdicts: Callable[[Path], list[str]]
    walk: Callable[[Path], list[str]]


def _node(*arguments: Path) -> list[str]:
    tool("node")
    return ["node", *map(str, arguments)]


LANGUAGES = {
    "c": Language(
        lambda folder: sanitized_c(TESTS / "verdicts.c", folder),
        lambda folder: sanitized_c(CLIENTS / "c" / "walk.c", folder),
    ),
    "python": Language(
        lambda _: ["env", f"PYTHONPATH={CLIENTS / 'python'}", sys.executable, str(TESTS / "verdicts.py")],
        lambda _: [sys.executable, str(CLIENTS / "python" / "walk.py")],
    ),
    "node": Language(
        lambda _: _node(TESTS / "verdicts.mjs", CLIENTS / "node" / "bioguard2.mjs"),
        lambda _: _node(CLIENTS / "node" / "walk.mjs"),
    ),
    "java": Language(
        lambda folder: java([*JAVA, TESTS / "Verdicts.java"], "Verdicts", folder),
        lambda folder: java(JAVA, "Walk", folder),
    ),
}
