"""The system call filter of a watched command: what to ask the supervisor about. Everything else is let through.

Offsets and actions: linux/include/uapi/linux/seccomp.h, linux/include/uapi/linux/audit.h. Written apart from the
product's own filters: what it is made of is what is looked at here.
"""

import ctypes
import os
import struct
from typing import Final

from bioguard.evidence.escape_battery.numbers import NUMBERS
from tee_sim.shared.sandbox import kernel

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT: Final = 0x40000000
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NO_NEW_PRIVS, _SET_FILTER, _NEW_LISTENER = 38, 1, 8

ALWAYS: Final = (
    *("socket", "connect", "bind", "sendto", "sendmsg", "sendmmsg"),
    *("creat", "openat2", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("mkdir", "mkdirat", "mknod", "mknodat", "truncate", "setxattr", "lsetxattr", "fsetxattr", "open_by_handle_at"),
    *("utime", "utimes", "futimesat", "utimensat", "chown", "lchown", "fchownat"),
    *("execve", "execveat", "memfd_create", "io_uring_setup", "process_vm_writev", "pidfd_getfd"),
    *("shmget", "semget", "msgget", "mq_open", "add_key", "request_key", "keyctl", "bpf"),
)
"""Calls that are asked about each time."""
WITH_FLAGS: Final = {"open": 1, "openat": 2}
"""Calls that are asked about when they open for writing: which argument holds the flags."""


def _statement(code: int, value: int) -> bytes:
    return struct.pack("<HBBI", code, 0, 0, value)


def _jump(code: int, value: int, yes: int, no: int) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value)


def numbers() -> dict[int, str]:
    """The calls asked about, by their number on this machine."""
    column = 0 if kernel.MACHINE == "x86_64" else 1
    return {NUMBERS[name][column]: name for name in (*ALWAYS, *WITH_FLAGS) if NUMBERS[name][column] >= 0}


def program() -> bytes:
    """The filter as an array of struct sock_filter. Raises KeyError on a machine we have no numbers for."""
    ask, allow = _statement(_RETURN, _ASK), _statement(_RETURN, _ALLOW)
    found = [
        _statement(_LOAD, _ARCHITECTURE_AT),
        _jump(_JUMP_EQUAL, _ARCHITECTURES[kernel.MACHINE], 1, 0),
        ask,
        _statement(_LOAD, _NUMBER_AT),
        _jump(_JUMP_AT_LEAST, _X32_BIT, 0, 1),
        ask,
    ]
    for number, name in numbers().items():
        if name in WITH_FLAGS:
            flags_at = _ARGUMENTS_AT + 8 * WITH_FLAGS[name]
            found += [
                _jump(_JUMP_EQUAL, number, 0, 4), _statement(_LOAD, flags_at), _jump(_JUMP_ANY_BIT, _WRITES, 0, 1),
                ask, allow,
            ]  # fmt: skip
        else:
            found += [_jump(_JUMP_EQUAL, number, 0, 1), ask]
    return b"".join([*found, allow])


def install() -> int:
    """Filter the calling thread and what it starts from now on; return the supervisor's descriptor. Raises OSError."""
    code = program()
    buffer = ctypes.create_string_buffer(code, len(code))

    class _Program(ctypes.Structure):
        _fields_ = (("size", ctypes.c_ushort), ("code", ctypes.c_void_p))

    whole = _Program(len(code) // 8, ctypes.addressof(buffer))
    kernel.prctl(_NO_NEW_PRIVS, 1)
    return kernel.call("seccomp", _SET_FILTER, _NEW_LISTENER, ctypes.byref(whole))
