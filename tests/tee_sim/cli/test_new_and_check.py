"""new makes an application that runs; check names what would go wrong, with its line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tee_sim.cli.conftest import EXAMPLES, Command, image


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)


def test_new_says_where_pytest_is_missing(tee_sim: Command, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = tee_sim("new", "vault")
    assert (said.status, said.err) == (
        0, "pytest is not installed beside tee-sim: pip install pytest, or bioguard[ta]\n",
    )  # fmt: skip


def test_what_new_makes_is_checked_and_passes_both_ways(tee_sim: Command, here: Path) -> None:
    said = tee_sim("new", "vault")
    assert said.out == "made vault/; next: cd vault; tee-sim check .; pytest; pytest --tee=locked\n"
    assert sorted(image(here / "vault")) == [
        "client.py", "conftest.py", "manifest.toml", "test_vault.py", "vault/__init__.py", "vault/app.py",
        "vault/commands.py",
    ]  # fmt: skip
    assert not [name for name, text in image(here / "vault").items() if re.search(rb"@[A-Z]+@", text)]
    assert tee_sim("check", "vault").out == "vault: nothing found\n"
    for mode in ("process", "locked"):
        done = pytest_in(here / "vault", f"--tee={mode}")
        assert done.returncode == 0, done.stdout
        assert "4 passed" in done.stdout


def test_the_example_of_the_documentation_passes_both_ways(here: Path) -> None:
    for mode in ("process", "locked"):
        done = pytest_in(here / "counter", f"--tee={mode}")
        assert done.returncode == 0, done.stdout
        assert "5 passed" in done.stdout
    assert image(EXAMPLES / "counter") == image(here / "counter")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Vault", "'Vault' is no name"),
        ("class", "'class' is no name"),
        ("../vault", "'../vault' is no name"),
        ("json", "a Python package is called json already"),
        ("numpy", "a Python package is called numpy already"),
        ("counter", "counter is there already"),
    ],
)
def test_new_refuses_a_name_and_makes_nothing(tee_sim: Command, here: Path, name: str, error: str) -> None:
    before = image(here)
    said = tee_sim("new", name)
    assert (said.status, said.err.splitlines()[0]) == (4, f"tee-sim: error[tee.bad_parameters]: {error}")
    assert image(here) == before
    assert sorted(p.name for p in here.iterdir()) == ["counter"]


def change(here: Path, file: str, before: str, after: str) -> None:
    text = (here / "vault" / file).read_text()
    assert before in text
    (here / "vault" / file).write_text(text.replace(before, after))


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (
            "vault:../../secret",
            "vault/manifest.toml:7: resources: 'vault:../../secret' is not package:file, a file below the folder "
            "of the package",
        ),
        ("vault:link", "leads out of {here}/vault/vault, the folder of its package"),
    ],
)
def test_a_resource_outside_the_package_is_found(tee_sim: Command, here: Path, resource: str, said: str) -> None:
    tee_sim("new", "vault")
    (here / "secret").write_text("HUK")
    (here / "vault" / "vault" / "link").symlink_to(here / "secret")
    change(here, "manifest.toml", 'preload = ["tee_sim"]', f'preload = ["tee_sim"]\nresources = ["{resource}"]')
    checked = tee_sim("check", "vault")
    assert said.format(here=here) in checked.out + checked.err, (checked.out, checked.err)
    assert "hint: move the file into the" in checked.out + checked.err
    assert checked.status != 0


APP = "vault/app.py"
IMPORT = "from typing import Any\n"


@pytest.mark.parametrize(
    ("file", "before", "after", "found"),
    [
        (
            "manifest.toml",
            'preload = ["tee_sim"]',
            "preload = []",
            "vault/vault/app.py:6: imports tee_sim.shared.errors, which is not under preload\n"
            '  hint: add "tee_sim" to preload',
        ),
        (
            "manifest.toml",
            '["vault.*"]',
            '["vault", "vault.app"]',
            "vault/vault/app.py:5: imports vault.commands, which is not under code\n"
            '  hint: add "vault.commands" to code, or take all: "vault.*"',
        ),
        (
            "manifest.toml",
            "vault.app:Vault",
            "vault.safe:Vault",
            "vault/manifest.toml:4: module vault.safe of the entry is not under code\n"
            '  hint: add "vault.safe" to code, or correct the entry',
        ),
        (
            "manifest.toml",
            "vault.app:Vault",
            "vault.app:Safe",
            "vault/manifest.toml:4: vault/vault/app.py has no class Safe\n  hint: classes there: Vault",
        ),
        (
            APP,
            IMPORT,
            "from typing import Any\nimport socket\n",
            "vault/vault/app.py:4: imports socket: the lock kills for a socket\n"
            "  hint: keep data in env.store, randomness in env.rng, time in env.clock (docs/writing-a-ta.md)",
        ),
        (
            APP,
            '_OBJECT = b"number"',
            '_OBJECT = open("number", "rb").read()',
            "vault/vault/app.py:9: open(): the lock kills for a file\n"
            "  hint: keep data in env.store, randomness in env.rng, time in env.clock (docs/writing-a-ta.md)",
        ),
        (
            APP,
            IMPORT,
            "from typing import Any\nimport threading\nLOCK = threading.Lock()\nTHREAD = threading.Thread()\n",
            "vault/vault/app.py:6: threading.Thread: the lock kills for a thread\n"
            "  hint: keep data in env.store, randomness in env.rng, time in env.clock (docs/writing-a-ta.md)\n"
            "vault: 1 problem(s)",
        ),
        (
            APP,
            IMPORT,
            "from typing import Any\nimport absent\n",
            'vault/vault/app.py:4: imports absent, which is not under preload\n  hint: add "absent" to preload',
        ),
        (
            "vault/commands.py",
            "    value: Annotated[int, UpTo(LARGEST)]",
            "    value: Annotated[str, Text(LARGEST)]",
            "vault/vault/commands.py:27: Value, the reply of ADD, has free bytes or text in it\n"
            '  hint: bound every field (Fixed, UpTo, Items), or write: replies = "free"',
        ),
        (
            "vault/commands.py",
            "    value: Annotated[int, UpTo(LARGEST)]",
            "    value: bytes",
            "vault/vault/commands.py:27: Value, the reply of ADD, is no record: value: bytes needs a bound\n"
            '  hint: bound every field (Fixed, UpTo, Items), or write: replies = "free"',
        ),
        (
            APP,
            "class Vault",
            "class Vault Safe",
            "vault/vault/app.py:12: syntax error: ",
        ),
        (
            "manifest.toml",
            'preload = ["tee_sim"]',
            'preload = ["tee_sim", "absent"]',
            "vault/manifest.toml:6: absent cannot be imported: No module named 'absent'\n"
            "  hint: install it, or take it out of preload",
        ),
    ],
)
def test_check_names_file_line_and_hint(
    tee_sim: Command, here: Path, file: str, before: str, after: str, found: str
) -> None:
    tee_sim("new", "vault")
    change(here, file, before, after)
    if "Text(" in after:
        change(here, file, "import Record, UpTo", "import Record, Text, UpTo")
    said = tee_sim("check", "vault")
    assert said.status == 3
    assert said.out.startswith(found)


FORBIDDEN = """\
import importlib
import io, codecs, os, signal, sys, threading
import ctypes, mmap
import os.path as p
from os import system, fork as split, path
from faulthandler import *
from pathlib import Path
from datetime import datetime
import xml.dom.minidom
import xml.dom.minidom as dom
import posix, _signal as s
from posixpath import *
from posix import fork as third

