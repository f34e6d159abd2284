"""Which tool a skipped test wanted, and how to install it: one line a tool at the end of a run."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tool:
    """Something outside Python that tests use as a witness. `reason` is found in what they say when it is missing."""

    name: str
    reason: str
    install: str


_EXTRA = "pip install -e '.[test,bench,cluster]'"
TOOLS = (
    Tool("chromium", r"chromium is not on this host", "apt-get install chromium"),
    Tool(
        "aarch64 compiler and emulator",
        r"(aarch64-linux-gnu-gcc|qemu-aarch64) is not installed",
        "apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user",
    ),
    Tool(
        "a Python for aarch64",
        r"no aarch64 Python",
        'export BIOGUARD_AARCH64="$(bash tests/aarch64/prepare.sh DIR python3)"',
    ),
    Tool(
        "a viewer of timelines",
        r"no timeline viewer",
        'export BIOGUARD_TIMELINE_VIEWER="$(bash tests/tee_sim/viewer.sh DIR)"',
    ),
    Tool(
        "Perfetto's engine",
        r"no Perfetto engine",
        'export BIOGUARD_PERFETTO="$(bash tests/serve/v2/perfetto.sh DIR python3)"',
    ),
    Tool("strace", r"strace is not installed", "apt-get install strace"),
    Tool("sqlite3", r"sqlite3 is not", "apt-get install sqlite3"),
    Tool(
        "C compiler",
        r"no C compiler|no gcc|gcc is not installed|kernel was not built",
        "apt-get install gcc, then make",
    ),
    Tool("Node", r"node is not installed", "apt-get install nodejs"),
    Tool("a Java compiler", r"javac? is not installed", "apt-get install default-jdk-headless"),
    Tool("clang, llvm", r"clang is not installed|clang has no|llvm-cov", "apt-get install clang llvm"),
    Tool("sanitizers of gcc", r"sanitizer runtime", "apt-get install libasan8 libubsan1 libtsan2"),
    Tool("Python headers", r"no Python headers", "apt-get install python3-dev"),
    Tool("binutils, coreutils", r"nm is not on this host|coreutils are not", "apt-get install binutils coreutils"),
    Tool(
        "a C library from 2.38 on",
        r"GLIBC_2",
        'export BIOGUARD_FOREIGN_LOADER="$(bash tests/formats/newer_libc.sh DIR python3)"',
    ),
    Tool("readers of others", r": not run:", "make test installs them (tests/formats/readers*.txt)"),
    Tool("test and bench extras", r"could not import|the test extra brings|needs the cluster extra", _EXTRA),
    Tool("cases beside the checkout", r"shared/cases|the small inputs", "not ours to pass on; docs/testing.md"),
    Tool("research data", r"beside (this|the) checkout|no fingerprint data", "not public; see docs/benchmarks.md"),
    Tool("root", r"only root|unprivileged", "run as root"),
)
THIS_HOST = Tool("another host", "", "needs what this kernel or container does not give; docs/testing.md")


def tool_of(reason: str) -> Tool:
    """The tool that a reason to skip speaks of; the first that fits."""
    return next((tool for tool in TOOLS if re.search(tool.reason, reason)), THIS_HOST)


def summary(reasons: Iterable[str]) -> list[str]:
    """One line for each tool that was missing."""
    counted = Counter(tool_of(reason) for reason in reasons)
    return [f"{tool.name}: {count} skipped; {tool.install}" for tool, count in counted.most_common()]
