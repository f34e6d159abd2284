"""Group F: System V and POSIX objects, keyrings, memory objects."""

import ctypes
import struct

from bioguard.evidence.escape_battery.context import Context
from bioguard.evidence.escape_battery.model import attempt

GROUP = "F"
CREATE_ALL = 0o1666
USER_KEYRING, SESSION_KEYRING = -4, -3


@attempt("System V shared memory", check=lambda v: v.environment.sysv_memory(v.token))
def sysv_shm(c: Context) -> None:
    identity = c.sys("shmget", c.environment.key(c.token), 4096, CREATE_ALL)
    address = c.sys("shmat", identity, None, 0)
    ctypes.memmove(address, c.token, len(c.token))


@attempt("System V message queue", check=lambda v: v.environment.sysv_message(v.token))
def sysv_msg(c: Context) -> None:
    identity = c.sys("msgget", c.environment.key(c.token), CREATE_ALL)
    c.sys("msgsnd", identity, struct.pack("<q", 1) + c.token, len(c.token), 0)


@attempt("System V semaphore value", check=lambda v: v.environment.sysv_semaphore(v.token))
def sysv_sem(c: Context) -> None:
    identity = c.sys("semget", c.environment.key(c.token), 1, CREATE_ALL)
    c.sys("semctl", identity, 0, 16, c.environment.number(c.token) % 30000)


@attempt("POSIX message queue", check=lambda v: v.environment.posix_queue(v.token))
def posix_mq(c: Context) -> None:
    attributes = struct.pack("<4q", 0, 2, 64, 0) + bytes(32)
    fd = c.sys("mq_open", c.token, 0o102, 0o600, attributes)
    c.sys("mq_timedsend", fd, c.token, len(c.token), 0, None)


@attempt("key in the user keyring", check=lambda v: v.environment.key_seen(v.token))
def keyring_user(c: Context) -> None:
    c.sys("add_key", b"user", c.token, c.token, len(c.token), USER_KEYRING)


@attempt("key in the session keyring", check=lambda v: v.environment.key_seen(v.token))
def keyring_session(c: Context) -> None:
    c.sys("add_key", b"user", c.token, c.token, len(c.token), SESSION_KEYRING)


@attempt("request_key calls a program of the host")
def request_key_upcall(c: Context) -> None:
    c.sys("request_key", b"user", c.token, c.token, SESSION_KEYRING)


@attempt(
    "memory file, read outside by /proc/pid/fd", check=lambda v: v.environment.memory_file(v.pid, v.token), lingers=True
)
def memfd_proc_fd(c: Context) -> None:
    fd = c.sys("memfd_create", b"m", 0)
    c.sys("write", fd, c.token, len(c.token))


@attempt("secret memory file")
def memfd_secret(c: Context) -> None:
    c.sys("memfd_secret", 0)


@attempt("shared anonymous mapping")
def shared_mmap_anon(c: Context) -> None:
    c.sys("mmap", None, 4096, 3, 0x21, -1, 0)


@attempt("event counter descriptor")
def eventfd(c: Context) -> None:
    c.sys("eventfd2", 0, 0)


@attempt("signal descriptor")
def signalfd(c: Context) -> None:
    c.sys("signalfd4", -1, struct.pack("<Q", 1 << 9), 8, 0)


@attempt("epoll instance")
def epoll(c: Context) -> None:
    c.sys("epoll_create1", 0)
