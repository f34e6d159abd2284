"""The JSON files of a device's normal world: one way to read them, one way to replace them, one error for damage."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.private_files import read_json, write_file
from tee_sim.shared.dataclass import dataclass

T = TypeVar("T")
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFile(Generic[T]):
    """One kind of file: an object with `format` and one field.

    Attributes:
        name: of the file.
        field: which holds the content.
        parse: reads the field; raises ValueError, KeyError, TypeError, AttributeError or InputRefused for what `plain`
            does not make.
        plain: what to write.
        code, hint: of the error for a file that is something else.
    """

    name: str
    field: str
    parse: Callable[[Any], T]
    plain: Callable[[T], object]
    code: str
    hint: str

    def damaged(self) -> IntegrityFailure:
        """The error for a file that is not what `save` writes."""
        return IntegrityFailure(f"{self.name} is damaged", hint=self.hint, code=self.code)

    def load(self, directory: Path) -> T | None:
        """Read the file; None if there is none.

        Raises:
            IntegrityFailure: `damaged`; and as `bioguard.private_files.read_file`.
        """
        document = read_json(directory, self.name, damaged=self.damaged)
        if document is None:
            return None
        try:
            if document["format"] != _FORMAT:
                raise ValueError
            return self.parse(document[self.field])
        except (ValueError, KeyError, AttributeError, TypeError, InputRefused):
            raise self.damaged() from None

    def save(self, directory: Path, content: T) -> None:
        """Replace the file atomically, mode 0600."""
        document = {"format": _FORMAT, self.field: self.plain(content)}
        write_file(directory, self.name, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
