"""Keeps what comes out of a secure world, and finds secrets in it."""

import base64
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
        """Where a secret showed up: raw, in hex or base64, or byte by byte between other characters."""
        if contains(bytes(self.replies), secret):
            return "a reply"
        text = self.text.getvalue()
        found = contains(text.encode(errors="replace"), secret) or _spelled(secret, text.lower())
        return "printed or logged text" if found else None


def contains(data: bytes, secret: bytes) -> bool:
    """Whether bytes hold a secret: as it is, in hex, or in base64 of it and whatever stands before and behind it."""
    if secret in data or secret.hex().encode() in data.lower():
        return True
    parts = (secret[skipped : len(secret) - (len(secret) - skipped) % 3] for skipped in range(3))
    encoders = (base64.b64encode, base64.urlsafe_b64encode)
    return any(encode(part) in data for part in parts for encode in encoders)


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
