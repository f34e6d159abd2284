"""The list of what each module may reach: it is the product's, and each way out that is planted in a copy is named."""

from collections import Counter
from pathlib import Path

import pytest

from bioguard.evidence import normal_world_reach, static
from bioguard.evidence.normal_world_scan import COMPILED, modules, reached_by
from bioguard.report import Check, Status

LISTED = normal_world_reach.listed
SOURCE = Path(static.__file__).parents[1]
WAYS = {
    "import ctypes as _c": {"import ctypes"},
    "from subprocess import run": {"import subprocess"},
    "import socket": {"import socket"},
    "import http.client": {"import http.client"},
    "import atexit, mmap": {"import atexit", "import mmap"},
    "import urllib.request as json": {"import urllib.request"},
    "open('/proc/net/route')": {"open"},
    "_o = open": {"open"},
    "import os\nos.open('f', os.O_CREAT)": {"os.open"},
    "import os as json\njson.setxattr('f', 'user.a', b'')": {"os.setxattr"},
    "import os as _x\nimport json as _x\n_x.utime('f')": {"os.utime"},
    "from os import mkfifo as abs": {"os.mkfifo"},
    "import os.path\nos.link('a', 'b')": {"os.link"},
    "import os\nos.execv('a', [])\nos.spawnv(0, 'a', [])\nos.popen('a')\nos.system('a')": {
        "os.execv", "os.spawnv", "os.popen", "os.system",
    },
    "import os\ngetattr(os, 'op' + 'en')": {"os itself", "getattr"},
    "import os\n_y = os": {"os itself"},
    "from bioguard.device.directory import os": {"import bioguard.device.directory.os"},
    "import bioguard.device.directory as d\nd.os.open('f', 0)": {".os", ".open"},
    "from pathlib import Path\nPath('f').write_text('')\nPath('f').write_bytes(b'')": {".write_text", ".write_bytes"},
    "_p.open('ab')": {".open"},
    "getattr(_p, 'write_bytes')(b'')": {".write_bytes"},
    "getattr(_p, chr(111) + 'pen')": {"getattr"},
    "_g = getattr": {"getattr"},
    "_p.replace(_q)": {".replace"},
    "_p.hardlink_to(_q)\n_p.symlink_to(_q)": {".hardlink_to", ".symlink_to"},
    "import sqlite3\nsqlite3.connect('f')": {"import sqlite3"},
    "import io\nio.FileIO('f', 'w')": {"io.FileIO"},
    "import sys\nsys.modules['os']": {"sys.modules"},
    "__import__('so' + 'cket')": {"__import__"},
    "import importlib": {"import importlib"},
    "globals()": {"globals"},
    "eval('1')\nexec('1')\ncompile('1', '', 'eval')": {"eval", "exec", "compile"},
    "().__class__.__base__.__subclasses__()": {".__subclasses__"},
    "import numpy as np\nnp.save('f', a)": {"numpy.save"},
    "a.tofile('f')": {".tofile"},
    "import click\nclick.open_file('f')": {"click.open_file"},
    "from operator import methodcaller": {"operator.methodcaller"},
    "from bioguard.private_files import write": {"import bioguard.private_files"},
    "from bioguard import private_files": {"import bioguard.private_files"},
    "from bioguard.evidence import dsse": {"import bioguard.evidence"},
    "from tee_sim.testing import in_memory": {"import tee_sim.testing"},
    "from . import names": {"relative import"},
    "from json import *": {"import json.*"},
}  # fmt: skip
HARMLESS = (
    "import os\nos.path.join('a', 'b')\nos.O_CREAT\n'a'.replace('a', 'b')\nimport io, json\nio.BytesIO(b'')\n"
    "getattr(x, 'name')\nfrom pathlib import Path\nPath('f').exists()\nimport sys\nprint(file=sys.stderr)\n"
)


@pytest.mark.parametrize("source", WAYS)
def test_each_way_out_is_a_word(source: str) -> None:
    assert {found.word for found in reached_by("m", source)} == WAYS[source]


def test_what_reaches_nothing_is_none() -> None:
    assert list(reached_by("m", HARMLESS)) == []


def test_the_product_reaches_what_is_listed(tmp_path: Path) -> None:
    check = static.normal_world(tmp_path)
    assert (check.status, check.details) == (Status.PASS, ())
    assert check.clauses == ("POL-02", "POL-03", "POL-25", "POL-27")
    assert (tmp_path / "normal-world-reach.json").is_file()


def _one_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str) -> Check:
    package = tmp_path / "bioguard"
    package.mkdir()
    (package / "one.py").write_text(source, "utf-8")
    monkeypatch.setattr(normal_world_reach, "listed", lambda: LISTED([("a reason", {"bioguard.one": words})]))
    return static.normal_world(tmp_path, {"bioguard": package})


@pytest.mark.parametrize(
    ("source", "words", "details"),
    [
        ("import os\nos.link('a', 'b')\n", "os.link", ()),
        ("import os\nos.link('a', 'b')\nos.link('a', 'c')\n", "os.link",
         ("bioguard.one:2: os.link (occurs 2, listed 1)", "bioguard.one:3: os.link (occurs 2, listed 1)")),
        ("\nimport ctypes\nopen('f')\n", "open", ("bioguard.one:2: import ctypes (occurs 1, listed 0)",)),
        ("open('f')\n", "open *2", ("bioguard.one: open: listed more often than it occurs",)),
        ("open('f')\n", "open, os.link", ("bioguard.one: os.link: listed more often than it occurs",)),
    ],
)  # fmt: skip
def test_more_and_less_than_listed_are_both_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str, details: tuple[str, ...]
) -> None:
    check = _one_module(tmp_path, monkeypatch, source, words)
    assert check.details == details
    assert check.status is (Status.FAIL if details else Status.PASS)


def test_a_module_that_cannot_be_read_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = _one_module(tmp_path, monkeypatch, "def", "open")
    assert check.status is Status.FAIL
    assert check.details[0].startswith("bioguard.one: not read: ")


def test_compiled_code_that_nobody_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "more.abi3.so").write_bytes(b"")
    monkeypatch.setattr(normal_world_reach, "listed", Counter)
    check = static.normal_world(tmp_path, {"bioguard": tmp_path / "beside"})
    assert check.details == (f"bioguard.more:0: {COMPILED} (occurs 1, listed 0)",)


def test_nothing_to_read_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(normal_world_reach, "listed", Counter)
    assert static.normal_world(tmp_path, {"bioguard": tmp_path / "empty"}).status is Status.UNKNOWN


def test_every_module_is_read_but_those_that_are_said_to_be_apart() -> None:
    apart = frozenset(normal_world_reach.APART)
    names = {name for name, _ in modules(SOURCE, "bioguard", apart)}
    assert {"bioguard", "bioguard.device.facade", "bioguard.cli.policy", "bioguard.trusted.biometric.app"} <= names
    assert not {name for name in names if name.startswith(("bioguard.evidence", "bioguard.simulate"))}
    sources = {p for p in SOURCE.rglob("*.py") if p.relative_to(SOURCE).parts[0] not in {"evidence", "simulate"}}
    assert len(names) >= len(sources)