posix.write(1, b"x"), s.alarm(1), isdir("x")
os.system("true")
os.open("x", 0), os.listdir("."), os.write(1, b"x"), os.kill(1, 9)
os._exit(3)
signal.signal(2, print)
enable()
Path("x").read_text()
HERE = Path("x"); HERE.read_bytes()
io.open("x"), codecs.open("x")
importlib.import_module("colorsys")
importlib.import_module("vault.commands"), __import__("colorsys")
sys.stdin.read()
p.exists("x"), os.path.isfile("x"), path.islink("x")
ctypes.CDLL("None"), ctypes.CDLL(None), ctypes.create_string_buffer(3), ctypes.CFUNCTYPE(None)
mmap.mmap(-1, 9), mmap.mmap(-1, 9, flags=mmap.MAP_PRIVATE)
xml.dom.minidom.parseString("<a/>"), dom.parse("x")
datetime.strptime("1", "%d"), datetime.now()
os.getpid(), os.urandom(3), os.path.join("a", "b"), os.getenv("A"), signal.getsignal(2), threading.Lock()
open("x"), io.BytesIO(b"x").read(), {"x": 1}.get("open")
"""
FOUND = """\
5: imports os.system: the lock kills for a process
5: imports os.fork: the lock kills for a process
13: imports posix.fork: the lock kills for a process
15: os.write: the lock kills for a file
15: signal.alarm: the lock kills for a signal
15: os.path.isdir: the lock kills for a file
16: os.system: the lock kills for a process
17: os.open: the lock kills for a file
17: os.listdir: the lock kills for a file
17: os.write: the lock kills for a file
17: os.kill: the lock kills for a process
18: os._exit: it ends the process of the application
19: signal.signal: the lock kills for a signal
20: faulthandler.enable: the lock kills for a signal
21: pathlib.Path.read_text: the lock kills for a file
22: pathlib.Path.read_bytes: the lock kills for a file
23: io.open: the lock kills for a file
23: codecs.open: the lock kills for a file
24: importlib.import_module(): after the lock there is no module that was not loaded before it
25: __import__(): after the lock there is no module that was not loaded before it
26: sys.stdin: there is nothing to read from
27: os.path.exists: the lock kills for a file
27: os.path.isfile: the lock kills for a file
27: os.path.islink: the lock kills for a file
28: ctypes.CDLL: the lock kills for a library that is not in memory yet
28: ctypes.CFUNCTYPE: the lock kills for memory that could be executed
29: mmap.mmap: the lock kills for memory that could be shared
30: xml.dom.minidom.parseString loads xml.dom.expatbuilder when it is called, and after the lock it is not found
30: xml.dom.minidom.parse loads xml.dom.expatbuilder when it is called, and after the lock it is not found
31: datetime.datetime.strptime loads _strptime when it is called, and after the lock it is not found
33: open(): the lock kills for a file
"""


def test_check_finds_every_call_that_the_lock_forbids_by_name_in_the_order_of_lines(
    tee_sim: Command, here: Path
) -> None:
    tee_sim("new", "vault")
    (here / "vault/vault/calls.py").write_text(FORBIDDEN)
    said = tee_sim("check", "vault")
    lines = said.out.splitlines()
    prefix = "vault/vault/calls.py:"
    assert [line.removeprefix(prefix) for line in lines if line.startswith(prefix)] == FOUND.splitlines()
    assert (said.status, lines[-1]) == (3, f"vault: {len(FOUND.splitlines())} problem(s)")
    assert lines.count('  hint: add "xml.dom.expatbuilder" to preload') == 2
    assert lines.count("  hint: write an import statement, or name the module under preload") == 2
    assert lines.count('  hint: add "_strptime" to preload') == 1


def test_what_is_under_preload_is_not_late(tee_sim: Command, here: Path) -> None:
    tee_sim("new", "vault")
    text = "import importlib, xml.dom.minidom as dom\nimportlib.import_module('colorsys')\ndom.parseString('<a/>')\n"
    (here / "vault/vault/calls.py").write_text(text)
    assert tee_sim("check", "vault").status == 3
    change(here, "manifest.toml", '["tee_sim"]', '["tee_sim", "colorsys", "xml.dom.expatbuilder"]')
    assert tee_sim("check", "vault").out == "vault: nothing found\n"


def test_check_finds_a_submodule_that_is_loaded_late(tee_sim: Command, here: Path) -> None:
    tee_sim("new", "vault")
    change(here, "manifest.toml", 'preload = ["tee_sim"]', 'preload = ["tee_sim", "numpy"]')
    change(here, APP, IMPORT, "from typing import Any\n\nimport numpy as np\n\nSIZE = np.zeros(3).size\n")
    assert tee_sim("check", "vault").out == "vault: nothing found\n"
    change(here, APP, "SIZE = np.zeros(3).size", "RNG = np.random")
    done = subprocess.run(
        [sys.executable, "-m", "tee_sim.cli", "check", "vault"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        3,
        "vault/vault/app.py:7: uses numpy.random, which is loaded only when it is used, and the lock kills for that",
    )


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        ("objects = 10\n", "objekts = 10\n", "error[manifest.unknown_key]: vault/manifest.toml:10: quota.objekts: "),
        ("flags = [", "flags = 1 # [", "error[manifest.wrong_type]: vault/manifest.toml:7: flags: "),
        ("uuid = ", "= ", "error[manifest."),
    ],
)
def test_check_of_a_manifest_that_is_none_names_key_and_line(
    tee_sim: Command, here: Path, before: str, after: str, error: str
) -> None:
    tee_sim("new", "vault")
    change(here, "manifest.toml", before, after)
    said = tee_sim("check", "vault")
    assert said.status == 4
    assert said.err.startswith(f"tee-sim: {error}")


@pytest.mark.parametrize("end", ["raise SystemExit(0)", "raise KeyError(1)"])
@pytest.mark.parametrize("file", ["vault/commands.py", "early.py"])
def test_code_that_ends_while_it_is_looked_at_is_no_pass(
    tee_sim: Command, here: Path, monkeypatch: pytest.MonkeyPatch, file: str, end: str
) -> None:
    tee_sim("new", "vault")
    if file == "early.py":
        # not `syspath_prepend`, which gives back the list of `here`, and not the one before it
        monkeypatch.setattr(sys, "path", [str(here / "vault"), *sys.path])
        change(here, "manifest.toml", '["tee_sim"]', '["tee_sim", "early"]')
    with (here / "vault" / file).open("a") as opened:
        opened.write(f"\n{end}\n")
    said = tee_sim("check", "vault")
    assert (said.status, said.err) == (3, "")
    assert " cannot be imported: " in said.out
