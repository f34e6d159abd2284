"""`tee-sim attack`: a new application holds, each kind of bug is said, and nothing is passed that was not played."""

from pathlib import Path

import pytest

from tee_sim.testing.attacks.bench import ATTACKS
from tests.tee_sim.cli.conftest import Command

APP = Path("vault/vault/app.py")
HANDLER = "        value = self._stored() + request.step\n"


def change(before: str, after: str) -> int:
    """Change the application, and return the line of what was put in."""
    text = APP.read_text()
    assert text.count(before) == 1
    APP.write_text(text.replace(before, after))
    return text[: text.index(before)].count("\n") + 1


EVERY = pytest.param((), marks=pytest.mark.campaign)


@pytest.mark.parametrize("only", [("any.well-formed", "any.malformed", "any.restart"), EVERY])
def test_a_new_application_holds(only: tuple[str, ...], tee_sim: Command) -> None:
    """The suite plays each attack on one without a bug in tests/tee_sim/attacks."""
    tee_sim("new", "vault")
    said = tee_sim("attack", "vault", *(word for name in only for word in ("--only", name)))
    assert (said.status, said.err) == (0, "")
    assert said.out.splitlines() == [
        "attacked vault: vault/manifest.toml",
        f"{len(only or ATTACKS)} of {len(ATTACKS)} attacks played, 0 worked, 0 unknown",
    ]


def test_a_command_that_is_made_to_panic_is_found_with_its_line(tee_sim: Command) -> None:
    said = tee_sim("attack", "counter", "--only", "any.well-formed")
    line = Path("counter/counter/app.py").read_text().splitlines().index("        raise ZeroDivisionError") + 1
    assert (said.status, said.err) == (3, "")
    assert said.out.splitlines() == [
        "found   any.well-formed: command 3 of counter dies of a well-formed message "
        f"(ZeroDivisionError at app.py:{line})",
        "attacked counter: counter/manifest.toml",
        "1 of 14 attacks played, 1 worked, 0 unknown",
    ]


def test_a_key_in_a_print_is_found(tee_sim: Command) -> None:
    tee_sim("new", "vault")
    change("        self._store = env.store\n", "        self._env = env\n        self._store = env.store\n")
    change(HANDLER, f'        print("key:", self._env.keys.derive("number").hex())\n{HANDLER}')
    said = tee_sim("attack", "vault", "--only", "any.key")
    assert said.status == 3
    assert said.out.splitlines()[0] == "found   any.key-in-replies: vault leaks a key into printed or logged text"
    assert "key:" not in said.out + said.err, "what an application prints is listened to, and not passed on"


def test_one_that_takes_no_session_is_unknown_and_no_pass(tee_sim: Command) -> None:
    tee_sim("new", "vault")
    change("        self._store = env.store\n", "        self._store = env.stores\n")
    said = tee_sim("attack", "vault", "--only", "any.restart")
    assert said.status == 6
    assert said.out.splitlines() == [
        "unknown any.restart: the target answered TARGET_DEAD",
        "attacked vault: vault/manifest.toml",
        "1 of 14 attacks played, 0 worked, 1 unknown",
    ]
    assert said.err.splitlines() == [
        "tee-sim: error[attack.unknown]: any.restart could not be played: the target answered TARGET_DEAD",
        "hint: let the application start and take a session first; look: tee-sim invoke PATH COMMAND --debug",
    ]


@pytest.mark.parametrize(
    ("end", "status"),
    [("os._exit(0)", 0), ("os.kill(os.getpid(), 9)", -9), ("os.execv('/bin/true', ['true'])", 0)],
)
def test_one_that_ends_the_process_is_no_pass(tee_sim: Command, end: str, status: int) -> None:
    tee_sim("new", "vault")
    change(HANDLER, f"        {end}\n{HANDLER}")
    change("from typing import Any\n", "import os\nfrom typing import Any\n")
    said = tee_sim("attack", "vault")
    assert (said.status, said.out) == (6, "")
    assert said.err.splitlines() == [
        f"tee-sim: error[attack.unknown]: the process that was attacked ended with {status} before all was played",
        "hint: look for what ends it (os._exit, os.kill, os.exec*, a fault in C): run: tee-sim check PATH",
    ]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("counter", "--only", "nonsense"), "error[usage]: no attack is called 'nonsense'"),
        ((), "error[usage]: Missing argument 'PATH...'."),
    ],
)
def test_usage(tee_sim: Command, words: tuple[str, ...], error: str) -> None:
    said = tee_sim("attack", *words)
    assert (said.status, said.out) == (2, "")
    assert said.err.splitlines() == [f"tee-sim: {error}", "hint: run: tee-sim attack --help"]


def test_the_list(tee_sim: Command) -> None:
    said = tee_sim("attack", "--list")
    assert (said.status, len(said.out.splitlines())) == (0, len(ATTACKS))
    assert "any.power-cut           keep any application from starting again with a power cut" in said.out
