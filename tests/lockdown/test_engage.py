"""The lock on a live process: what it reports, what kills it, how it ends, and what makes it refuse."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tee_sim.normal.sandbox_verdict.observe import children_of, secure_process_id
from tee_sim.secure.lockdown import Layer, LayerState, LockPlan, LockReport
from tee_sim.shared.errors import TeeError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")

SIGSYS_THROUGH_WAITER = 128 + signal.SIGSYS
MANDATORY = ("early-limits", "one-thread", "pipes", "standard-streams", "descriptors", "arena", "not-dumpable")


def alive(pid: int) -> bool:
    """A zombie that nobody reaped yet is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def ended_by_sigsys(status: int) -> bool:
    return status in (SIGSYS_THROUGH_WAITER, -signal.SIGSYS)


@pytest.mark.parametrize("namespaces", [True, False])
def test_report_names_every_layer_in_order_and_survives_the_wire(start, namespaces):
    report = start(namespaces=namespaces).report
    names = [x.name for x in report.layers]
    assert names == [
        "early-limits", "no-exec-gain", "one-thread", "pipes", "standard-streams", "arguments", "namespaces",
        "user-map", "no-nested-namespaces", "pid-1", "empty-root", "not-dumpable", "no-new-privileges", "capabilities",
        "landlock", "descriptors", "arena", "last-limits", "seccomp",
    ]  # fmt: skip
    assert all(report.applied(name) for name in (*MANDATORY, "seccomp"))
    if not namespaces:
        assert report.layer("namespaces").state is LayerState.SKIPPED
    assert report.filter_instructions == 128
    assert len(report.filter_sha256) == 32
    assert LockReport.from_bytes(report.to_bytes()) == report
    assert LockReport.from_record(report.to_record()) == report


@pytest.mark.parametrize(
    "action",
    ["open", "socket", "fork", "thread", "late-import", "write-null", "read-null", "undump", "kill-parent"],
)
@pytest.mark.parametrize("namespaces", [True, False])
def test_anything_but_the_two_pipes_kills(start, action, namespaces):
    locked = start(action, namespaces=namespaces)
    assert ended_by_sigsys(locked.act())
    assert locked.read() == b""


@pytest.mark.parametrize(
    ("action", "code", "signal_number"),
    [("exit3", 3, 0), ("sys-exit", 5, 0), ("memory", 0, 0), ("segfault", 0, signal.SIGSEGV)],
)
@pytest.mark.parametrize("namespaces", [True, False])
def test_exit_status_is_mapped(start, action, code, signal_number, namespaces):
    locked = start(action, namespaces=namespaces)
    waited = locked.report.applied("pid-1")
    expected = (128 + signal_number if waited else -signal_number) if signal_number else code
    assert locked.act() == expected


def test_abort_is_killed_at_its_first_signal_call(start):
    locked = start("abort")
    assert ended_by_sigsys(locked.act())
    assert locked.read() == b""


def test_permissive_debug_answers_instead_of_killing(start):
    locked = start("open", profile="permissive-debug")
    assert locked.report.profile == "permissive-debug"
    assert locked.act() not in (0, 128 + signal.SIGSYS)  # PermissionError, and an interpreter that cannot clean up


@pytest.mark.parametrize("namespaces", [True, False])
def test_the_watcher_of_the_debug_profile_ends_with_whom_it_watches(start, namespaces):
    locked = start("hang", profile="permissive-debug", namespaces=namespaces)
    if not locked.report.applied("watcher"):
        pytest.skip("this kernel has no answer for a watcher")
    watched = secure_process_id(locked.process.pid, locked.report)
    (watcher,) = children_of(watched)
    os.kill(watched, signal.SIGKILL)
    locked.process.wait(10)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{watcher}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{watcher}").exists()


def test_no_other_profile_has_a_watcher(start):
    locked = start("hang")
    assert "watcher" not in [layer.name for layer in locked.report.layers]
    assert children_of(secure_process_id(locked.process.pid, locked.report)) == ()


@pytest.mark.parametrize("victim", ["waiter", "secure world"])
@pytest.mark.parametrize("state", ["hang", "spin", "idle"])
def test_killing_either_process_ends_both_at_once(start, victim, state):
    locked = start("hang" if state == "idle" else state)
    if not locked.report.applied("pid-1"):
        pytest.skip("this host has no PID namespace for us, so there is one process only")
    waiter = locked.process.pid
    inner = secure_process_id(waiter, locked.report)
    if state != "idle":
        os.write(locked.to_child, b"x")
        time.sleep(0.05)
    os.kill(waiter if victim == "waiter" else inner, signal.SIGKILL)
    started = time.monotonic()
    assert locked.read(timeout_s=10) == b""
    status = locked.process.wait(10)
    assert status == (-signal.SIGKILL if victim == "waiter" else 128 + signal.SIGKILL)
    while alive(inner) and time.monotonic() - started < 10:
        time.sleep(0.005)
    assert not alive(inner)


