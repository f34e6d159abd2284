"""Finds the line of each key of a TOML text, which `tomllib` does not keep.

Only for texts that `tomllib` has accepted: what is wrong with the others, and where, is in its error.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str, ...]

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # up to two quotation marks may stand before the closing three (TOML 1.0, strings)
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|\n|[\[{]|[\]}]"
    r"|[^\"'\#\n\[\]{}]+",
    re.DOTALL,
)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header and each key with its value, and the line it begins in."""
    line, begun, depth, parts = 1, 1, 0, list[str]()
    for found in _TOKEN.finditer(text + "\n"):
        part = found[0]
        depth += (part in ("[", "{")) - (part in ("]", "}"))
        if part == "\n" and depth == 0:
            yield begun, "".join(parts)
            parts.clear()
            begun = line + 1
        else:
            parts.append(part)
        line += part.count("\n")


def _paths(table: Mapping[str, Any]) -> Iterator[KeyPath]:
    for key, value in table.items():
        yield (key,)
        if isinstance(value, dict):
            yield from ((key, *rest) for rest in _paths(value))


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, counted from 1, in which each key and each table first appears, by its path from the top.

    Tables of a list (`[[name]]`) are told apart by their number in it, from 0, after its name.
    """
    import tomllib  # noqa: PLC0415 - the secure world is given manifests that were read

    lines: dict[KeyPath, int] = {}
    header: KeyPath = ()
    lists: dict[KeyPath, int] = {}
    for line, statement in _statements(text.replace("\r\n", "\n")):  # as TOML does
        # Each statement is TOML of its own; the table of a key is the last header's.
        is_header = statement.lstrip().startswith("[")
        paths = list(_paths(tomllib.loads(statement)))
        if is_header:
            named = max(paths, key=len, default=())
            if statement.lstrip().startswith("[["):
                lists[named] = lists.get(named, -1) + 1
            header = _numbered(named, lists)
            paths = [header[:end] for end in range(1, len(header) + 1)]
        for path in paths:
            lines.setdefault(path if is_header else header + path, line)
    return lines


def _numbered(named: KeyPath, lists: Mapping[KeyPath, int]) -> KeyPath:
    """The path of a table with the number of the last table of each list that it is in."""
    path: KeyPath = ()
    for end, part in enumerate(named, 1):
        number = lists.get(named[:end])
        path = (*path, part) if number is None else (*path, part, str(number))
    return path
