"""The verdict: the real one on this host, degraded hosts played by outer filters, and every contradiction."""

import ctypes
import dataclasses
import os
import signal
import subprocess
import sys

import pytest

from tee_sim.normal.sandbox_verdict import probes
from tee_sim.normal.sandbox_verdict.observe import Observation, observe
from tee_sim.normal.sandbox_verdict.probes import Probe, ProbeResults, cached_probes
from tee_sim.normal.sandbox_verdict.verdict import Level, State, judge
from tee_sim.secure.lockdown import LayerState
from tee_sim.shared import codec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")

SIGSYS = 31
PTRACE_SEIZE = 0x4206
SHA = bytes(32)
WORKING = ProbeResults((Probe("open-path", 0, SIGSYS),), Probe("landlock", 0, 13 << 8))


def test_this_host_is_enforced(locked):
    report, seen = locked
    verdict = judge(report, seen, cached_probes())
    assert verdict.level.meets(Level.ENFORCED), verdict.reasons
    full = all(report.applied(x) for x in ("namespaces", "user-map", "empty-root", "landlock"))
    assert (verdict.level is Level.ENFORCED_PLUS) == full
    assert verdict.state("seccomp") is State.IN_FORCE
    assert verdict.filter_sha256 == report.filter_sha256
    if os.geteuid() == 0:
        assert seen.filters is not None, "root reads the filter back from the kernel"
        assert verdict.state("descriptors") is State.IN_FORCE
        assert [n for n, _ in seen.descriptors] == [0, 1, 2, *sorted((report.request_fd, report.reply_fd))]


def test_reading_the_filter_back_leaves_the_process_running(start):
    child = start("exit3")
    for _ in range(3):
        seen = observe(child.process.pid, child.report)
        assert judge(child.report, seen, cached_probes()).level.meets(Level.ENFORCED)
    assert child.act() == 3


def test_a_process_that_is_traced_is_inconclusive(start):
    """Nobody but the tracer can read its filter back then, and the probes would speak for it."""
    if os.geteuid() != 0:
        pytest.skip("only root may trace a process that is not dumpable")
    child = start("exit3")
    core = observe(child.process.pid, child.report).process_id
    libc = ctypes.CDLL(None)
    assert libc.ptrace(ctypes.c_long(PTRACE_SEIZE), core, None, None) == 0
    seen = observe(child.process.pid, child.report)
    assert (seen.traced, seen.filters) == (True, None)
    assert judge(child.report, seen, cached_probes()).level is Level.INCONCLUSIVE


@pytest.mark.parametrize(
    ("host", "level", "in_force", "absent"),
    [
        ("no-userns", Level.ENFORCED, {"seccomp", "landlock"}, {"namespaces", "empty-root"}),
        ("no-landlock", Level.ENFORCED, {"seccomp", "namespaces", "empty-root"}, {"landlock"}),
        ("no-userns-no-landlock", Level.ENFORCED, {"seccomp"}, {"namespaces", "empty-root", "landlock"}),
        ("no-mount", Level.ENFORCED, {"seccomp", "namespaces", "landlock"}, {"empty-root"}),
        ("no-seccomp", Level.PARTIAL, {"namespaces", "empty-root", "landlock"}, {"seccomp"}),
        ("landlock-only", Level.PARTIAL, {"landlock"}, {"seccomp", "namespaces"}),
        ("nothing", Level.NOT_ENFORCED, set(), {"seccomp", "namespaces", "landlock"}),
    ],
)
def test_degraded_hosts_get_their_honest_level(start, host, level, in_force, absent):
    reference = start().report
    if in_force & {"namespaces", "empty-root"} and not reference.applied("empty-root"):
        pytest.skip("this host has no user namespaces, so the case cannot be played")
    if "landlock" in in_force and not reference.applied("landlock"):
        pytest.skip("this host has no Landlock, so the case cannot be played")
    child = start("hang", before=host)
    verdict = judge(child.report, observe(child.process.pid, child.report), cached_probes())
    assert verdict.level is level, verdict.reasons
    assert in_force <= set(verdict.layers)
    assert not absent & set(verdict.layers)
    assert all(any(reason.startswith(name) for reason in verdict.reasons) for name in absent)


