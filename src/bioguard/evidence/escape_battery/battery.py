"""The battery's own process: one JSON object in, JSON lines out.

Started as `python -I -B -m bioguard.evidence.escape_battery.battery`.

It builds the environment in namespaces of its own where it may, gives up every privilege, then runs attempts. As root
it takes an unprivileged user first: a test that runs as root proves less and risks more.
"""

import codecs
import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from bioguard.evidence.escape_battery import ATTEMPTS, veth
from bioguard.evidence.escape_battery.attempt_environment import AttemptEnvironment
from bioguard.evidence.escape_battery.isolated_attempt import LevelRefused, run_attempt
from bioguard.evidence.escape_battery.raw import Trace, sys_call
from tee_sim.shared.sandbox import hygiene, kernel

_UNPRIVILEGED_ID: Final = 61234
"""No account by convention; only used when started as root."""
_CLONE_NEWNS, _CLONE_NEWIPC, _CLONE_NEWUSER = 0x00020000, 0x08000000, 0x10000000
_MS_REC_PRIVATE, _MS_BIND = 0x4000 | 0x40000, 4096
_PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 4, 36
_KEYCTL_JOIN_SESSION: Final = 1
_LIMITS: Final = (
    resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE, resource.RLIMIT_MEMLOCK,
    resource.RLIMIT_MSGQUEUE, resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC,
)  # fmt: skip
"""Raised as far as they go. Not that of core files: each killed attempt would leave one with the host's collector."""
_PRIVATE: Final = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - each gets a file system of its own


def _say(**fields: object) -> None:
    os.write(1, json.dumps(fields).encode() + b"\n")


def _start_afresh() -> None:
    """Undo what a start can bring that would change an attempt: mode mask, ignored and blocked signals, soft limits."""
    os.umask(0)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):  # the two that the threads library keeps for itself
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for limit in _LIMITS:
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (hard, hard))


def _own_namespaces() -> bool:
    """Mount, IPC and (unprivileged) user namespace of its own; whether the host allowed it."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        kernel.unshare(_CLONE_NEWNS | _CLONE_NEWIPC | (0 if uid == 0 else _CLONE_NEWUSER))
        if uid:
            kernel.write_proc("/proc/self/setgroups", b"deny")
            kernel.write_proc("/proc/self/uid_map", b"%d %d 1" % (uid, uid))
            kernel.write_proc("/proc/self/gid_map", b"%d %d 1" % (gid, gid))
        kernel.mount(None, b"/", None, _MS_REC_PRIVATE)
        for folder in _PRIVATE:
            if Path(folder).is_dir():
                kernel.mount(b"environment", os.fsencode(folder), b"tmpfs", 0, b"mode=1777,size=64m")
    except OSError:
        return False
    return True


def _cable(base: Path) -> tuple[veth.Cable | None, int]:
    """Network of its own, and a resolver that points into it."""
    try:
        cable = veth.lay_cable()
        near = veth.sniffer()
    except OSError:
        return None, -1
    with contextlib.suppress(OSError):
        kernel.write_proc("/proc/sys/net/ipv4/ping_group_range", b"0 2147483647")
    with contextlib.suppress(OSError):
        resolver = base / "resolv.conf"
        resolver.write_text(f"nameserver {veth.THERE}\noptions timeout:1 attempts:1\n", encoding="ascii")
        resolver.chmod(0o644)
        kernel.mount(os.fsencode(resolver), b"/etc/resolv.conf", None, _MS_BIND)
    return cable, near


def _drop_privileges(base: Path) -> None:
    """For good. A dropped user makes the process undumpable, which would close its own /proc: undo that."""
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):  # a container that has no such user: its root without a capability is left
            os.chown(base, _UNPRIVILEGED_ID, _UNPRIVILEGED_ID)
            os.setgroups([])
            os.setresgid(_UNPRIVILEGED_ID, _UNPRIVILEGED_ID, _UNPRIVILEGED_ID)
            os.setresuid(_UNPRIVILEGED_ID, _UNPRIVILEGED_ID, _UNPRIVILEGED_ID)
    hygiene.drop_capabilities()
    kernel.prctl(_PR_SET_DUMPABLE, 1)
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    with contextlib.suppress(OSError):  # a kernel without keyrings
        sys_call(None, "keyctl", _KEYCTL_JOIN_SESSION, None)


def main() -> None:
    """Run the cells asked for and report each as it ends."""
    request = json.loads(sys.stdin.buffer.readline())
    _start_afresh()
    codecs.lookup("ascii")  # loaded by name, which the unprivileged user may no longer be able to do
    private = _own_namespaces()
    base = Path(tempfile.mkdtemp())  # a name that says nothing
    try:
        cable, near = _cable(base) if private else (None, -1)
        _drop_privileges(base)
        shared = tuple(
            Path(p) if private and Path(p).is_dir() else base / f"shared-{i}" for i, p in enumerate(_PRIVATE)
        )
        for folder in shared:
            folder.mkdir(exist_ok=True)
        environment = AttemptEnvironment(base, (shared[0], shared[1], shared[2]), cable, near)
        _say(private=private, observer=cable is not None, uid=os.geteuid())
        _run(environment, request["levels"], request["names"])
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _run(environment: AttemptEnvironment, levels: list[str], names: list[str]) -> None:
    """The most locked set runs first: what it lets out is counted before anything else could have made a packet."""
    trace = Trace()
    refused: set[str] = set()
    for level in reversed(levels):
        environment.far_packet_count = 0
        for name in names:
            if level in refused:
                break
            try:
                cell = run_attempt(environment, ATTEMPTS[name], level, trace)
            except LevelRefused as error:
                refused.add(level)
                _say(level=level, refused=str(error))
                break
            _say(level=level, name=name, outcome=cell.outcome.value, stopped_by=cell.stopped_by)
        environment.drain()
        _say(level=level, packets=environment.far_packet_count if environment.cable else None)
    _say(done=True)


if __name__ == "__main__":
    main()
