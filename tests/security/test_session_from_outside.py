"""A whole session of a device, watched from outside: system calls, packets, descriptors."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bioguard.device import Device
from bioguard.device.consent import attest, grant_all, signed_log
from bioguard.proofs.device_claims import AttestedHosts
from bioguard.proofs.psa_token import Claims
from bioguard.simulate.people import face_views, finger_impressions
from tee_sim.normal.sandbox_verdict.observe import look, observe
from tee_sim.shared.lock_report import HostLink
from tee_sim.shared.sandbox.syscalls import secure_world_rules

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")

PATH_OR_DESCRIPTOR = re.compile(
    r"open|creat|stat|link|path|dir|mount|exec|socket|pipe|dup|accept|memfd|eventfd|clone|fork"
)


def a_session(device: Device) -> None:
    """Everything that computes: enroll, decide, search, replace, list, erase."""
    device.add_user("alice")
    grant_all(device, "alice", of_age=True)
    faces = face_views(9, person=1, count=4)
    fingers = finger_impressions(9, person=1, count=4)
    device.enroll("alice", faces[:3])
    device.enroll("alice", fingers[:3], finger="right-index")
    device.authenticate("alice", faces[3])
    device.authenticate("alice", fingers[3])
    device.identify(faces[3])
    device.enroll("alice", faces[1:], replace=True)
    for record in list(device.records("alice")):
        device.erase("alice", record.record_id)


def test_strace_of_a_session_shows_at_most_20_calls_and_no_path(tmp_path):
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed; .ci/run installs it where it can")
    if os.geteuid() != 0:
        pytest.skip("only root may trace a process that is not dumpable")
    log = tmp_path / "trace"
    with Device.init(tmp_path / "device", require_pin=False) as device:
        processes = (device.running.inspected.core, *device.running.inspected.hosts)
        targets = [str(process.seen.process_id) for process in processes]
        attach = [word for target in targets for word in ("-p", target)]
        tracer = subprocess.Popen([strace, "-f", "-qq", "-e", "signal=all", "-o", str(log), *attach])
        status = Path(f"/proc/{targets[-1]}/status")
        deadline = time.monotonic() + 20
        while "TracerPid:\t0" in status.read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        a_session(device)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(20)
    calls = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)", log.read_text(encoding="utf-8"), re.M))
    allowed = {rule.name for rule in secure_world_rules(3, 4, (HostLink(2, 5, 6, 7),))}
    assert {"read", "write"} <= calls, "the trace saw the session"
    assert calls <= allowed
    core, *hosts = targets
    lines = re.findall(r"^(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed)", log.read_text(encoding="utf-8"), re.M)
    by_process = {target: {call for process, call in lines if process == target} for target in targets}
    assert {"ppoll", "read", "write"} <= by_process[core]
    assert all(by_process[host] <= {rule.name for rule in secure_world_rules(3, 4)} for host in hosts)
    names = dict(zip(targets, (process.name for process in processes), strict=True))
    worked = {names[target] for target in targets if "write" in by_process[target]}
    assert worked == {"core", "biometric", "gatekeeper"}, "which asks whose PIN it is; no spare was needed"
    assert len(calls) <= 20
    assert [c for c in calls if PATH_OR_DESCRIPTOR.search(c)] == []


def test_no_packet_and_no_socket_after_a_session(tmp_path):
    with Device.init(tmp_path / "device", require_pin=False) as device:
        if not device.running.report.applied("namespaces"):
            pytest.skip("this host gives no network namespace, so its own counters cannot be told from others")
        a_session(device)
        seen = observe(device.running.process.pid, device.running.report)
    assert seen.interfaces == (("lo", 0, 0),)
    assert seen.sockets == 0
    assert seen.threads == 1
    assert seen.command_line_bytes == 0


def test_the_verdict_still_holds_after_a_session(tmp_path):
    with Device.init(tmp_path / "device", require_pin=False) as device:
        a_session(device)
        seen = observe(device.running.process.pid, device.running.report)
        assert seen.seccomp_mode == 2
        assert seen.capabilities == 0
        if os.geteuid() == 0:
            hosts = device.running.inspected.hosts
            assert len(seen.descriptors) == 5 + 3 * len(hosts)
            assert all(len(look(host.seen.process_id).descriptors) == 5 for host in hosts)
            import hashlib

            hashes = {hashlib.sha256(raw).digest() for raw in seen.filters}
            assert device.running.report.filter_sha256 in hashes


def test_the_token_names_every_process_and_its_filter(tmp_path):
    nonce = bytes(32)
    with Device.init(tmp_path / "device") as device:
        key = signed_log(device).attestation_key
        hosts = AttestedHosts.of(Claims.verify(attest(device, nonce), key, nonce)[0])
        running = device.running.inspected.hosts
        names = {f"{name} spare {i}" if i else name for name, count in hosts.processes for i in range(count)}
        assert names == {host.name for host in running}
        assert {host.report.filter_sha256 for host in running} == {hosts.filter_hash}
        assert hosts.filter_hash != device.running.report.filter_sha256
        assert device.running.status()["processes"] == dict(hosts.processes)
    assert hosts.words() == "processes: core, biometric 4, gatekeeper 4, keystore 4"


def test_the_page_of_the_allow_list_names_every_call():
    """docs/sandbox.md lists exactly what the filter allows."""
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    section = page.split("## 3", 1)[1].split("## 4", 1)[0]
    named = set(re.findall(r"^\| `(\w+)` ", section, re.M))
    assert named == {rule.name for rule in secure_world_rules(3, 4, (HostLink(2, 5, 6, 7),))}
    of_hosts = set(re.findall(r"^\| `(\w+)` ", section.split("| call of the core |")[0], re.M))
    assert of_hosts == {rule.name for rule in secure_world_rules(3, 4)}
