"""The names that `check` and the tests in one process go by, held against the filter: each is called behind it."""

import importlib
import json
import subprocess
import sys

import pytest

from tee_sim.testing.forbidden_names import FORBIDDEN, UNLESS

KILLED = """\
os.getppid() os.getuid() os.getcwd() os.uname() os.times() os.cpu_count() os.stat("/") os.path.exists("/") os.fork()
os.path.realpath("/x") os.isatty(0) os.umask(0) os.getloadavg() os.get_terminal_size() os.sched_getaffinity(0)
os.getpgrp() os.getpriority(0,0) os.nice(0) os.getlogin() os.close(77) os.dup(1) os.pipe() os.fsync(1) os.lseek(0,0,0)
os.read(0,1) os.write(2,b"") os.abort() os.waitpid(-1,0) os.get_inheritable(0) os.get_blocking(0) os.system("true")
os.memfd_create("x") os.eventfd(0) os.statvfs("/") os.access("/",4) os.readlink("/x") os.getgroups() os.getsid(0)
os.ttyname(0) os.fstat(0) os.device_encoding(0) os.closerange(100,101) os.pidfd_open(1) os.sendfile(1,0,0,1)
os.getresuid() os.getxattr("/","user.x") os.kill(1,0) os.listdir("/") os.scandir("/") os.mkdir("/x") os.popen("true")
os.execv("/x",["x"]) os.posix_spawn("/x",["x"],{}) os.open("/x",0) io.open("/x") io.FileIO(0) codecs.open("/x")
signal.signal(2,signal.SIG_IGN) signal.alarm(1) signal.raise_signal(0) signal.setitimer(0,1) signal.getitimer(0)
signal.pthread_sigmask(0,[]) signal.sigpending() signal.siginterrupt(2,True) signal.pause() signal.sigwait([2])
signal.pthread_kill(threading.get_ident(),0) signal.set_wakeup_fd(1)
select.select([],[],[],0) select.epoll()
mmap.mmap(-1,100) ctypes.CFUNCTYPE(ctypes.c_int)(len) ctypes.CDLL("libabsent.so.77") threading.get_native_id()
resource.getrlimit(0) resource.getrusage(0) faulthandler.enable() uuid.getnode() pwd.getpwuid(0)
pathlib.Path("/x").read_text() pathlib.Path("/x").is_file() pathlib.Path("/x").exists() pathlib.Path.cwd()
"""
FINE = """\
os.getpid() os.urandom(3) os.getrandom(3) os.strerror(3) os.getenv("HOME") os.get_exec_path() os.path.abspath("/x")
signal.getsignal(2) signal.strsignal(2) signal.valid_signals() select.poll() time.time() time.sleep(0.001)
mmap.mmap(-1,100,flags=mmap.MAP_PRIVATE) ctypes.CDLL(None) ctypes.create_string_buffer(10) ctypes.string_at(id(1),1)
threading.Lock().acquire() threading.Event().wait(0.01) uuid.uuid4() datetime.datetime.now()
"""
PROGRAM = """
import codecs, ctypes, datetime, faulthandler, io, json, mmap, os, pathlib, pwd, resource, select, signal, sys
import threading, time, uuid
from tee_sim.shared.sandbox import filters, kernel
died = {}
for call in json.load(sys.stdin):
    pid = os.fork()
    if not pid:
        filters.load(filters.secure_world_program(kernel.MACHINE, "strict", 990, 991, ()))
        try:
            eval(call)
        except BaseException:
            os._exit(1)
        os._exit(0)
    died[call] = os.waitpid(pid, 0)[1]
print(json.dumps(died))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
def test_the_filter_kills_for_what_is_named_and_for_nothing_harmless() -> None:
    killed, fine = KILLED.split(), FINE.split()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(killed + fine), capture_output=True, text=True, check=True
    )
    died = json.loads(done.stdout)
    assert [call for call in killed if died[call] & 127 != 31] == []
    assert [call for call in fine if died[call] != 0] == []
    assert [call for call in killed if _name(call) not in FORBIDDEN] == []
    assert [call for call in fine if _name(call) in FORBIDDEN and _name(call) not in UNLESS] == []


def _name(call: str) -> str:
    first, rest = call.split("(", 1)
    method = rest.rpartition(").")[2].split("(")[0] if ")." in rest and first == "pathlib.Path" else ""
    return f"{first}.{method}" if method else first


def test_every_name_is_one() -> None:
    absent: list[str] = []
    for name in FORBIDDEN:
        module, _, path = name.partition(".")
        importlib.import_module("ctypes.util" if module == "ctypes" else module)
        found: object = sys.modules[module]
        for part in path.split("."):
            found = getattr(found, part, None)
        if found is None:
            absent.append(name)
    assert absent == [] or sys.platform != "linux"
