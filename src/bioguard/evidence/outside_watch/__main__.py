"""Run one command under watch and write what was seen. See the package's docstring."""

import errno
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Final

from bioguard.evidence.escape_battery.raw import AF, SOCK, in4, port_of, sys_call
from bioguard.evidence.escape_battery.veth import bring_up, sniffer
from bioguard.evidence.outside_watch import filter as questions
from bioguard.evidence.outside_watch.supervisor import Supervisor
from tee_sim.shared.sandbox import kernel

_NEW_USER, _NEW_NET, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000
_FRAME_BYTES: Final = 65536
_CONTROL: Final = b"positive control of the watch"
_LOOK_MS: Final = 50
_OUTLIVED_S: Final = 10.0
"""How long a process may outlive the command: those of the secure world see their parent gone and end."""
_NOT_RUN: Final = 255


def _own_namespaces() -> None:
    """A network and an IPC namespace with nothing in them. Raises OSError."""
    user, group = os.geteuid(), os.getegid()
    if user:
        kernel.unshare(_NEW_USER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    kernel.unshare(_NEW_NET | _NEW_IPC)
    control = sys_call(None, "socket", AF.INET, SOCK.DGRAM, 0)
    bring_up(control, b"lo")
    os.close(control)


def _behind_the_filter(command: list[str], tell: int, go: int) -> None:
    """In a process of its own: be filtered, say under which number the supervisor's descriptor is, run, end."""
    status = _NOT_RUN
    try:
        listener = questions.install()
        os.write(tell, struct.pack("<i", listener))
        os.read(go, 1)
        os.close(listener)
        status = subprocess.run(command, check=False).returncode & 0xFF  # the caller's own
        _send_control()
    finally:
        os._exit(status)


def _start(command: list[str]) -> tuple[int, Supervisor]:
    """The process of the command, and its supervisor. Raises OSError."""
    told, tell = os.pipe()
    go, let = os.pipe()
    pid = os.fork()
    if pid == 0:
        _behind_the_filter(command, tell, go)
    os.close(tell)
    number = os.read(told, 4)
    if len(number) < 4:
        raise OSError(errno.ENOSYS, "no supervised filter here")
    process = os.pidfd_open(pid)
    listener = sys_call(None, "pidfd_getfd", process, struct.unpack("<i", number)[0], 0)
    os.write(let, b"g")
    for fd in (process, told, go, let):
        os.close(fd)
    return pid, Supervisor(listener)


def _watch(pid: int, supervisor: Supervisor, sniffed: int) -> tuple[int, bool, list[bytes]]:
    """Until nothing filtered is left: exit status, whether something outlived the command by long, the frames."""
    frames: list[bytes] = []
    poll = select.poll()
    for fd in (supervisor.listener, sniffed):
        poll.register(fd, select.POLLIN)
    status, until = _NOT_RUN, float("inf")
    while True:
        ready = dict(poll.poll(_LOOK_MS))
        if sniffed in ready:
            frames += _frames(sniffed)
        asked = ready.get(supervisor.listener, 0)
        if asked & select.POLLIN:
            supervisor.answer_one()
        elif asked & select.POLLHUP or time.monotonic() > until:
            break
        if until == float("inf"):
            ended, how = os.waitpid(pid, os.WNOHANG)
            if ended:
                status, until = os.waitstatus_to_exitcode(how), time.monotonic() + _OUTLIVED_S
    left = time.monotonic() > until
    if status == _NOT_RUN and not left:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, left, [*frames, *_frames(sniffed)]


def _frames(sniffed: int) -> Iterator[bytes]:
    while True:
        try:
            yield os.read(sniffed, _FRAME_BYTES)
        except BlockingIOError:
            return


def _send_control() -> None:
    """After the command: what the supervisor and the sniffer must both see, or their silence means nothing."""
    fd = sys_call(None, "socket", AF.INET, SOCK.DGRAM, 0)
    sys_call(None, "bind", fd, in4("127.0.0.1", 0), 16)
    address = in4("127.0.0.1", port_of(fd))
    sys_call(None, "sendto", fd, _CONTROL, len(_CONTROL), 0, address, len(address))
    os.close(fd)


def _udp_payload(frame: bytes) -> bytes:
    """Of an IPv4 datagram in an Ethernet frame; the whole frame if it is anything else."""
    if frame[12:14] != b"\x08\0" or frame[23] != 17:
        return frame
    start = 14 + (frame[14] & 0xF) * 4
    return frame[start + 8 : start + struct.unpack_from(">H", frame, start + 4)[0]]


def main(arguments: list[str]) -> None:
    """OUT -- COMMAND..."""
    out, command = Path(arguments[0]), arguments[2:]
    try:
        _own_namespaces()
        sniffed = sniffer()
        pid, supervisor = _start(command)
    except (OSError, KeyError) as error:
        out.write_text(json.dumps({"why_not": f"this host does not let us watch: {error}"}), "utf-8")
        return
    status, left, frames = _watch(pid, supervisor, sniffed)
    payloads = [_udp_payload(frame) for frame in frames]
    control = [e for e in supervisor.events if e.call == "sendto" and repr(_CONTROL) in e.about]
    seen = {
        "why_not": "",
        "status": status,
        "left_running": left,
        "events": [astuple(e) for e in supervisor.events if e not in control],
        "control": [len(control), payloads.count(_CONTROL)],
        "packets": [p.hex() for p in payloads if p != _CONTROL],
    }
    out.write_text(json.dumps(seen), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
