"""Break each function of "Where is the rule" (docs/architecture.md) in a copy of the tree; its test must turn red.

python -m tests.campaigns.rules [--only TEXT]

A function is broken by an exception as its first statement. About three minutes for the whole table. The secure world
of a copy starts from the installed tree (`python -I`), so a rule whose test runs a device in a process of its own is
not broken there: such a row is reported as not reached, and is no failure.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.docs.named_code import ROOT, Rule, place, rules

BROKEN = 'raise RuntimeError("broken on purpose")'
LIMIT_S = 120


def broken(source: str, function: str) -> str | None:
    """The source with one function broken, or None for a class."""
    node: ast.AST = ast.parse(source)
    for name in function.split("."):
        node = next(child for child in ast.iter_child_nodes(node) if getattr(child, "name", "") == name)
    if not isinstance(node, ast.FunctionDef):
        return None
    first = node.body[-1] if len(node.body) == 1 else node.body[bool(ast.get_docstring(node))]
    lines = source.splitlines(keepends=True)
    lines.insert(first.lineno - 1, " " * first.col_offset + BROKEN + "\n")
    return "".join(lines)


def copied(target: Path) -> Path:
    """A copy of what the tests need, compiled kernels included."""
    for folder in ("src", "tee_sim", "bench", "tests", "docs"):
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", target)
    return target


def play(rule: Rule, copy: Path) -> str:
    """`red`, `not reached`, or `class` for what has no first statement."""
    path = copy / place(rule.file).relative_to(ROOT)
    source = path.read_text("utf-8")
    changed = broken(source, rule.function)
    if changed is None:
        return "class"
    path.write_text(changed, "utf-8")
    environment = os.environ | {"PYTHONPATH": f"{copy / 'src'}{os.pathsep}{copy}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", f"tests/{rule.test}"]
    try:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return "red"
    finally:
        path.write_text(source, "utf-8")
    return "red" if done.returncode else "not reached"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="rules with this in their name")
    wanted = [rule for rule in rules() if parser.parse_args().only in rule.name]
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        for rule in wanted:
            sys.stdout.write(f"{play(rule, copy):12} {rule.name}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
