"""Say under strace where an operation begins and ends: by trying to open a path that is not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MARK = "/nonexistent/crash-mark"


def _mark(name: str) -> None:
    with suppress(OSError):
        os.close(os.open(f"{MARK}/{name}", os.O_RDONLY))


@contextmanager
def marked(name: str) -> Iterator[None]:
    """What runs meanwhile is this operation."""
    _mark(f"begin {name}")
    yield
    _mark(f"end {name}")
