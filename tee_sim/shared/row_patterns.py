"""Which rows a command writes, as its manifest says it: then a commit that writes them tells next to nothing.

    writes = { 11 = ["S01*", "H L# S01* X01"] }

Each text is one commit: the ids of its rows, a letter and bytes in hexadecimal digits. After those, `?` is one byte, a
number of the request, the same in all ids of the commit. At the end of an id, `*` is a word of the request, again the
same in all of them, and `#` a number of eight bytes: that of the row used last, or the next.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Final

Commit = tuple[tuple[bytes, str], ...]
MAX_COMMITS: Final = 16
MAX_CHARS: Final = 120
COMMIT: Final = r"[A-Za-z]([0-9a-f]{2})*\??[*#]?( [A-Za-z]([0-9a-f]{2})*\??[*#]?)*"
"""Of the text of one commit."""
_ROW: Final = re.compile(r"([A-Za-z])((?:[0-9a-f]{2})*)(\??[*#]?)")
_NUMBER: Final = "?"
_NUMBER_BYTES: Final = 8


@lru_cache(maxsize=256)
def parse_commit(text: str) -> Commit:
    """Of each row the bytes that its id begins with, and what it ends in: `?`, `*`, `#`, or nothing."""
    rows = (_ROW.fullmatch(row) for row in text.split(" "))
    return tuple((row[1].encode("ascii") + bytes.fromhex(row[2]), row[3]) for row in rows if row)


def numbered(commit: Commit, numbers: Collection[int]) -> Iterator[Commit]:
    """What a commit is with each of the numbers of a request: itself, if it has no `?`."""
    if not any(end.startswith(_NUMBER) for _, end in commit):
        yield commit
        return
    for number in sorted(numbers):
        yield tuple(
            (start + bytes([number]), end[1:]) if end.startswith(_NUMBER) else (start, end) for start, end in commit
        )


def matches(
    commit: Commit,
    ids: Collection[bytes],
    words: Collection[bytes],
    numbered: Mapping[bytes, Collection[bytes]],
) -> bool:
    """Whether a commit writes exactly these rows.

    Args:
        ids: of the rows that it puts.
        words: of the request.
        numbered: by what they begin with, the ids with a number that may be put: the one used last, and the next.
    """
    if len(commit) != len(ids):
        return False
    return any(_fits(commit, set(ids), word, numbered) for word in (words or (b"",)))


def _fits(commit: Commit, left: set[bytes], word: bytes, numbered: Mapping[bytes, Collection[bytes]]) -> bool:
    for start, end in commit:
        if end == "#":
            found = next((i for i in left if i[:-_NUMBER_BYTES] == start and i in numbered.get(start, ())), None)
        else:
            exact = start + word if end else start
            found = exact if exact in left and (word or not end) else None
        if found is None:
            return False
        left.discard(found)
    return True
