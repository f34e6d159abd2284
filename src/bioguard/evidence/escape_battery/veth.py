"""Two network namespaces of its own, joined by a virtual cable: where attempts run, and the observer.

No route leads out of either. Needs capabilities in the caller's user namespace; without them there is no observer.
"""

import ctypes
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bioguard.evidence.escape_battery.raw import AF, SOCK, in4, port_of, sys_call
from tee_sim.shared.sandbox import kernel

HERE, THERE = "198.51.100.1", "198.51.100.2"
"""TEST-NET-2 (RFC 5737): never routed."""
_CLONE_NEWNET: Final = 0x40000000
_ETH_P_ALL: Final = 0x0300
_SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFBRDADDR, _SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8916, 0x891C, 0x891A, 0x8913, 0x8914
_IFF_UP: Final = 1
_RTM_NEWLINK, _NEW_FLAGS = 16, 0x605  # REQUEST | ACK | CREATE | EXCL
_IFNAME, _LINKINFO, _KIND, _DATA, _PEER, _NET_NS_FD = 3, 18, 1, 2, 1, 28
_MASK: Final = "255.255.255.0"


@dataclass(frozen=True, slots=True)
class Cable:
    """What stays open of the far side.

    Attributes:
        sniffer: AF_PACKET socket that sees every frame at the far end.
        far_listener: TCP listener there. far_port: its port.
    """

    sniffer: int
    far_listener: int
    far_port: int


def _attribute(kind: int, payload: bytes) -> bytes:
    size = 4 + len(payload)
    return struct.pack("<HH", size, kind) + payload + bytes(-size % 4)


def _make_link(name: bytes, peer: bytes, peer_namespace: int) -> None:
    """RTM_NEWLINK for a veth pair (rtnetlink(7), linux/veth.h). Raises OSError."""
    interface = bytes(16)
    far = interface + _attribute(_IFNAME, peer + b"\0") + _attribute(_NET_NS_FD, struct.pack("<i", peer_namespace))
    information = _attribute(_KIND, b"veth") + _attribute(_DATA, _attribute(_PEER, far))
    body = interface + _attribute(_IFNAME, name + b"\0") + _attribute(_LINKINFO, information)
    message = struct.pack("<IHHII", 16 + len(body), _RTM_NEWLINK, _NEW_FLAGS, 1, 0) + body
    fd = sys_call(None, "socket", AF.NETLINK, SOCK.RAW, 0)
    try:
        address = struct.pack("<HHII", AF.NETLINK, 0, 0, 0)
        sys_call(None, "sendto", fd, message, len(message), 0, address, len(address))
        answer = ctypes.create_string_buffer(1024)
        sys_call(None, "recvfrom", fd, answer, 1024, 0, None, None)
    finally:
        os.close(fd)
    error = struct.unpack_from("<i", answer.raw, 16)[0]
    if error:
        raise OSError(-error, "no virtual cable")


def _ioctl(control: int, request: int, name: bytes, payload: bytes) -> bytes:
    record = ctypes.create_string_buffer(struct.pack("<16s24s", name, payload), 40)
    sys_call(None, "ioctl", control, request, record)
    return record.raw[16:]


def bring_up(control: int, name: bytes, ip: str | None = None) -> None:
    """Give an interface its address and switch it on. Raises OSError."""
    if ip is not None:
        for request, value in (
            (_SIOCSIFADDR, ip),
            (_SIOCSIFNETMASK, _MASK),
            (_SIOCSIFBRDADDR, ip.rpartition(".")[0] + ".255"),
        ):
            _ioctl(control, request, name, in4(value, 0))
    flags = struct.unpack_from("<H", _ioctl(control, _SIOCGIFFLAGS, name, b""))[0]
    _ioctl(control, _SIOCSIFFLAGS, name, struct.pack("<H", flags | _IFF_UP))


def sniffer() -> int:
    """An AF_PACKET socket that sees every frame of the current namespace. Raises OSError."""
    return sys_call(None, "socket", AF.PACKET, SOCK.RAW | SOCK.NONBLOCK, _ETH_P_ALL)


def lay_cable() -> Cable:
    """Leave the current network namespace for a new one with a cable to another new one. Raises OSError."""
    quiet = Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")
    kernel.unshare(_CLONE_NEWNET)
    if quiet.exists():
        quiet.write_text("1")
    far_control = sys_call(None, "socket", AF.INET, SOCK.DGRAM, 0)
    far_sniffer = sniffer()
    far_listener = sys_call(None, "socket", AF.INET, SOCK.STREAM | SOCK.NONBLOCK, 0)
    sys_call(None, "bind", far_listener, in4("0.0.0.0", 0), 16)  # noqa: S104 - in a namespace of its own
    sys_call(None, "listen", far_listener, 16)
    far_namespace = os.open("/proc/self/ns/net", os.O_RDONLY)
    kernel.unshare(_CLONE_NEWNET)
    if quiet.exists():
        quiet.write_text("1")
    control = sys_call(None, "socket", AF.INET, SOCK.DGRAM, 0)
    bring_up(control, b"lo")
    _make_link(b"lab0", b"lab1", far_namespace)
    bring_up(control, b"lab0", HERE)
    bring_up(far_control, b"lab1", THERE)
    bring_up(far_control, b"lo")
    for fd in (control, far_control, far_namespace):
        os.close(fd)
    return Cable(far_sniffer, far_listener, port_of(far_listener))
