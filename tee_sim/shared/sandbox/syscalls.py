"""Numbers, architectures and argument rules of the secure world's allow-list.

Sources: syscall_64.tbl (x86_64) and asm-generic/unistd.h (aarch64); AUDIT_ARCH values from uapi/linux/audit.h.
The list was measured (docs/sandbox.md section 3): what CPython, numpy, OpenBLAS, OpenSSL and libsodium call after
warm-up in one thread, and nothing that names a path or makes a descriptor, a process or a shared mapping.
"""

from typing import Final

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.lock_report import HostLink


@dataclass(frozen=True, slots=True)
class Equal:
    """Argument `index` equals `value` in all 64 bits."""

    index: int
    value: int


@dataclass(frozen=True, slots=True)
class Masked:
    """Argument `index` and `mask` gives `value`, in all 64 bits."""

    index: int
    mask: int
    value: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """Argument `index`, bits of `ignore` cleared, is one of `values`; the upper 32 bits are zero."""

    index: int
    values: tuple[int, ...]
    ignore: int = 0


Check = Equal | Masked | OneOf


@dataclass(frozen=True, slots=True)
class Rule:
    """A system call that is allowed when all checks hold."""

    name: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Arch:
    """One architecture: its audit value, the first number of a foreign ABI on it, and the numbers we use."""

    machine: str
    audit: int
    foreign_from: int | None
    numbers: dict[str, int]


ARCHITECTURES: Final[dict[str, Arch]] = {
    "x86_64": Arch(
        "x86_64",
        0xC000003E,
        0x40000000,  # __X32_SYSCALL_BIT
        {
            "read": 0,
            "write": 1,
            "mmap": 9,
            "mprotect": 10,
            "munmap": 11,
            "brk": 12,
            "sched_yield": 24,
            "mremap": 25,
            "madvise": 28,
            "getpid": 39,
            "exit": 60,
            "wait4": 61,
            "futex": 202,
            "restart_syscall": 219,
            "clock_gettime": 228,
            "clock_nanosleep": 230,
            "exit_group": 231,
            "waitid": 247,
            "ppoll": 271,
            "getrandom": 318,
            "pidfd_send_signal": 424,
        },
    ),
    "aarch64": Arch(
        "aarch64",
        0xC00000B7,
        None,
        {
            "read": 63,
            "write": 64,
            "exit": 93,
            "exit_group": 94,
            "futex": 98,
            "ppoll": 73,
            "waitid": 95,
            "clock_gettime": 113,
            "clock_nanosleep": 115,
            "sched_yield": 124,
            "restart_syscall": 128,
            "getpid": 172,
            "brk": 214,
            "munmap": 215,
            "mremap": 216,
            "mmap": 222,
            "mprotect": 226,
            "madvise": 233,
            "wait4": 260,
            "getrandom": 278,
            "pidfd_send_signal": 424,
        },
    ),
}

_ALL_64 = (1 << 64) - 1
_PROT_READ_WRITE = 0x1 | 0x2
_MAP_SHARED, _MAP_ANONYMOUS = 0x1, 0x20
_MREMAP_MAYMOVE = 0x1
_FUTEX_PRIVATE, _FUTEX_CLOCK_REALTIME = 0x80, 0x100
_FUTEX_OPERATIONS = tuple(_FUTEX_PRIVATE | op for op in (0, 1, 9, 10))  # WAIT, WAKE, WAIT_BITSET, WAKE_BITSET
_MADVISE = (0, 1, 2, 3, 4, 8, 14, 15, 16, 18)
"""NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE, DONTDUMP, WIPEONFORK."""
_CLOCKS = tuple(range(12))
"""CLOCK_REALTIME to CLOCK_TAI. Negative ids name another process' or a device's clock."""

_MEMORY = (
    Rule("munmap"),
    Rule("brk"),
    Rule("mremap", (Equal(3, _MREMAP_MAYMOVE),)),
    Rule("mmap", (Masked(2, _ALL_64 & ~_PROT_READ_WRITE, 0), Masked(3, _MAP_SHARED | _MAP_ANONYMOUS, _MAP_ANONYMOUS))),
    Rule("mprotect", (Masked(2, _ALL_64 & ~_PROT_READ_WRITE, 0),)),
    Rule("madvise", (OneOf(2, _MADVISE),)),
)


_SIGKILL, _P_PIDFD, _WEXITED = 9, 3, 4


def secure_world_rules(
    request_fd: int, reply_fd: int, links: tuple[HostLink, ...] = (), picture_fd: int = 0
) -> tuple[Rule, ...]:
    """The allow-list: bytes come in on `request_fd` and leave on `reply_fd`; nothing else moves bytes.

    With `picture_fd`, that of a sensor's process: it reads there too.

    With `links`, the core's: it reads and writes its hosts' pipes too, waits for them, may end them and sees how they
    ended. Without: a host's, or that of a core without hosts.

    No signal call but that to a host: no handler is installed, and a changed signal mask would be 64 bits in
    /proc/<pid>/status.
    """
    ends: tuple[Rule, ...]
    if picture_fd:
        ends = (Rule("read", (OneOf(0, (request_fd, picture_fd)),)), Rule("write", (Equal(0, reply_fd),)))
    elif not links:
        ends = (Rule("read", (Equal(0, request_fd),)), Rule("write", (Equal(0, reply_fd),)))
    else:
        ends = (
            Rule("read", (OneOf(0, (request_fd, *(link.read_fd for link in links))),)),
            Rule("write", (OneOf(0, (reply_fd, *(link.write_fd for link in links))),)),
            Rule("ppoll"),
            Rule(
                "pidfd_send_signal",
                (OneOf(0, tuple(link.kill_fd for link in links)), Equal(1, _SIGKILL), Equal(2, 0), Equal(3, 0)),
            ),
            Rule("waitid", (Equal(0, _P_PIDFD), OneOf(1, tuple(link.kill_fd for link in links)), Equal(3, _WEXITED))),
        )
    return (
        *ends,
        Rule("futex", (OneOf(1, _FUTEX_OPERATIONS, ignore=_FUTEX_CLOCK_REALTIME),)),
        *_MEMORY,
        Rule("getrandom"),
        Rule("getpid"),
        Rule("clock_gettime", (OneOf(0, _CLOCKS),)),
        Rule("clock_nanosleep", (OneOf(0, _CLOCKS),)),
        Rule("sched_yield"),
        Rule("restart_syscall"),
        Rule("exit"),
        Rule("exit_group"),
    )


def waiter_rules() -> tuple[Rule, ...]:
    """The process that waits for PID 1 of the namespace: it may wait and end. It never holds a secret or a pipe."""
    return (
        Rule("wait4"),
        *_MEMORY,
        Rule("futex", (OneOf(1, _FUTEX_OPERATIONS, ignore=_FUTEX_CLOCK_REALTIME),)),
        Rule("restart_syscall"),
        Rule("exit_group"),
    )
