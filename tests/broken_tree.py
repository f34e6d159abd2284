"""A whole broken product: a copy of the source tree with lines changed, and an interpreter of its own that runs it.

Normal world, secure world, trusted applications and the audit itself come from the copy: `-I` and child processes too,
since the copy is what the interpreter's site directory names. So nothing of a break stays behind in the test's process,
and what the audit says is what it would say to whoever installed this product.
"""

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.broken_build import ROOT, Change, copy_with

AUDIT = "import sys; from bioguard.cli.__main__ import run; sys.exit(run(sys.argv[1:]))"
TIMEOUT_S = 600


def plant(root: Path, changes: tuple[Change, ...]) -> Path:
    """Make the product at `root`; return its interpreter.

    The environment is made by hand: `venv` asks for a second and for pip. What the product needs comes from this one.
    """
    paths = copy_with(root / "tree", changes)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = root / "env" / "lib" / version / "site-packages"
    site.mkdir(parents=True)
    (site / "product.pth").write_text("\n".join([*paths, sysconfig.get_path("purelib")]) + "\n", encoding="utf-8")
    home = Path(sys._base_executable).parent  # type: ignore[attr-defined]  # what venv itself asks
    (root / "env" / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n", "utf-8")
    binary = root / "env" / "bin" / "python"
    binary.parent.mkdir()
    binary.symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    shutil.copy(ROOT / "pyproject.toml", root / "tree")  # the import contracts, which name the benches too
    shutil.copytree(ROOT / "bench", root / "tree" / "bench")
    tool = binary.with_name("lint-imports")
    tool.write_text(f"#!{binary}\nfrom importlinter.cli import lint_imports_command as run\nrun()\n", "utf-8")
    tool.chmod(0o755)
    return binary


def audit(python: Path, out: Path, *rows: str) -> dict[str, dict[str, object]]:
    """Run the audit of some promises as a user of that product would; check id -> check.

    Raises:
        AssertionError: it came to no report.
    """
    only = [word for row in rows for word in ("--only", row)]
    arguments = ["--allow-level", "NOT ENFORCED", "audit", "run", "--quick", *only, "--out", str(out)]
    done = subprocess.run(
        [str(python), "-B", "-c", AUDIT, *arguments], cwd=out.parent, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=TIMEOUT_S,
    )  # fmt: skip
    assert (out / "report.json").exists(), done.stderr
    return {check["id"]: check for check in json.loads((out / "report.json").read_text("utf-8"))["checks"]}


def red(checks: dict[str, dict[str, object]], row: str) -> bool:
    """Whether a promise is broken by the word of its checks."""
    return any(row in check.get("clauses", ()) and check["status"] == "FAIL" for check in checks.values())  # type: ignore[operator]
