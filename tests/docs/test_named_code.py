"""Every path, module, link and function that a page names is there, and every test it names would be collected."""

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

from tests.docs.named_code import (
    DOTTED,
    IMPORTED,
    LINK,
    PAGES,
    PATH,
    ROOT,
    Rule,
    anchors,
    exists,
    is_path,
    module_of,
    place,
    resolves,
    rules,
    tracked,
)

NOT_OURS = {
    "scenario.toml",  # of a device
    "bioguard.example",  # a name of a log, in the form of a host
    "bioguard.simulated",  # another
    "evidence/report.html",  # what commands write
    "bench/baselines/KIND/accuracy.json",
    "scores.py",
}
OLD_NAMES = {"docs/upgrading.md": "| what was imported | where it is now |"}
"""The head of a table whose first column names what is no more."""


@cache
def error_codes() -> set[str]:
    """The codes of the bench's errors, which look like modules of it."""
    sources = (path.read_text("utf-8") for path in (ROOT / "bench").rglob("*.py"))
    return {code for source in sources for code in re.findall(r'"(bench\.[a-z_]+)"', source)}


def _text(page: Path) -> str:
    text = page.read_text("utf-8")
    mark = OLD_NAMES.get(str(page.relative_to(ROOT)))
    if mark:
        before, _, behind = text.partition(mark)
        table, _, after = behind.partition("\n\n")
        text = "\n".join([before, *(row.split("|")[-2] for row in table.strip().splitlines()), after])
    return text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_name_on_the_page_is_there(page: Path) -> None:
    text = _text(page)
    names = set(DOTTED.findall(text)) | {
        f"{module}.{name.split(' as ')[0].strip()}"
        for module, listed in IMPORTED.findall(text)
        for name in listed.split(",")
    }
    paths = {path for path in PATH.findall(text) if is_path(path)}
    assert [name for name in sorted(names - NOT_OURS - error_codes()) if not resolves(name)] == []
    assert [path for path in sorted(paths - NOT_OURS) if not exists(page, path)] == []


def test_the_end_of_a_path_is_no_path() -> None:
    page = ROOT / "docs/android-contract.md"
    assert exists(page, "trusted/gatekeeper/app.py")
    assert exists(page, "src/bioguard/trusted/gatekeeper/app.py")
    assert exists(page, "throttle.py"), "the only file of this name"
    assert not exists(page, "gatekeeper/app.py")
    assert not exists(page, "native/scan.h")
    assert not exists(ROOT / "README.md", "gatekeeper.py"), "one of three, and the page names the folder of none"


NOT_A_CLASS_OF_OURS = {"HardwareAuthToken"}


def test_every_class_on_a_page_is_one() -> None:
    sources = [ROOT / path.removeprefix("/") for path in tracked() if path.endswith(".py")]
    words = set(re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in sources)))
    named = {
        (str(page.relative_to(ROOT)), name)
        for page in PAGES
        for name in re.findall(r"`([A-Z][a-z]+[A-Z]\w*)[`.(]", page.read_text("utf-8"))
    }
    assert [(page, name) for page, name in sorted(named) if name not in words | NOT_A_CLASS_OF_OURS] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text("utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_a_rule_is_where_the_page_says(rule: Rule) -> None:
    path = place(rule.file)
    thing: object = importlib.import_module(module_of(path))
    for name in rule.function.split("."):
        thing = getattr(thing, name)
    assert callable(thing)
    assert Path(importlib.import_module(getattr(thing, "__module__", "")).__file__ or "") == path, "only imported there"
    assert rule.world == _world(path)
    file, _, function = rule.test.partition("::")
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    assert file.rpartition("/")[2].startswith("test_")
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert LINK.findall(rule.specification)


def _world(path: Path) -> str:
    """In which world a source file runs, by the folder it lies in."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "tee_sim":
        return {"shared": "both"}.get(parts[1], parts[1])
    room = parts[2].removesuffix(".py")
    if room == "trusted":
        return "secure"
    return (
        "both" if room in {"match", "records", "commands", "proofs", "errors", "exit_codes", "json_text"} else "normal"
    )


def test_the_table_has_the_rules_that_are_asked_for() -> None:
    names = " / ".join(rule.name for rule in rules())
    wanted = [
        "lockout", "AAD", "score threshold", "exit code", "RPMB", "token: MAC", "challenge", "consent", "retention",
        "erase authorization", "exposure budget", "1:N counter", "rates", "enrollment gate", "PIN throttle",
        "AEAD nonces", "key ladder", "rollback", "schema", "filter tables", "verdict", "bits", "salted digest",
    ]  # fmt: skip
    assert [word for word in wanted if word not in names] == []
    assert len(rules()) >= 40


def test_ci_names_tests_that_are_there() -> None:
    """A test that moved would be left out of the lanes of cbor2 without a word."""
    for script in (ROOT / ".ci/cbor", ROOT / ".ci/run", ROOT / "Makefile"):
        for path in re.findall(r"\btests/[\w./-]+", script.read_text("utf-8")):
            assert (ROOT / path).exists(), f"{script.name}: {path}"
