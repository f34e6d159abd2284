"""House rules a tool does not check: sizes, words, prints, network modules."""

import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [
    p for d in ("src", "tee_sim", "bench", "tests") for p in (ROOT / d).rglob("*.py") if "__pycache__" not in p.parts
]
NATIVE = [*(ROOT / "src").rglob("*.c"), *(ROOT / "src").rglob("*.h")]


def test_no_file_is_over_450_lines_and_the_median_is_under_150() -> None:
    lengths = {p: len(p.read_text("utf-8").splitlines()) for p in CODE + NATIVE}
    assert [f"{p.relative_to(ROOT)}: {n}" for p, n in lengths.items() if n > 450] == []
    assert statistics.median(n for n in lengths.values() if n > 5) < 150


TOP = {
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "SECURITY.md", "bench", "docs", "findings",
    "pyproject.toml", "src", "tee_sim", "tests",
}  # fmt: skip


def test_nothing_that_a_command_wrote_is_kept_beside_the_sources() -> None:
    """A report of a run by hand was committed once, with 3 600 lines."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("no git checkout")
    files = done.stdout.splitlines()
    assert {name.partition("/")[0] for name in files} == TOP
    reports = [
        name for name in files if re.search(r"(^|/)(report\.html|[a-z]+\.sarif|sbom\S*\.json|\w+\.jsonl)$", name)
    ]
    assert reports == ["src/bioguard/report/templates/report.html"]


def test_tee_sim_is_generic() -> None:
    words = re.compile(r"biometric|finger|\bface|enroll|enrol\b|template", re.IGNORECASE)
    found = [
        f"{p.relative_to(ROOT)}:{i}: {line.strip()}"
        for p in (ROOT / "tee_sim").rglob("*")
        if p.suffix in {".py", ".toml", ".md"}
        for i, line in enumerate(p.read_text("utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert found == []


def test_american_spelling() -> None:
    words = re.compile(r"\b(enrol|enrols|enrolment|colour|behaviour|normalis\w+|serialis\w+)\b", re.IGNORECASE)
    texts = [*CODE, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"]
    here = Path(__file__)
    found = [
        f"{p.relative_to(ROOT)}:{i}: {m[0]}"
        for p in texts
        if p != here
        for i, line in enumerate(p.read_text("utf-8").splitlines(), 1)
        if (m := words.search(line))
    ]
    assert found == []


@pytest.mark.parametrize(
    "module", ["bioguard.cli.__main__", "bioguard.device", "tee_sim.normal.client", "tee_sim.secure.launcher"]
)
def test_the_product_does_not_load_a_network_module(module: str) -> None:
    """A courtesy, not the proof: the proof is the kernel filter around the secure world."""
    probe = (
        f"import sys, {module}\n"
        "bad = {'socket', '_socket', 'ssl', '_ssl', 'asyncio', 'multiprocessing', 'http', 'urllib.request'}\n"
        "print(sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_product_module_is_free_of_network_modules() -> None:
    names = sorted(
        ".".join(p.relative_to(base).with_suffix("").parts).removesuffix(".__init__")
        for base, top in ((ROOT / "src", "bioguard"), (ROOT, "tee_sim"))
        for p in (base / top).rglob("*.py")
        if "__pycache__" not in p.parts and p.name not in {"__main__.py", "pytest_plugin.py"}  # pytest's sockets
    )
    probe = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "bad = {'socket', '_socket', 'ssl', '_ssl', 'asyncio', 'multiprocessing'}\n"
        "print(sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
