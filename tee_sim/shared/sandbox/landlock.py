"""Landlock with zero rules: every right and scope this kernel knows is handled, none is granted.

A second line behind the filter. Alone it is no network sandbox: UDP, MPTCP, TCP Fast Open and pathname sockets pass
(docs/sandbox.md). It binds one thread, so the caller asserts that there is one.

Interface: Documentation/userspace-api/landlock.rst.
"""

import errno
import os
import struct
from typing import Final

from tee_sim.shared.sandbox import kernel

_CREATE_RULESET_VERSION: Final = 1
_ATTRIBUTE_BYTES: Final = 24
_KNOWN: Final = (
    # last ABI, file system rights, network rights, scopes: landlock.rst, "Previous limitations"
    (1, 13, 0, 0),
    (2, 14, 0, 0),
    (3, 15, 0, 0),
    (4, 15, 2, 0),
    (5, 16, 2, 0),
    (6, 16, 2, 2),
)
_MAX_BITS: Final = 64


def abi() -> int:
    """Landlock ABI of this kernel. Raises OSError: ENOSYS not built in, EOPNOTSUPP switched off."""
    return kernel.call("landlock_create_ruleset", None, 0, _CREATE_RULESET_VERSION)


def _create(bits: tuple[int, int, int]) -> int:
    masks = [(1 << n) - 1 for n in bits]
    size = _ATTRIBUTE_BYTES if bits[2] else 16 if bits[1] else 8
    return kernel.call("landlock_create_ruleset", struct.pack("<3Q", *masks), size, 0)


def every_right(version: int) -> tuple[int, int, int]:
    """How many rights of each kind (files, network, scopes) this kernel handles.

    Starts from the table and asks the kernel for more, so that an ABI newer than the table is used in full.
    """
    bits = next((row[1:] for row in reversed(_KNOWN) if row[0] <= version), _KNOWN[0][1:])
    for kind in range(3) if version > _KNOWN[-1][0] else ():
        while bits[kind] < _MAX_BITS:
            more = tuple(n + (i == kind) for i, n in enumerate(bits))
            try:
                os.close(_create((more[0], more[1], more[2])))
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                break
            bits = (more[0], more[1], more[2])
    return bits


def restrict(version: int, *, scoped: bool = False) -> tuple[int, int, int]:
    """Enter the empty domain for good; needs NO_NEW_PRIVS. Returns the handled rights of each kind.

    Args:
        scoped: `restrict_scopes` has been called: the scopes are those of that domain, and not of a narrower one.
    """
    files, network, scopes = every_right(version)
    _enter((files, network, 0 if scoped else scopes))
    return files, network, scopes


def restrict_scopes() -> bool:
    """Enter a domain that has the scopes alone, where the kernel has any; processes that are forked now share it.

    A process may signal those of its own domain and of domains below: so the core can end a process that has gone into
    a domain of its own since. A domain without file rights leaves mounting allowed.
    """
    try:
        scopes = every_right(abi())[2]
    except OSError:
        return False
    if scopes:
        _enter((0, 0, scopes))
    return bool(scopes)


def _enter(bits: tuple[int, int, int]) -> None:
    ruleset = _create(bits)
    try:
        kernel.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