def test_debug_profile_is_never_better_than_partial(start):
    child = start("hang", profile="permissive-debug")
    verdict = judge(child.report, observe(child.process.pid, child.report), cached_probes())
    assert verdict.level is Level.PARTIAL
    assert "seccomp: debug profile: foreign calls are answered, not killed" in verdict.reasons


def test_off_is_not_enforced(start):
    child = start("hang", profile="off")
    verdict = judge(child.report, observe(child.process.pid, child.report), cached_probes())
    assert verdict.level is Level.NOT_ENFORCED


def test_a_host_that_forbids_sockets_anyway_is_inconclusive(start):
    """The same outer filter around the probes: their positive control fails, so a stopped call proves nothing."""
    child = start("hang", before="no-socket")
    refused = Probe("udp-loopback", 1 << 8, SIGSYS)
    probes = dataclasses.replace(cached_probes(), filter_probes=(refused, *cached_probes().filter_probes[1:]))
    verdict = judge(child.report, observe(child.process.pid, child.report), probes)
    assert verdict.level is Level.INCONCLUSIVE
    assert "positive control failed without any lock: udp-loopback" in verdict.reasons


def test_other_platforms_are_not_enforced(locked):
    report, _ = locked
    verdict = judge(report, Observation(platform="darwin"), WORKING)
    assert verdict.level is Level.NOT_ENFORCED
    assert verdict.reasons == ("darwin offers no filter that we use: nothing is enforced",)


@pytest.mark.parametrize(
    ("report_change", "seen_change", "probes", "reason"),
    [
        ({}, {"seccomp_mode": None}, WORKING, "the process status cannot be read from outside"),
        ({}, {"threads": None}, WORKING, "the process status cannot be read from outside"),
        ({}, {"traced": True}, WORKING, "another process traces it, and may do in it what no filter sees"),
        ({}, {"traced": None}, WORKING, "another process traces it, and may do in it what no filter sees"),
        ({}, {"seccomp_mode": 0}, WORKING, "the secure world claims a filter that the kernel does not show"),
        ({}, {"filters": (bytes(8),)}, WORKING, "no filter in the kernel has the hash that the secure world claims"),
        ({"filter_sha256": SHA}, {"filters": None}, WORKING, "the claimed filter is not the one this version builds"),
        ({"machine": "vax"}, {}, WORKING, "a filter is claimed on an architecture we have no table for"),
        ({}, {}, ProbeResults((), None), "the probes did not run"),
        ({}, {}, ProbeResults((Probe("fork", 0, 0),), None), "the filter did not stop a throw-away child: fork"),
        ({}, {}, ProbeResults((Probe("fork", 0, 9),), None), "the filter did not stop a throw-away child: fork"),
    ],
)
def test_contradictions_are_inconclusive(locked, report_change, seen_change, probes, reason):
    report, seen = locked
    verdict = judge(dataclasses.replace(report, **report_change), dataclasses.replace(seen, **seen_change), probes)
    assert verdict.level is Level.INCONCLUSIVE
    assert reason in verdict.reasons


@pytest.mark.parametrize(
    ("change", "layer", "level"),
    [
        ({"descriptors": ((0, "/dev/null"), (9, "/etc/passwd"))}, "descriptors", Level.PARTIAL),
        ({"descriptors": ((0, "/dev/pts/1"),)}, "descriptors", Level.PARTIAL),
        ({"capabilities": 1}, "privileges", Level.PARTIAL),
        ({"no_new_privileges": False}, "privileges", Level.PARTIAL),
        ({"capabilities": None}, "privileges", Level.PARTIAL),
        ({"threads": 2}, "seccomp", Level.PARTIAL),
        ({"interfaces": (("lo", 0, 0), ("eth0", 0, 0))}, "namespaces", Level.ENFORCED),
        ({"interfaces": (("lo", 0, 40),)}, "namespaces", Level.ENFORCED),
        ({"sockets": 1}, "namespaces", Level.ENFORCED),
        ({"pid_is_1": None}, "namespaces", Level.ENFORCED),
        ({"namespaces": ("user", "mnt", "pid", "ipc", "uts", "cgroup")}, "namespaces", Level.ENFORCED),
        ({"mounts": (("/", "tmpfs", "ro,nosuid,nodev,noexec"), ("/x", "ext4", "rw"))}, "empty-root", Level.ENFORCED),
        ({"mounts": (("/", "tmpfs", "rw,nosuid,nodev,noexec"),)}, "empty-root", Level.ENFORCED),
        ({"limits": (("Max file size", "4096"),)}, "limits", Level.ENFORCED_PLUS),
    ],
)
def test_each_outside_fact_counts(locked, change, layer, level):
    report, seen = locked
    if judge(report, seen, WORKING).level is not Level.ENFORCED_PLUS:
        pytest.skip("needs a host with every layer, so that one missing fact is the only difference")
    verdict = judge(report, dataclasses.replace(seen, **change), WORKING)
    assert verdict.level is level, verdict.reasons
    assert verdict.state(layer) is not State.IN_FORCE
    assert any(reason.startswith(f"{layer}:") for reason in verdict.reasons)


