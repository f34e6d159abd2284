"""What each command can tell about an enrolled sample: one row for every command of every application.

A command without a sample in its request compares nothing: its row is made here, and `tests/oracle/test_told.py` plays
it on devices that differ in nothing but what is enrolled. A command with one needs a row in COMPARING; the same test
fails without.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass

from bioguard import commands as tables
from tee_sim.shared.schema import Record, record_fields
from tee_sim.shared.ta_api import Command

SAMPLES = frozenset({"sample", "samples"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a score can bring about.

    Attributes:
        answers: how many different replies it can choose between, as a formula.
        bits: what one counted attempt tells at most, with the default limits.
        counted: what is charged before anything is compared.
        bounded: what holds over all attempts.
    """

    answers: str
    bits: str
    counted: str
    bounded: str


NOT_COMPARED = Row(
    answers="1",
    bits="0",
    counted="no attempt",
    bounded="no sample in the request; of earlier samples it repeats at most what their replies said",
)

COMPARING = {
    "AUTHENTICATE": Row(
        answers="1 + records of the user on this sensor",
        bits="1.6 (two faces), 2.6 (five fingers)",
        counted="user and sensor: 5 misses, then a wait; 20, then the PIN of this user",
        bounded="10 near decisions of a record between two strong matches of it, then strong scores only; a stricter "
        "step asks the same question at a rarer rate and counts the same",
    ),
    "IDENTIFY": Row(
        answers="1 + records that may be searched",
        bits="log2(1 + N): 3.5 for ten records, 16.6 for 100 000",
        counted="sensor: 5 misses, then a wait; 20, then the PIN of anybody enrolled there; no match clears it",
        bounded="as 1:1, and nobody is named whom 1:1 would not accept; none after 50 near decisions, until a strong "
        "claim",
    ),
    "JUDGE": Row(
        answers="1: these samples alone are compared, with one another",
        bits="0",
        counted="no attempt",
        bounded="nothing that is enrolled is looked at",
    ),
    "ENROLL": Row(
        answers="2 for a finger: enrolled already, or stored; 1 for a face",
        bits="1, of strong scores only; of a stranger's finger less than 2e-5 (protected codes: 1e-4)",
        counted="no attempt. With a PIN set it takes that PIN, of the user whose fingers are compared. A user without "
        "one, on a device made with --no-require-pin, is asked nothing",
        bounded="only a strong match says that it is the same finger: who gets this yes has the finger. Without a PIN "
        "nothing counts the questions",
    ),
}


def every_command() -> Iterator[tuple[str, str, Command[Record, Record]]]:
    """Table, name and command of everything that a caller can send, in the order of the tables."""
    for info in pkgutil.iter_modules(tables.__path__):
        module = importlib.import_module(f"{tables.__name__}.{info.name}")
        for name, value in vars(module).items():
            if isinstance(value, Command) and name.isupper():
                yield info.name, name, value


def varied(command: Command[Record, Record]) -> str:
    """What a caller chooses in a request."""
    return ", ".join(field.name for field in record_fields(command.request)) or "nothing"


def compares(command: Command[Record, Record]) -> bool:
    """Whether a sample comes with the request."""
    return any(field.name in SAMPLES for field in record_fields(command.request))


def rows() -> Iterator[tuple[str, str, str, Row]]:
    """Table, name, what can be varied, what is told. Raises KeyError for a command that compares and has no row."""
    for table, name, command in every_command():
        yield table, name, varied(command), COMPARING[name] if compares(command) else NOT_COMPARED


def page() -> str:
    """The table of docs/protection.md."""
    head = [
        "| command | a caller can vary | replies a score can choose between | bits per counted attempt | counted |"
        " over all attempts |",
        "|---|---|---|---|---|---|",
    ]
    body = [
        f"| `{table}.{name}` | {what} | {row.answers} | {row.bits} | {row.counted} | {row.bounded} |"
        for table, name, what, row in sorted(rows(), key=lambda r: r[3] is NOT_COMPARED)
    ]
    return "\n".join(head + body) + "\n"
