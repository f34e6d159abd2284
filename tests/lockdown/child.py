"""A process to lock, for the tests: `python child.py REQUEST_FD REPLY_FD PROFILE NAMESPACES BEFORE ACTION`.

BEFORE prepares the host it sees (outer filters, a second thread); ACTION happens after the lock, on the first byte.
"""

import ctypes
import os
import signal
import struct
import sys
import threading
import time

from tee_sim.secure import lockdown
from tee_sim.secure.lockdown import LockPlan
from tee_sim.shared.sandbox import filters, hygiene, kernel
from tee_sim.shared.sandbox.bpf import Instruction, Program
from tee_sim.shared.sandbox.syscalls import ARCHITECTURES

NUMBERS = {
    "x86_64": {"socket": 41, "unshare": 272, "landlock": 444, "seccomp": 317, "memfd_secret": 447, "mount": 165},
    "aarch64": {"socket": 198, "unshare": 97, "landlock": 444, "seccomp": 277, "memfd_secret": 447, "mount": 40},
}[kernel.MACHINE]
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EPERM, ENOSYS = 1, 38


def outer_filter(denied: dict[str, int]) -> None:
    """A filter of the host: `denied` calls fail with an errno, everything else works."""
    code = [Instruction(0x20, 0, 0, 0)]
    for name, errno in denied.items():
        code += [Instruction(0x15, 0, 1, NUMBERS[name]), Instruction(0x06, 0, 0, ERRNO | errno)]
    code.append(Instruction(0x06, 0, 0, ALLOW))
    hygiene.no_new_privileges()
    filters.load(Program(tuple(code)))


HOSTS = {
    "plain": {},
    "no-userns": {"unshare": EPERM},
    "no-landlock": {"landlock": ENOSYS},
    "no-seccomp": {"seccomp": ENOSYS},
    "no-mount": {"mount": EPERM},
    "no-userns-no-landlock": {"unshare": EPERM, "landlock": ENOSYS},
    "nothing": {"seccomp": ENOSYS, "unshare": EPERM, "landlock": ENOSYS},
    "landlock-only": {"seccomp": ENOSYS, "unshare": EPERM},
    "no-socket": {"socket": EPERM},
    "no-memfd-secret": {"memfd_secret": ENOSYS},
    "odd-unshare": {"unshare": 5},
}


def segfault() -> None:
    ctypes.string_at(0)


def late_import() -> None:
    import wave  # noqa: F401


def memory() -> None:
    blocks = [bytearray(1 << 20) for _ in range(50)]
    del blocks[::2]
    time.sleep(0.001)
    os._exit(0 if blocks and os.getrandom(8) and time.time() > 0 else 1)


ACTIONS = {
    "exit3": lambda: os._exit(3),
    "sys-exit": lambda: sys.exit(5),
    "abort": os.abort,
    "segfault": segfault,
    "open": lambda: os.open("/", os.O_RDONLY),
    "socket": lambda: kernel.raw(NUMBERS["socket"], 2, 1, 0),
    "fork": os.fork,
    "thread": lambda: threading.Thread(target=time.sleep, args=(0,)).start(),
    "late-import": late_import,
    "write-null": lambda: os.write(1, b"x"),
    "read-null": lambda: os.read(0, 1),
    "memory": memory,
    "undump": lambda: kernel.prctl(4, 1),
    "kill-parent": lambda: os.kill(os.getppid() or 1, signal.SIGTERM),
    "hang": lambda: time.sleep(60),
    "spin": lambda: [None for _ in iter(int, 1)],
}


def main() -> None:
    request_fd, reply_fd = int(sys.argv[1]), int(sys.argv[2])
    profile, namespaces, before, action = sys.argv[3], sys.argv[4] == "1", sys.argv[5], sys.argv[6]
    lockdown.early()
    leaked = os.open(__file__, os.O_RDONLY)
    if before == "second-thread":
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
    elif before == "swapped-pipes":
        request_fd, reply_fd = reply_fd, request_fd
    elif before == "file-for-pipe":
        os.dup2(leaked, request_fd)
    else:
        outer_filter(HOSTS[before])
    try:
        report = lockdown.engage(
            LockPlan(request_fd=request_fd, reply_fd=reply_fd, profile=profile, namespaces=namespaces, arena_bytes=8192)
        )
    except lockdown.LockError as error:
        os.write(int(sys.argv[2]), b"!" + str(error).encode())
        os._exit(70)
    body = report.to_bytes()
    os.write(reply_fd, struct.pack("<I", len(body)) + body)
    os.read(request_fd, 1)
    ACTIONS[action]()
    os.write(reply_fd, b"survived")
    os._exit(0)


if __name__ == "__main__":
    assert kernel.MACHINE in ARCHITECTURES
    main()
