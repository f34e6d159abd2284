"""What a value of a manifest may be, and the error for one that is not."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum, unique
from uuid import UUID

from tee_sim.shared.errors import Origin, TeeError, TeeResult

FORMAT = "docs/formats/manifest.md"
_SHOWN_CHARS = 40


@unique
class Misfit(StrEnum):
    """What is wrong with a manifest."""

    SYNTAX = "syntax"
    UNKNOWN_KEY = "unknown_key"
    MISSING_KEY = "missing_key"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    WRONG_VALUE = "wrong_value"
    TWICE = "twice"


class ManifestError(TeeError):
    """A manifest that is refused. BAD_PARAMETERS, origin API.

    Args:
        misfit: the kind of mistake.
        why: what is wrong, in words.
        key: the key at fault, with its table in front; empty for the file as a whole.
        file: where it stands, as the caller named it.
        line: counted from 1; 0 if there is none, for a manifest that was made without a file or for a missing key.
        hint: what to write instead.
    """

    def __init__(
        self, misfit: Misfit, why: str, *, key: str = "", file: str = "", line: int = 0, hint: str = f"see {FORMAT}"
    ) -> None:
        self.misfit, self.why, self.key, self.file, self.line = misfit, why, key, file, line
        where = (file or "manifest") + (f":{line}" if line else "")
        text = f"{where}: {key}: {why}" if key else f"{where}: {why}"
        super().__init__(TeeResult.BAD_PARAMETERS, text, origin=Origin.API, hint=hint)

    @property
    def code(self) -> str:
        """A stable name of the kind of mistake."""
        return f"manifest.{self.misfit}"

    def at(self, file: str, line: int) -> "ManifestError":
        """The same, found in this line of this file."""
        return ManifestError(self.misfit, self.why, key=self.key, file=file, line=line, hint=self.hint)


MAX_I64 = (1 << 63) - 1
"""TOML 1.0 promises integers up to here."""


def shown(value: str) -> str:
    """Text of a stranger in an error: short, and without what a terminal obeys."""
    return ascii(value[:_SHOWN_CHARS])


Read = Callable[[object], object]
"""From TOML's value to the record's. Raises ManifestError without key and place."""


def text(size_chars: int, pattern: str = "", what: str = "") -> Read:
    """A string of printable ASCII characters, and of this pattern."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ManifestError(Misfit.WRONG_TYPE, f"expected a string, found {kind_of(value)}")
        if not (0 < len(value) <= size_chars and value.isascii() and value.isprintable()):
            raise ManifestError(Misfit.OUT_OF_RANGE, f"expected 1 to {size_chars} printable ASCII characters")
        if pattern and not re.fullmatch(pattern, value):
            raise ManifestError(Misfit.WRONG_VALUE, f"{shown(value)} is not {what}")
        return value

    return read


def uuid(value: object) -> bytes:
    """A UUID in its usual form, as 16 bytes."""
    if not isinstance(value, str):
        raise ManifestError(Misfit.WRONG_TYPE, f"expected a string, found {kind_of(value)}")
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        raise ManifestError(Misfit.WRONG_VALUE, f"{shown(value)} is not a UUID")
    return UUID(value).bytes


def each(count: int, item: Read) -> Read:
    """A list of at most `count`."""

    def read(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise ManifestError(Misfit.WRONG_TYPE, f"expected a list, found {kind_of(value)}")
        if len(value) > count:
            raise ManifestError(Misfit.OUT_OF_RANGE, f"{len(value)} items, expected at most {count}")
        return tuple(map(item, value))

    return read


def number(lowest: int, highest: int) -> Read:
    """An integer between two bounds, both allowed."""

    def read(value: object) -> int:
        if type(value) is not int:  # TOML's true is Python's 1
            raise ManifestError(Misfit.WRONG_TYPE, f"expected an integer, found {kind_of(value)}")
        if not lowest <= value <= highest:
            raise ManifestError(Misfit.OUT_OF_RANGE, f"expected {lowest} to {highest}")
        return value

    return read


def numbered(most: int, highest: int, value_of: Read, make: Callable[[int, object], object], example: str) -> Read:
    """A table whose keys are numbers from 0 to `highest`, in decimal, as at most `most` items in their order."""

    def read_one(key: str, value: object) -> object:
        if not re.fullmatch(r"0|[1-9][0-9]{0,18}", key) or int(key) > highest:
            raise ManifestError(
                Misfit.UNKNOWN_KEY, f"expected a number from 0 to {highest}", key=key_shown(key), hint=example
            )
        try:
            return make(int(key), value_of(value))
        except ManifestError as error:
            raise ManifestError(error.misfit, error.why, key=key, hint=example) from None

    def read(value: object) -> tuple[object, ...]:
        if not isinstance(value, dict):
            raise ManifestError(Misfit.WRONG_TYPE, f"expected a table, found {kind_of(value)}")
        if len(value) > most:
            raise ManifestError(Misfit.OUT_OF_RANGE, f"{len(value)} entries, expected at most {most}")
        return tuple(read_one(key, one) for key, one in sorted(value.items(), key=lambda item: item[0]))

    return read


def key_shown(key: str) -> str:
    """A key of a stranger in an error: as it is if it is plain, else as `shown`."""
    return key if re.fullmatch(r"[\w-]{1,40}", key, re.ASCII) else shown(key)


def one_of(choices: Mapping[str, object]) -> Read:
    """One of these words, as what it stands for."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            raise ManifestError(Misfit.WRONG_TYPE, f"expected a string, found {kind_of(value)}")
        if value not in choices:
            raise ManifestError(Misfit.WRONG_VALUE, f"{shown(value)} is not {' or '.join(choices)}")
        return choices[value]

    return read


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a float"),
    (str, "a string"),
    (list, "a list"),
    (dict, "a table"),
)


def kind_of(value: object) -> str:
    return next((word for kind, word in _KINDS if isinstance(value, kind)), "a date or time")
