"""Every file and folder that a string of the product names is there: hints, fixes, limits, and docstrings."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.named_code import ROOT, SUFFIXES, exists, files, files_below, is_there

PRODUCT = sorted(
    path
    for path in files()
    if path.suffix == ".py" and any(path.is_relative_to(ROOT / top) for top in ("src/bioguard", "tee_sim"))
)
A_PATH = re.compile(r"(?<![\w./:@<{-])[a-z_][\w.*-]*(?:/[\w.*-]+)+")
A_FILE = re.compile(rf"(?<![\w./:@<{{-])[A-Za-z_][\w*-]*(?:[/.][\w*-]+)*(?:{'|'.join(map(re.escape, SUFFIXES))})\b")
NOT_OURS = re.compile(
    r"""
      bioguard/[\w-]+/\d            # the kind of a document
    | raw/[\w.-]+                   # a file of an evidence bundle
    | (my|other)_ta/manifest\.toml  # examples on the command line
    | scenario\.toml               # of a device
    | manifest\.toml | (counter/)?client\.py | conftest\.py         # in the folder of somebody's own application
    | net/(dev|netlink)               # below /proc
    | run/nscd/socket                # of the C library's name service
    | user_ta_header_defines\.h | host\.c   # the same, in C
    | NAME\.py                       # any source
    | nbis\.py | (FILE|models|phone)\.toml | weights/leader/LEADER\.onnx     # of others: a package, the user, a package
    | input/output | application/vnd\.in-toto | ansi378-2009/am1 | px/cm
    | (c2sp|golang)\.org/.*
    | (face/Error\.aidl|Session\.h|password_handle\.h|gatekeeper\.h|common/util/Util\.h)         # Android
    | (protocol|spec/v1/statement|spec/predicates/test-result)\.md                              # in-toto
    | core/(tee|kernel)/\w+\.c                                                                  # OP-TEE
    | ((linux/include/)?uapi/)?(asm-generic|linux|sys|kernel)/\w+\.[ch] | netdb\.h              # Linux and libc
    """,
    re.VERBOSE,
)


def _named(source: str) -> Iterator[str]:
    """Paths in strings that are shown, and files with a suffix of ours in docstrings too."""
    tree = ast.parse(source)
    documented = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef) and n.body]
    docstrings = {id(n.body[0].value) for n in documented if isinstance(n.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        pattern = A_FILE if id(node) in docstrings else A_PATH
        yield from (name.rstrip(".") for name in {*A_FILE.findall(node.value), *pattern.findall(node.value)})


def _missing(file: Path, source: str) -> list[str]:
    """What is neither where a page may name it, nor below a folder that the file is in (`native/fingers/compare.c`)."""
    above = [folder for folder in file.parents if folder.is_relative_to(ROOT)]
    named = [name for name in _named(source) if not NOT_OURS.fullmatch(name)]
    return [n for n in named if not exists(file, n) and not ("/" in n and any(is_there(f / n) for f in above))]


def test_every_file_that_a_string_names_is_there() -> None:
    missing = {str(f.relative_to(ROOT)): found for f in PRODUCT if (found := _missing(f, f.read_text("utf-8")))}
    assert missing == {}


@pytest.mark.parametrize(
    "source",
    [
        'check(fix="look at the attempt in audit/egress/attempts")',
        'check(fix="argue for it in audit/source_scan.py")',
        'hint = f"see docs/not-there.md, {name}"',
        '"""Scores stay here: attacks.md section 1."""',
        '"""The twin of `native/cylinders.c`."""',
    ],
)
def test_a_file_that_is_not_there_is_found(source: str) -> None:
    assert len(_missing(ROOT / "src/bioguard/evidence/static.py", source)) == 1
    assert _missing(ROOT / "src/bioguard/evidence/static.py", '"""docs/policy.md and `evidence/static.py`"""') == []


@pytest.mark.parametrize("with_git", [True, False])
def test_what_an_old_tree_has_left_behind_is_not_there(with_git: bool, tmp_path: Path) -> None:
    for name in ("src/new/kept.py", "README.md", "docs/old/__pycache__/gone.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "src/old/empty").mkdir(parents=True)
    if with_git:
        for line in (["init", "-q"], ["add", "src/new/kept.py", "README.md"]):
            subprocess.run(["git", "-C", str(tmp_path), *line], check=True)
        (tmp_path / "src/untracked.py").write_bytes(b"")
    assert {str(path.relative_to(tmp_path)) for path in files_below(tmp_path)} == {"README.md", "src/new/kept.py"}


def test_this_checkout_has_its_files_and_no_compiled_ones() -> None:
    assert {ROOT / "README.md", Path(__file__)} <= files()
    assert is_there(ROOT / "src/bioguard/../bioguard/trusted")
    assert not is_there(ROOT / "src/bioguard/__pycache__")
    assert len(PRODUCT) > 300
