"""JSON that somebody else may have written: one parser, with everything refused that our own writer never writes."""

import json
from typing import Any


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Bound the size before: a value may take twenty times the memory of its text.

    Raises:
        ValueError: not UTF-8, not JSON, nested deeper than the interpreter follows (a few hundred levels at the least),
            a name that occurs twice in an object (RFC 8259 section 4 leaves open which one counts), NaN or Infinity.
    """
    try:
        return json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            object_pairs_hook=_pairs,
            parse_constant=_no_constant,
        )
    except RecursionError:
        raise ValueError("nested too deep") from None
