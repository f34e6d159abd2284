"""Group J: sockets and files of desktop and system services, played by listeners of the environment."""

import os
import struct

from bioguard.evidence.escape_battery.attempts.network import seen
from bioguard.evidence.escape_battery.context import Context
from bioguard.evidence.escape_battery.model import attempt
from bioguard.evidence.escape_battery.raw import AF, sun

GROUP = "J"


@attempt("syslog datagram socket", check=seen)
def syslog_devlog(c: Context) -> None:
    c.datagram(sun(c.environment.sockets["devlog"]), AF.UNIX, b"<14>app: " + c.token)


@attempt("journald native socket", check=seen)
def journald_native(c: Context) -> None:
    c.datagram(sun(c.environment.sockets["journal"]), AF.UNIX, b"MESSAGE=" + c.token + b"\n")


@attempt("D-Bus session bus", check=seen)
def dbus_session(c: Context) -> None:
    c.stream(sun(c.environment.sockets["session_bus"]), AF.UNIX)


@attempt("D-Bus system bus", check=seen)
def dbus_system(c: Context) -> None:
    c.stream(sun(c.environment.sockets["system_bus"]), AF.UNIX)


@attempt("polkit agent by the system bus", check=seen)
def polkit(c: Context) -> None:
    c.stream(sun(c.environment.sockets["polkit"]), AF.UNIX)


@attempt("user bus below the runtime directory", check=seen)
def user_bus(c: Context) -> None:
    c.stream(sun(c.environment.sockets["user_bus"]), AF.UNIX)


@attempt("private socket of the service manager (systemd-run)", check=seen)
def service_manager(c: Context) -> None:
    c.stream(sun(c.environment.sockets["manager"]), AF.UNIX)


@attempt("Wayland display socket", check=seen)
def wayland(c: Context) -> None:
    c.stream(sun(c.environment.sockets["wayland"]), AF.UNIX)


@attempt("sound server socket", check=seen)
def sound_server(c: Context) -> None:
    c.stream(sun(c.environment.sockets["sound"]), AF.UNIX)


@attempt("print server socket", check=seen)
def print_server(c: Context) -> None:
    c.stream(sun(c.environment.sockets["cups"]), AF.UNIX, 0)


@attempt("ssh agent socket", check=seen)
def ssh_agent(c: Context) -> None:
    c.stream(sun(c.environment.sockets["agent"]), AF.UNIX)


@attempt("container engine socket", check=seen)
def container_engine(c: Context) -> None:
    c.stream(sun(c.environment.sockets["engine"]), AF.UNIX)


@attempt("name service cache socket", check=seen)
def name_service_cache(c: Context) -> None:
    c.stream(sun(c.environment.sockets["nscd"]), AF.UNIX)


@attempt("resolver's varlink socket", check=seen)
def resolver_varlink(c: Context) -> None:
    c.stream(sun(c.environment.sockets["resolve"]), AF.UNIX)


@attempt("at job dropped into a spool", check=lambda v: v.in_files())
def at_spool(c: Context) -> None:
    c.write_file(f"{c.outside}/spool/a{c.text}")


@attempt("cron table dropped into a spool", check=lambda v: v.in_files())
def cron_spool(c: Context) -> None:
    c.write_file(f"{c.outside}/spool/crontab", b"* * * * * echo " + c.token + b"\n")


@attempt("sound device node")
def sound_device(c: Context) -> None:
    c.open("/dev/snd/timer", os.O_RDWR)


@attempt("graphics device node")
def graphics_device(c: Context) -> None:
    c.open("/dev/dri/renderD128", os.O_RDWR)


@attempt("user-space input device")
def uinput_device(c: Context) -> None:
    c.open("/dev/uinput", os.O_WRONLY)


@attempt("fuse device")
def fuse_device(c: Context) -> None:
    c.open("/dev/fuse", os.O_RDWR)


@attempt("hardware virtualization device")
def kvm_device(c: Context) -> None:
    c.open("/dev/kvm", os.O_RDWR)


@attempt("shared page cache: which pages of a library are resident")
def page_cache_timing(c: Context) -> None:
    fd = c.open("/proc/self/exe", os.O_RDONLY)
    address = c.sys("mmap", None, 4096, 1, 2, fd, 0)
    c.sys("mincore", address, 4096, struct.pack("<8x"))


@attempt("file lease that a second opener notices")
def file_lease(c: Context) -> None:
    c.sys("fcntl", c.leaks.file, 1024, 1)  # F_SETLEASE, F_WRLCK
