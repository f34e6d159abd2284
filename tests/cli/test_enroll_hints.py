"""A refusal says what to do, and doing that works: commands of hints exist, an enrollment's are run as printed."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bioguard.cli.__main__ import run
from bioguard.cli.app import cli
from bioguard.device.applications import manifests
from bioguard.device.errors import _BY_ORIGIN, _RESULTS
from bioguard.device.refusals import VOCABULARIES
from bioguard.evidence.attack.device_kit import CommandOutput, DeviceKit


class Desk(DeviceKit):
    """A device and one user, by the command line."""

    def ready(self, *options: str, consent: bool = True) -> None:
        (self.folder / "pin").write_text("4711\n", encoding="ascii")
        (self.folder / "new-pin").write_text("1379\n", encoding="ascii")
        for number, view in enumerate(self.views("alice", 6)):
            self.file(f"{number}.npy", view)
        self.good("device", "init", *options)
        self.good("user", "add", "alice")
        if consent:
            self.good("consent", "grant", "alice", "--purpose", "unlock", "--of-age")

    def good(self, *words: str) -> CommandOutput:
        told = self.cli(*words)
        assert told.code == 0, (words, told)
        return told

    def enroll(self, *numbers: int, pin: str = "") -> CommandOutput:
        files = [str(self.folder / f"{number}.npy") for number in numbers]
        return self.cli("enroll", "alice", "--face", *files, *self.pin(pin))

    def pin(self, name: str) -> list[str]:
        return ["--pin-file", str(self.folder / name)] if name else []

    def follow(self, told: CommandOutput, pin: str) -> None:
        """Run the command that the hint names, with the user's name, the PIN, and a yes to its question."""
        hint = told.err.splitlines()[-1]
        (words,) = re.findall(r"bioguard ((?:erase|pin set|consent grant) [^,(]*)", hint)
        command = ["alice" if word == "USER" else word for word in words.split()]
        asked = ["--force"] if command[0] == "erase" else []
        with_pin = [] if "--operator" in command else self.pin(pin)
        self.good(*command, *asked, *with_pin)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path, manifests(), command_line=run) as made:
        yield made


def error(told: CommandOutput) -> tuple[int, str]:
    return told.code, told.err.split("]")[0].partition("[")[2]


def test_a_user_without_a_pin_is_told_to_set_one(desk: Desk) -> None:
    desk.ready()
    refused = desk.enroll(0, 1, 2)
    assert error(refused) == (5, "enroll.pin_required")
    assert refused.err.splitlines() == [
        "bioguard: error[enroll.pin_required]: this device enrolls nobody without a PIN",
        "hint: run: bioguard pin set USER, then enroll with it",
    ]
    desk.follow(refused, "pin")
    assert desk.enroll(0, 1, 2, pin="pin").code == 0


def test_records_enrolled_without_a_pin_are_erased_first(desk: Desk) -> None:
    desk.ready("--no-require-pin")
    assert desk.enroll(0, 1, 2).code == 0
    desk.good("pin", "set", "alice", *desk.pin("pin"))
    refused = desk.enroll(3, 4, 5, pin="pin")
    assert error(refused) == (5, "enroll.without_pin")
    assert "give the PIN" not in refused.err
    unlock = desk.cli("pin", "unlock", "alice", *desk.pin("pin"))
    assert error(unlock) == (5, "pin.not_owner")
    desk.follow(refused, "pin")
    assert desk.enroll(3, 4, 5, pin="pin").code == 0
    desk.good("pin", "unlock", "alice", *desk.pin("pin"))


def test_records_of_a_pin_that_was_reset_are_erased_by_the_operator(desk: Desk) -> None:
    desk.ready()
    desk.good("pin", "set", "alice", *desk.pin("pin"))
    assert desk.enroll(0, 1, 2, pin="pin").code == 0
    desk.good("pin", "set", "alice", "--reset", *desk.pin("new-pin"))
    refused = desk.enroll(3, 4, 5, pin="new-pin")
    assert error(refused) == (5, "enroll.other_pin")
    for words in (("pin", "unlock", "alice"), ("erase", "alice", "--all", "--force"), ("access", "alice")):
        told = desk.cli(*words, *desk.pin("new-pin"))
        assert error(told) == (5, "pin.not_owner"), words
        assert "bioguard erase" in told.err, words
    desk.follow(refused, "new-pin")
    assert desk.enroll(3, 4, 5, pin="new-pin").code == 0
    desk.good("erase", "alice", "--all", "--force", *desk.pin("new-pin"))


def test_the_unlock_of_somebody_who_enrolled_nothing_is_no_matter_of_ownership(desk: Desk) -> None:
    desk.ready()
    desk.good("pin", "set", "alice", *desk.pin("pin"))
    assert error(desk.cli("pin", "unlock", "alice", *desk.pin("pin"))) == (4, "match.not_enrolled")


def test_a_consent_that_is_missing_is_granted(desk: Desk) -> None:
    desk.ready("--no-require-pin", consent=False)
    refused = desk.enroll(0, 1, 2)
    assert error(refused) == (5, "consent.missing")
    desk.follow(refused, "")
    assert desk.enroll(0, 1, 2).code == 0


def test_who_has_nothing_enrolled_is_enrolled(desk: Desk) -> None:
    desk.ready("--no-require-pin")
    refused = desk.cli("authenticate", "alice", str(desk.folder / "3.npy"))
    assert error(refused) == (4, "match.not_enrolled")
    assert "bioguard enroll USER --face FILE..." in refused.err
    assert desk.enroll(0, 1, 2).code == 0
    assert desk.cli("authenticate", "alice", str(desk.folder / "3.npy")).code == 0


def _hints() -> Iterator[str]:
    for vocabulary in (*VOCABULARIES.values(), _RESULTS, _BY_ORIGIN):
        for *_, hint in vocabulary.values():
            yield from re.findall(r"(?<!start )bioguard ([a-z][^,;`(:]*)", hint)


@pytest.mark.parametrize("words", sorted(set(_hints())))
def test_every_command_that_a_hint_names_exists(words: str) -> None:
    """And so do its options."""
    command: click.Command = cli
    rest = words.split()
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, words
        command, rest = found, rest[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    named = {option for word in rest if word.startswith("--") for option in word.split("/")}
    assert named <= known
