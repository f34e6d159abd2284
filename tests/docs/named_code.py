"""What the pages name of the code: paths, dotted names, links and the rows of "Where is the rule"."""

import importlib
import re
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
        if path.with_suffix(".py").is_file() or path.is_dir():
            if end == len(parts):
                return True
            thing: object = importlib.import_module(".".join(parts[:end]))
            for attribute in parts[end:]:
                if not hasattr(thing, attribute) and attribute not in getattr(thing, "__annotations__", ()):
                    return False
                thing = getattr(thing, attribute, None)
            return True
    return False


@cache
def tracked() -> tuple[str, ...]:
    """Every source, test and page below the checkout, from the root."""
    folders = ("src", "tee_sim", "bench", "tests", "docs", "findings")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    return tuple("/" + str(path.relative_to(ROOT)) for path in paths)


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
        any(next(base.glob(one), None) for base in (*BASES, page.parent)) or _is_one_file(page, one)
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
    folders = [place if place.is_dir() else place.parent for place in places if place.exists()]
    return frozenset(str(folder.relative_to(ROOT)) for folder in folders)


def is_path(text: str) -> bool:
    """Whether text in backticks means a file or folder of ours."""
    first = text.partition("/")[0]
    roots = {"src", "tee_sim", "bench", "tests", "docs", "findings", ".ci"}
    rooms = {path.name for path in (ROOT / "src/bioguard").iterdir() if path.is_dir()}
    return ("/" in text and first in roots | rooms) or text.endswith(SUFFIXES)


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).strip().lower())
    return kept.replace(" ", "-")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Every anchor of a page."""
    return frozenset(slug(text) for text in re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE))
