"""What a product may do of all that was seen: exact names, exact words. Anything else is a finding.

These lists are written here and not taken from the product: a product that widens its own would pass.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bioguard.evidence.outside_watch.sighting import Sighting
from bioguard.evidence.outside_watch.supervisor import Event

_SMALL: Final = ("fuses.simulated", "boot.simulated", "names.json", "pins.json", "unlocks.json", "incidents.json")
DEVICE_FILES: Final = frozenset(
    (
        *_SMALL, *(f"{name}.new" for name in _SMALL), "storage.db", "storage.db-journal", "storage.reserve", "rpmb.img",
        "lock", "caches", *(f"caches/{name}" for name in ("probes", "probes.new", "code", "code.new")),
    )
)  # fmt: skip
"""Below the directory of a device: docs/storage.md section 1, and for the caches that a command leaves section 8 of
docs/formats/storage.md; they are scanned with everything else. No scripted fault and no file put aside: the watched
device has neither."""
_KEPT: Final = frozenset(("pin", "memory", "carried", "tokens", "sources", "bystanders", "served"))
_SCANNED: Final = ("sources", "bystanders")
_SERVED, _OF_THE_CLIENT = "served", frozenset(("pipe", "tokens"))
_COMMAND: Final = "bioguard.cli"
_NAMED: Final = frozenset(("timeline", "conversation"))
"""What the caller of a command named for it to write: --trace and --record. Nobody else writes there, and a command
nowhere else among what the life keeps."""
_KERNEL_FILES: Final = frozenset(
    (
        "/dev/null",
        "/proc/self/uid_map",
        "/proc/self/gid_map",
        "/proc/self/setgroups",
        "/proc/sys/user/max_user_namespaces",
    )
)
"""How a process says which user it is in a namespace of its own, and that it will make no other."""
FILE_CALLS: Final = frozenset(
    ("open", "openat", "openat2", "creat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "truncate")
)
"""Those a device has business with."""
_CARRIERS: Final = frozenset(
    (
        *("link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "setxattr", "lsetxattr", "fsetxattr"),
        *("utime", "utimes", "futimesat", "utimensat", "chown", "lchown", "fchownat"),
    )
)
"""Links, nodes, attributes, times and owners carry data beside the content of a file: a device sets none of them.
(SQLite gives a journal the owner of its database by fchown(2): the second reader looks at owners.)"""
_HARMLESS: Final = re.compile(r"socket unix 1|connect unix '(/var)?/run/nscd/socket'")
"""The C library asks a name service that may be there."""
_PROBING: Final = re.compile(r"socket inet 2|bind inet 127\.0\.0\.1:0|sendto 5 bytes b'probe' to inet 127\.0\.0\.1:\d+")
_PROBES: Final = ("tee_sim.normal.sandbox_verdict.probes", "bioguard.evidence.outside_watch")
"""The sandbox's own probe sends itself the word "probe" to learn whether a network works without a lock; the watch
makes the socket of its control. Nobody else has one."""
_PROBE: Final = b"probe"


def strange_files(sighting: Sighting, device: Path, kept: Path) -> Iterator[str]:
    """Files opened for writing, made, renamed or linked that a device has no business with.

    Args:
        device: the directory of the device. kept: where the life keeps what is scanned: its own, and scanned too.
    """
    for event in sighting.events:
        if event.call in _CARRIERS or (event.call in FILE_CALLS and not _known(event, device, kept)):
            yield f"{event.call} {event.about} by {event.program}"


def _known(event: Event, device: Path, kept: Path) -> bool:
    path = event.about
    if path in _KERNEL_FILES or Path(path) in (device, kept):
        return True
    if path.startswith(f"{device}/"):
        return path.removeprefix(f"{device}/") in DEVICE_FILES
    if not path.startswith(f"{kept}/"):
        return False
    folder, _, name = path.removeprefix(f"{kept}/").rpartition("/")
    named = folder == _SERVED and name in _NAMED
    if event.program == _COMMAND or named:
        return event.program == _COMMAND and named
    if folder == _SERVED:
        return name in _OF_THE_CLIENT
    return folder.partition("/")[0] in _SCANNED if folder else name in _KEPT


def writes_what_was_named(sighting: Sighting, kept: Path) -> bool:
    """Whether the two files that a caller named were seen as they were opened: else nothing was seen of it."""
    opened = {event.about for event in sighting.events if event.program == _COMMAND and event.call == "openat"}
    return {f"{kept}/{_SERVED}/{name}" for name in _NAMED} <= opened


def strange_calls(sighting: Sighting, interpreter: str) -> Iterator[str]:
    """Sockets, programs and other ways out of a process that a device has no business with."""
    for event in sighting.events:
        if event.call not in FILE_CALLS | _CARRIERS and not _harmless(event, interpreter):
            yield f"{event.call} {event.about} by {event.program}"
    for packet in sighting.packets:
        if packet != _PROBE:
            yield f"a packet of {len(packet)} bytes"
    if sighting.left_running:
        yield "a process outlived the product"


def _harmless(event: Event, interpreter: str) -> bool:
    if event.call == "execve":
        return event.about == interpreter
    said = f"{event.call} {event.about}".rstrip()
    return bool(_HARMLESS.fullmatch(said) or (event.program in _PROBES and _PROBING.fullmatch(said)))