def test_without_root_the_probes_stand_in_for_the_read_back(locked):
    report, seen = locked
    blind = dataclasses.replace(seen, filters=None, descriptors=None, namespaces=None)
    verdict = judge(report, blind, WORKING)
    assert verdict.level.meets(Level.ENFORCED)
    assert verdict.state("descriptors") is State.UNKNOWN
    assert judge(report, blind, ProbeResults((), None)).level is Level.INCONCLUSIVE


def test_an_unprivileged_observer_reaches_the_same_level(start):
    if os.geteuid() != 0:
        pytest.skip("this process is unprivileged already; the other tests are this one")
    probes = cached_probes()
    child = start("hang")
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            seen = observe(child.process.pid, child.report)
            verdict = judge(child.report, seen, probes)
            os.write(write_end, f"{verdict.level.value} {seen.filters} {seen.descriptors}".encode())
        finally:
            os._exit(0)
    os.close(write_end)
    answer = os.read(read_end, 200).decode()
    os.waitpid(pid, 0)
    assert answer == f"{judge(child.report, observe(child.process.pid, child.report), probes).level.value} None None"


def test_levels_are_ordered():
    order = [Level.ENFORCED_PLUS, Level.ENFORCED, Level.PARTIAL, Level.INCONCLUSIVE, Level.NOT_ENFORCED]
    for i, level in enumerate(order):
        assert [level.meets(required) for required in order] == [j >= i for j in range(len(order))]


def test_probe_results_cross_the_pipe():
    probes = cached_probes()
    assert probes.filter_kills
    assert [p.name for p in probes.filter_probes if not p.control_works] == []
    assert ProbeResults.from_record(probes.to_record()) == probes


def test_a_dead_process_is_not_observed(start):
    child = start("exit3")
    child.act()
    with pytest.raises(ProcessLookupError):
        observe(child.process.pid, child.report)


def test_records_are_plain(locked):
    import json

    report, seen = locked
    verdict = judge(report, seen, cached_probes())
    assert json.loads(json.dumps(verdict.to_record()))["level"] == verdict.level.value
    assert seen.to_record()["threads"] == 1
    assert report.layer("nonsense").state is LayerState.SKIPPED


@pytest.mark.parametrize(("then", "code"), [("sys.exit(1)", 1), ("sys.stdout.close(); time.sleep(9)", -signal.SIGKILL)])
def test_probes_that_did_not_end_well_have_shown_nothing(monkeypatch: pytest.MonkeyPatch, then: str, code: int) -> None:
    """Whatever they have written by then."""
    written = codec.encode(WORKING.to_record())
    program = f"import sys, time; sys.stdout.buffer.write({written!r}); sys.stdout.flush(); {then}"
    probing = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    monkeypatch.setattr(probes, "_begun", [probing])
    monkeypatch.setattr(probes, "_TIMEOUT_S", 2)
    assert probes.run_probes() == ProbeResults((), None)
    assert probing.returncode == code


def test_probes_that_were_begun_are_waited_for_and_not_begun_again() -> None:
    probes.cached_probes.cache_clear()
    probes.begin_probes()
    (begun,) = probes._begun
    probes.begin_probes()
    assert probes._begun == [begun]
    assert probes.cached_probes().filter_kills
    assert begun.returncode == 0
    probes.begin_probes()
    assert probes._begun == [], "it is known"
