"""What the pages name of the code: paths, dotted names, links and the rows of "Where is the rule"."""

import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *(ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md"))]
)
BASES = [ROOT, ROOT / "src", ROOT / "src/bioguard"]
"""Where a path on a page may begin, beside the folder of the page."""
DOTTED = re.compile(r"(?<![\w./@-])(?:bioguard|tee_sim|bench|tests)(?:\.[A-Za-z_]\w*)+(?![\w/])")
IMPORTED = re.compile(r"^\s*from ((?:bioguard|tee_sim|bench|tests)[\w.]*) import ([\w, ]+)$", re.MULTILINE)
PATH = re.compile(r"`([\w.{},*-]+(?:/[\w.{},*-]+)*/?)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
SUFFIXES = (".py", ".c", ".h", ".sh", ".toml", ".md")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    name: str
    world: str
    file: str
    function: str
    test: str
    specification: str


def rules() -> list[Rule]:
    """The rows of "Where is the rule" in docs/architecture.md."""
    section = (
        (ROOT / "docs/architecture.md").read_text("utf-8").partition("## Where is the rule\n")[2].partition("\n## ")[0]
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:2] == "| "]
    found = []
    for name, world, code, test, specification in rows[1:]:
        file, _, function = code.strip("`").partition(":")
        found.append(Rule(name, world, file, function, test.strip("`"), specification))
    return found


def place(file: str) -> Path:
    """A path of the table: below src/bioguard unless it begins with a root."""
    return next((base / file for base in BASES if (base / file).is_file()), ROOT / file)


def module_of(path: Path) -> str:
    """The dotted name of a source file."""
    base = ROOT / "src" if path.is_relative_to(ROOT / "src") else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


@cache
def resolves(name: str) -> bool:
    """Whether a dotted name is a module, a folder of modules, or something in a module."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        path = (ROOT / "src" if parts[0] == "bioguard" else ROOT).joinpath(*parts[:end])
        if is_there(path.with_suffix(".py")) or is_there(path):
            if end == len(parts):
                return True
            thing: object = importlib.import_module(".".join(parts[:end]))
            for attribute in parts[end:]:
                if not hasattr(thing, attribute) and attribute not in getattr(thing, "__annotations__", ()):
                    return False
                thing = getattr(thing, attribute, None)
            return True
    return False


FOLDERS = ("src", "tee_sim", "bench", "tests", "docs", "findings")


def files_below(root: Path) -> list[Path]:
    """The files of a checkout that git tracks; without git, those that exist in its folders and beside them.

    What another layout has left behind (empty folders, compiled modules) is no file of the checkout.
    """
    line = ["git", "-C", str(root), "ls-files", "-z"]
    git = shutil.which("git")
    done = subprocess.run(line, executable=git, capture_output=True, check=False) if git else None
    names = done.stdout.decode().split("\0")[:-1] if done and done.returncode == 0 else []
    if names:
        return [path for path in map(root.joinpath, names) if path.exists()]
    walked = (path for folder in FOLDERS for path in (root / folder).rglob("*") if "__pycache__" not in path.parts)
    return [path for path in (*root.iterdir(), *walked) if path.is_file()]


@cache
def files() -> frozenset[Path]:
    """The files of this checkout."""
    return frozenset(files_below(ROOT))


@cache
def _there() -> frozenset[Path]:
    """Files, and the folders that hold one."""
    return files() | {folder for path in files() for folder in path.parents if folder.is_relative_to(ROOT)}


def is_there(path: Path) -> bool:
    """Whether a path is a file of the checkout, or a folder with one in it."""
    return Path(os.path.normpath(path)) in _there()


@cache
def tracked() -> tuple[str, ...]:
    """Every source, test and page below the checkout, and their folders, from the root."""
    names = [path.relative_to(ROOT) for path in _there()]
    return tuple(f"/{name}" for name in names if name.parts and name.parts[0] in FOLDERS)


def _alternatives(text: str) -> Iterator[str]:
    """`a/{b,c}.md` is two paths."""
    found = re.search(r"\{([^}]*)\}", text)
    if found is None:
        yield text
        return
    for choice in found[1].split(","):
        yield from _alternatives(text[: found.start()] + choice + text[found.end() :])


def exists(page: Path, text: str) -> bool:
    """Whether a path on a page is there: from a root or beside the page.

    A name without a folder may also be that of one file of the checkout, or be in a folder that the page names: the
    end of a longer path is no path, it stays right when the folder in front of it moves.
    """
    return all(
        any(is_there(path) for base in (*BASES, page.parent) for path in base.glob(one)) or _is_one_file(page, one)
        for one in _alternatives(text)
    )


def _is_one_file(page: Path, name: str) -> bool:
    if "/" in name or "*" in name:
        return False
    folders = [path.removesuffix("/" + name).removeprefix("/") for path in tracked() if path.endswith("/" + name)]
    return len(folders) == 1 or any(folder in _folders_named(page) for folder in folders)


@cache
def _folders_named(page: Path) -> frozenset[str]:
    """The folders of the checkout that a page names, as a path or as a dotted name, by themselves or before a file."""
    text = page.read_text("utf-8")
    named = {path.rstrip("/") for path in PATH.findall(text)} | {n.replace(".", "/") for n in DOTTED.findall(text)}
    places = [base / name for base in BASES for name in named if "*" not in name]
    folders = [place if place.is_dir() else place.parent for place in places if is_there(place)]
    return frozenset(str(folder.relative_to(ROOT)) for folder in folders)


def is_path(text: str) -> bool:
    """Whether text in backticks means a file or folder of ours."""
    first = text.partition("/")[0]
    roots = {"src", "tee_sim", "bench", "tests", "docs", "findings", ".ci"}
    rooms = {path.name for path in (ROOT / "src/bioguard").iterdir() if path.is_dir() and is_there(path)}
    return ("/" in text and first in roots | rooms) or text.endswith(SUFFIXES)


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).strip().lower())
    return kept.replace(" ", "-")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Every anchor of a page."""
    return frozenset(slug(text) for text in re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE))
