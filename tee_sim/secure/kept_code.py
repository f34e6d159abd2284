"""Trusted code in its compiled form, as one start writes it down and a later one takes it instead of compiling.

    [python, [[digest, path, imports, code], ...]]          canonical CBOR

`python` says which interpreter compiled it, `digest` is SHA-256 over the name of a module, a NUL and its source, `path`
where that lay, `imports` the names that it imports, with spaces between, `code` a marshalled code object.

The root secret comes after the lock, and by then no file can be read: so the normal world checks the MAC of the file,
and says in BOOT which bytes it has found to be right, by their SHA-256. They are compared here, when they are read;
code that is not of exactly this source, path and interpreter is not taken; and each one that is taken is in the
measurement of its application (`tee_sim.secure.codeload`).
"""

import hashlib
import hmac
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

from tee_sim.shared import codec
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError
from tee_sim.shared.limits import CACHE_MAC_BYTES, MAX_COMPILED_BYTES

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class KeptModule:
    """One compiled module. `imports`: dotted names; `code`: of `marshal`."""

    path: str
    imports: tuple[str, ...]
    code: bytes


Kept = Mapping[bytes, KeptModule]
"""By the digest of name and source."""


def _python() -> list[object]:
    """What compiled it: marshalled code is good for one interpreter with one set of flags."""
    return [sys.implementation.name, str(sys.implementation.cache_tag), sys.version, sys.flags.optimize]


def write(modules: Iterable[tuple[bytes, KeptModule]]) -> bytes:
    """The content of a file that `read` takes."""
    rows = [[digest, one.path, " ".join(one.imports), one.code] for digest, one in modules]
    return codec.encode([_python(), rows])


def read(path: bytes, sha256: bytes) -> Kept:
    """What a file holds whose content, behind its MAC, has this digest; nothing for any other file, or none."""
    with suppress(OSError, TeeError, AttributeError, TypeError, ValueError):
        content = _content(path)
        if hmac.compare_digest(hashlib.sha256(content).digest(), sha256):
            return _parsed(content)
    return {}


def _content(path: bytes) -> bytes:
    with os.fdopen(os.open(path, _OPEN), "rb") as file:
        return file.read(CACHE_MAC_BYTES + MAX_COMPILED_BYTES)[CACHE_MAC_BYTES:]


def _parsed(content: bytes) -> Kept:
    python, rows = cast("list[Any]", codec.decode(content, max_bytes=MAX_COMPILED_BYTES))
    if python != _python():
        return {}
    return {digest: KeptModule(path, tuple(imports.split()), code) for digest, path, imports, code in rows}
