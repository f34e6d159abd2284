"""Group B: address families other than IP, and local sockets."""

import ctypes
import struct

from bioguard.evidence.escape_battery.attempts.network import seen
from bioguard.evidence.escape_battery.context import Context
from bioguard.evidence.escape_battery.model import attempt
from bioguard.evidence.escape_battery.raw import AF, SOCK, sun
from bioguard.evidence.escape_battery.ring import ring_setup

GROUP = "B"
NETLINK_ROUTE, NETLINK_USERSOCK, NETLINK_AUDIT, NETLINK_GENERIC = 0, 2, 9, 16
RTM_GETLINK, DUMP = 18, 0x301


@attempt("dump of the host's interfaces by netlink")
def netlink_route(c: Context) -> None:
    fd = c.socket(AF.NETLINK, SOCK.RAW, NETLINK_ROUTE)
    request = struct.pack("<IHHII", 32, RTM_GETLINK, DUMP, 1, 0) + bytes(16)
    address = struct.pack("<HHII", AF.NETLINK, 0, 0, 0)
    c.sys("sendto", fd, request, len(request), 0, address, len(address))
    answer = ctypes.create_string_buffer(4096)
    c.sys("recvfrom", fd, answer, 4096, 0, None, None)


@attempt("netlink user socket to a process outside", check=seen)
def netlink_usersock(c: Context) -> None:
    fd = c.socket(AF.NETLINK, SOCK.DGRAM, NETLINK_USERSOCK)
    message = struct.pack("<IHHII", 16 + len(c.token), 16, 0, 0, 0) + c.token
    address = struct.pack("<HHII", AF.NETLINK, 0, c.environment.ports["netlink"], 0)
    c.sys("sendto", fd, message, len(message), 0, address, len(address))


@attempt("generic netlink socket")
def netlink_generic(c: Context) -> None:
    c.socket(AF.NETLINK, SOCK.RAW, NETLINK_GENERIC)


@attempt("audit netlink user message", check=seen)
def netlink_audit(c: Context) -> None:
    fd = c.socket(AF.NETLINK, SOCK.RAW, NETLINK_AUDIT)
    message = struct.pack("<IHHII", 16 + len(c.token), 1005, 1, 1, 0) + c.token
    address = struct.pack("<HHII", AF.NETLINK, 0, 0, 0)
    c.sys("sendto", fd, message, len(message), 0, address, len(address))
    answer = ctypes.create_string_buffer(512)
    c.sys("recvfrom", fd, answer, 512, 0, None, None)
    if struct.unpack_from("<i", answer.raw, 16)[0]:
        raise PermissionError(1, "audit refused it")


@attempt("AF_VSOCK socket: the way to a hypervisor")
def vsock_socket(c: Context) -> None:
    c.socket(AF.VSOCK, SOCK.STREAM)


@attempt("AF_ALG socket")
def af_alg(c: Context) -> None:
    c.socket(AF.ALG, 5)


@attempt("every family and type that the kernel offers")
def family_sweep(c: Context) -> None:
    made = 0
    for family in range(50):
        for kind in (1, 2, 3, 5):
            try:
                c.socket(family, kind)
                made += 1
            except OSError as error:
                last = error
    if not made:
        raise last


@attempt("io_uring set up")
def io_uring_setup(c: Context) -> None:
    ring_setup(c)


@attempt("local socket pair")
def socketpair_local(c: Context) -> None:
    c.sys("socketpair", AF.UNIX, SOCK.STREAM, 0, ctypes.create_string_buffer(8))


@attempt("pathname stream socket", check=seen)
def unix_path_stream(c: Context) -> None:
    c.stream(sun(c.environment.sockets["stream"]), AF.UNIX)


@attempt("pathname datagram socket", check=seen)
def unix_path_dgram(c: Context) -> None:
    c.datagram(sun(c.environment.sockets["dgram"]), AF.UNIX)


@attempt("pathname sequenced-packet socket", check=seen)
def unix_path_seqpacket(c: Context) -> None:
    fd = c.socket(AF.UNIX, 5)
    address = sun(c.environment.sockets["seqpacket"])
    c.sys("connect", fd, address, len(address))
    c.sys("sendto", fd, c.token, len(c.token), 0, None, 0)


@attempt("abstract stream socket", check=seen)
def unix_abs_stream(c: Context) -> None:
    c.stream(sun(c.environment.abstract["stream"], abstract=True), AF.UNIX)


@attempt("abstract datagram socket", check=seen)
def unix_abs_dgram(c: Context) -> None:
    c.datagram(sun(c.environment.abstract["dgram"], abstract=True), AF.UNIX)


@attempt("abstract socket of an X server", check=seen)
def x11_abstract(c: Context) -> None:
    c.stream(sun(c.environment.abstract["x11"], abstract=True), AF.UNIX)


@attempt("binding a new socket file whose name carries data", check=lambda v: v.in_files())
def unix_bind_name(c: Context) -> None:
    fd = c.socket(AF.UNIX, SOCK.STREAM)
    address = sun(f"{c.outside}/{c.text}")
    c.sys("bind", fd, address, len(address))
