"""The one table of functions: what C has of it, and that it is one."""

import re
from collections import Counter
from pathlib import Path

from tee_sim.shared.gp_functions import BY_NUMBER, Function

HEADER = Path(__file__).parents[3] / "tee_sim/dev_kit/runtime/functions.h"


def test_c_has_the_same_numbers() -> None:
    rows = re.findall(r"^    FUNCTION_(\w+) = (0x[0-9a-f]+),$", HEADER.read_text("ascii"), re.MULTILINE)
    assert [(name, int(number, 16)) for name, number in rows] == [(one.name, one.number) for one in Function]


def test_each_number_and_each_name_is_there_once() -> None:
    assert len(BY_NUMBER) == len(Function)
    assert max(Counter(one.c_name for one in Function).values()) == 1


def test_the_name_in_c_is_the_name_here() -> None:
    for one in Function:
        assert one.c_name.startswith("TEE_")
        assert one.c_name[4:].lower() == one.name.replace("_", "").lower()


def test_numbers_go_with_their_chapter() -> None:
    """Annex B numbers by section: the high byte is the section's, in ascending order."""
    sections = {
        0x02: "4.4", 0x03: "4.8", 0x04: "4.9", 0x05: "4.10", 0x06: "4.11", 0x07: "5.5", 0x08: "5.6", 0x09: "5.7",
        0x0A: "5.8", 0x0B: "5.9", 0x0C: "6.2", 0x0D: "6.3", 0x0E: "6.4", 0x0F: "6.5", 0x10: "6.6", 0x11: "6.7",
        0x12: "6.8", 0x13: "6.9", 0x14: "7.2", 0x15: "8.4", 0x16: "8.5", 0x17: "8.6", 0x18: "8.7", 0x19: "8.8",
        0x1A: "8.9", 0x1B: "8.10", 0x1C: "8.11",
    }  # fmt: skip
    for one in Function:
        assert one.section.removeprefix("1.0, ").rpartition(".")[0] == sections[one.number >> 8], one.c_name


def test_the_table_is_whole() -> None:
    """94 functions, and 37 of arithmetic."""
    chapters = Counter(one.section.removeprefix("1.0, ")[0] for one in Function)
    assert chapters == {"4": 29, "5": 30, "6": 30, "7": 5, "8": 37}
