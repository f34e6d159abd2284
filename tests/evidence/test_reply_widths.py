"""The list of replies: what is not on it, or wider than it says, is named."""

import importlib
import pkgutil
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import bioguard.commands
from bioguard.commands.biometric import AUTHENTICATE, Decision
from bioguard.evidence import reply_widths
from bioguard.evidence.reply_widths import ALLOWED, flaws, width, widths
from tee_sim.shared.schema import AtMost, Fixed, Items, Record, UpTo
from tee_sim.shared.ta_api import Command


class Color(IntEnum):
    RED = 1
    GREEN = 2
    BLUE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner(Record):
    number: Annotated[int, UpTo(255)]
    flag: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Record):
    status: Color
    digest: Annotated[bytes, Fixed(32)] | None = None
    many: Annotated[tuple[Inner, ...], Items(3)] = ()


def test_bits_are_counted_from_the_types_alone() -> None:
    assert widths(Reply) == {"status": 2, "digest": 256, "many": 29}
    assert width(Annotated[Color, UpTo(15)]) == 4, "an enumeration with a bound takes every number within it"
    assert width(bool | None) > 1.5


def test_the_list_is_that_of_the_product() -> None:
    declared = {
        f"{module.name}.{name}": value
        for module in pkgutil.iter_modules(bioguard.commands.__path__)
        for name, value in vars(importlib.import_module(f"bioguard.commands.{module.name}")).items()
        if isinstance(value, Command)
    }
    assert set(declared) == set(ALLOWED)
    assert [flaw for name, c in declared.items() for flaw in flaws(name, c.number, c.reply)] == []


def test_what_is_not_listed_is_named() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Loud(Record):
        status: Color
        match: Annotated[int, UpTo(3)]
        score: Annotated[int, UpTo(1000)]

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Free(Record):
        status: Annotated[bytes, AtMost(40)]

    name = "biometric.AUTHENTICATE"
    assert list(flaws("biometric.DUMP", 99, Reply)) == ["biometric.DUMP: not on the list of commands"]
    assert list(flaws(name, 12, Decision)) == [f"{name}: its number is 12, not 11"]
    assert list(flaws(name, AUTHENTICATE.number, Loud)) == [
        f"{name}.match: 2 bits, 1 are allowed", f"{name}.score: not on the list of fields",
    ]  # fmt: skip
    assert list(flaws(name, AUTHENTICATE.number, Free)) == [f"{name}: a bound that is not known: AtMost(size_bytes=40)"]


def test_a_command_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from x import Command\nDUMP = Command(99, A, B)\n", "utf-8")
    assert list(reply_widths.commands_elsewhere([tmp_path])) == ["app.py:2: a command of its own"]
    assert list(reply_widths.loose_bounds()) == []