def test_the_waiter_holds_nothing_and_is_locked_too(start):
    locked = start("hang")
    if not locked.report.applied("pid-1"):
        pytest.skip("this host has no PID namespace for us, so there is no waiter")
    path = Path(f"/proc/{locked.process.pid}/status")
    deadline = time.monotonic() + 10
    while "Seccomp:\t2" not in path.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    status = path.read_text()  # again: the kernel writes the file line by line, while the process goes on
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    if os.geteuid() == 0:
        assert [str(p.readlink()) for p in Path(f"/proc/{locked.process.pid}/fd").iterdir()] == ["/dev/null"] * 3


def test_host_limit_of_user_namespaces_is_untouched(start):
    path = Path("/proc/sys/user/max_user_namespaces")
    before = path.read_text()
    start()
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("second-thread", "2 threads before the lock, expected one"),
        ("swapped-pipes", "a pipe descriptor is not a pipe of the expected direction"),
        ("file-for-pipe", "a pipe descriptor is not a pipe of the expected direction"),
        ("odd-unshare", "namespaces: EIO"),
    ],
)
def test_a_surprise_ends_the_process(start, before, message):
    locked = start(before=before)
    assert locked.refusal == message
    assert locked.process.wait(30) == 70


@pytest.mark.parametrize(
    ("before", "layer", "state"),
    [
        ("no-userns", "namespaces", LayerState.REFUSED),
        ("no-landlock", "landlock", LayerState.UNAVAILABLE),
        ("no-seccomp", "seccomp", LayerState.UNAVAILABLE),
        ("no-mount", "empty-root", LayerState.REFUSED),
    ],
)
def test_a_refusal_is_recorded_with_its_errno(start, before, layer, state):
    record = start(before=before).report.layer(layer)
    assert record.state is state
    assert record.error == (1 if state is LayerState.REFUSED else 38)


def test_arena_falls_back_where_secret_memory_is_missing(start):
    assert start(before="no-memfd-secret").report.layer("arena").detail in ("mlock", "private")


def test_off_locks_nothing_and_says_so(start):
    report = start(profile="off").report
    assert report.filter_sha256 == b""
    assert not report.applied("seccomp")
    assert [x.name for x in report.layers] == ["early-limits", "no-exec-gain"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"profile": "lenient"}, "unknown lock profile 'lenient'"),
        ({"request_fd": 2}, "pipe descriptors must lie above standard error"),
        ({"reply_fd": 3}, "request and reply must be two descriptors"),
        ({"arena_bytes": -1}, "arena size is out of range"),
    ],
)
def test_a_plan_is_checked_once(fields, message):
    with pytest.raises(ValueError, match=message):
        LockPlan(**({"request_fd": 3, "reply_fd": 4} | fields))


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.pop("machine"),
        lambda r: r.update(extra=1),
        lambda r: r.update(profile="none"),
        lambda r: r.update(filter_sha256=b"short"),
        lambda r: r.update(request_fd=True),
        lambda r: r.update(landlock_abi=-1),
        lambda r: r["layers"].append(["x", 9, 0, ""]),
        lambda r: r["layers"].append(["line\nbreak", 1, 0, ""]),
        lambda r: r["costs_us"].append(["x"]),
    ],
)
def test_a_malformed_report_is_refused(change):
    report = LockReport(
        profile="strict", machine="x86_64", request_fd=3, reply_fd=4, layers=(Layer("a", LayerState.APPLIED),),
        filter_sha256=bytes(32), filter_instructions=1, landlock_abi=0, costs_us=(("a", 1),),
    )  # fmt: skip
    record = report.to_record()
    change(record)
    with pytest.raises(TeeError, match="lock report is malformed"):
        LockReport.from_record(record)


def test_a_layer_reads_like_a_sentence():
    assert str(Layer("landlock", LayerState.UNAVAILABLE, 38)) == "landlock unavailable (ENOSYS)"
    assert str(Layer("arena", LayerState.APPLIED, 0, "mlock")) == "arena applied: mlock"
