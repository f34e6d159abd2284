"""Keeps what comes out of a secure world, and finds secrets in it."""

import contextlib
import io
import logging
import re
from collections.abc import Iterator


class Outside:
    """Everything that came out of the secure world: the bytes of replies, and text it printed or logged."""

    def __init__(self) -> None:
        self.replies = bytearray()
        self.text = io.StringIO()

    def holds(self, secret: bytes) -> str | None:
        """Where a secret showed up: raw, in hex, or byte by byte between other characters."""
        if secret in self.replies:
            return "a reply"
        text = self.text.getvalue().lower()
        return "printed or logged text" if secret.hex() in text or _spelled(secret, text) else None


def _spelled(secret: bytes, text: str) -> bool:
    """Whether numbers in the text, or every second of them (index and value), are the secret's bytes in a row."""
    for pattern, base in (
        (r"\b(?:0x)?([0-9a-f]{2})\b", 16),
        (r"\b(?:0x)?([0-9a-f]{1,2})\b", 16),
        (r"\b(\d{1,3})\b", 10),
    ):
        numbers = bytes(min(int(n, base), 255) for n in re.findall(pattern, text))
        if any(secret in part for part in (numbers, numbers[0::2], numbers[1::2])):
            return True
    return False


@contextlib.contextmanager
def listening(text: io.StringIO) -> Iterator[None]:
    """While this lasts, what is printed or logged goes into `text`."""
    handler: logging.Handler = logging.StreamHandler(text)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
