"""The name of the call that ended a process comes from the kernel's log, strictly parsed, or is said to be missing."""

import os
import sys
import time
from pathlib import Path

import pytest

from tee_sim.normal import kernel_log, timeline, timeline_reader
from tee_sim.normal.client import Context
from tee_sim.normal.kernel_log import KernelLog, forbidden_calls
from tee_sim.normal.secure_process import SecureProcess
from tee_sim.normal.supplicant import Supplicant
from tee_sim.normal.syscall_names import name_of, names
from tee_sim.shared.errors import TeeError
from tee_sim.shared.sandbox.syscalls import ARCHITECTURES
from tee_sim.shared.wire import Boot, LockProfile, Provision
from tests.tee_sim.locked.applications.mistaken.app import MISTAKES
from tests.tee_sim.locked.conftest import inspect, interpreter, manifest
from tests.tee_sim.locked.test_ordinary_python import PARAMS

LINE = (
    b"5,77,24000000000,-;audit: type=1326 audit(1795990893.315:37766): auid=4294967295 uid=0 gid=0 ses=4294967295 "
    b'pid=4303 comm="python" exe="/usr/bin/python3.11" sig=31 arch=c000003e syscall=257 compat=0 ip=0x7f4e '
    b"code=0x80000000\n"
)
X86 = pytest.mark.skipif("x86_64" not in os.uname().machine, reason="the lines are of an x86_64 kernel")
NUMBERS = {"fcntl64": "fcntl", "statfs64": "statfs", "fstatfs64": "fstatfs", "truncate64": "truncate"} | {
    "ftruncate64": "ftruncate", "llseek": "lseek", "sendfile64": "sendfile", "fstatat64": "newfstatat",
    "fstat64": "fstat", "mmap2": "mmap", "fadvise64_64": "fadvise64",
}  # fmt: skip
"""libseccomp's names of 32-bit calls, which seccompy uses on aarch64 too; the kernel's are those on the right."""


@X86
def test_a_line_of_one_of_its_processes_names_the_call() -> None:
    assert list(forbidden_calls(iter([LINE]), {4303}, 0)) == ["openat"]
    hexadecimal = LINE.replace(b'"python"', b"707974686F6E2033")
    assert list(forbidden_calls(iter([hexadecimal]), {4303}, 0)) == ["openat"]
    foreign = LINE.replace(b"c000003e", b"40000003")
    assert list(forbidden_calls(iter([foreign]), {4303}, 0)) == ["system call 257 of another architecture"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"pid=4303", b"pid=4304"), (b"24000000000", b"99"), (b"type=1326", b"type=1400"), (b"sig=31", b"sig=9"),
        (b"sig=31", b"sig=0"), (b"syscall=257", b"syscall=-1"), (b"arch=c000003e ", b""),
        (b'comm="python"', b'comm="x" pid=4303 comm="python"'), (b"audit: type", b"x audit: type"),
        (b"pid=4303 comm=", b"ppid=4303 comm="),
    ],
)  # fmt: skip
def test_any_other_line_says_nothing(before: bytes, after: bytes) -> None:
    assert before in LINE
    assert list(forbidden_calls(iter([LINE.replace(before, after)]), {4303}, 1000)) == []


def test_what_cannot_be_read_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = KernelLog(os.getpid())
    monkeypatch.setattr(kernel_log, "DEVICE", tmp_path / "none")
    assert log.last_call() == "run as root, or in the debug profile, to see the call"
    (tmp_path / "none").write_bytes(b"")
    monkeypatch.setattr(kernel_log, "_MOST_RECORDS", 3)
    assert log.last_call() == (
        "the kernel did not log the call, as it limits how many such lines it writes; the debug profile shows it"
    )


def test_names_are_those_of_a_second_table() -> None:
    tables = pytest.importorskip("seccompy.syscalls", reason="the test extra brings seccompy")
    for machine, table in (("x86_64", tables.X86_64_SYSCALLS), ("aarch64", tables.AARCH64_SYSCALLS)):
        theirs = {number: NUMBERS.get(name, name) for name, number in table.items()}
        ours = names(machine)
        assert len(ours) > 300
        assert {number: name for number, name in ours.items() if theirs.get(number) != name} == {}


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_names_are_those_of_the_filter_table(machine: str) -> None:
    assert all(name_of(number, machine) == name for name, number in ARCHITECTURES[machine].numbers.items())
    assert name_of(4000, machine) == "system call 4000"


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
def test_a_host_that_is_killed_is_told_of_with_its_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "timeline.json"
    monkeypatch.setenv(timeline.VARIABLE, str(path))
    said: list[str] = []
    supplicant = Supplicant(tmp_path)
    with interpreter(tmp_path):
        boot = Boot(manifests=(manifest(1, "mistaken"),), profile=LockProfile.STRICT)
        process = SecureProcess(boot, supplicant, on_forbidden=said.append)
    try:
        process.boot(inspect, Provision(huk=bytes(32), device_id=bytes(16), create=True))
        session = Context(process).open_session(manifest(1, "mistaken").ta_uuid)
        command = next(i for i, mistake in enumerate(MISTAKES) if mistake.__name__ == "makes_a_socket")
        with pytest.raises(TeeError, match="it made a system call that its filter forbids") as caught:
            session.invoke(command, PARAMS)
    finally:
        process.kill()
        supplicant.close()
    assert "socket" not in str(caught.value)
    (words,) = said
    known = "a process was killed by signal 31, SIGSYS: socket, says the kernel's log"
    assert words in (known, *(f"a process was killed by signal 31, SIGSYS: {w}" for w in _EXCUSES))
    if os.geteuid() == 0 and os.access(kernel_log.DEVICE, os.R_OK) and _logs_seccomp():
        assert words == known
    found = timeline_reader.read(path.read_bytes())
    assert [e["args"] for e in found if e["name"] == "killed for a system call"] == [{"call": words.partition(": ")[2]}]
    assert [e["name"] for e in found if e["name"] in ("panic", "process ended")] == ["process ended"]


_EXCUSES = (kernel_log.UNREADABLE, kernel_log.NOT_LOGGED)


def _logs_seccomp() -> bool:
    """Whether this kernel's log shows the deaths of this PID namespace, under the numbers that we know them by."""
    pid = os.fork()
    if not pid:
        from tee_sim.shared.sandbox import bpf, filters, kernel

        kernel.prctl(38, 1)
        rules = (*filters.secure_world_rules(100, 101),)
        filters.load(bpf.assemble(filters.this_arch(), rules, deny=bpf.KILL))
        os.getppid()
        os._exit(0)
    os.waitpid(pid, 0)
    time.sleep(0.01)
    log = KernelLog(pid)
    return log.last_call() == "getppid, says the kernel's log"
