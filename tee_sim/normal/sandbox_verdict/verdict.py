"""The verdict on one locked process of the secure world, computed by the normal world from outside facts.

    verdict = judge(report, observe(pid, report), cached_probes())
    if not verdict.level.meets(Level.ENFORCED): refuse

Rules:
* what the child says about itself counts only where the kernel confirms it or a throw-away child shows it;
* a contradiction, a failed positive control or an unreadable basic fact is INCONCLUSIVE, never a pass;
* the debug profile is never better than PARTIAL, and without the filter nothing is ENFORCED.

The core and its hosts together: `tee_sim.normal.sandbox_verdict.processes`.
"""

import hashlib
from collections.abc import Iterator
from enum import Enum, unique
from typing import Final

from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.sandbox_verdict.observe import PROCESS_DESCRIPTOR, Observation
from tee_sim.normal.sandbox_verdict.probes import ProbeResults
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.lock_report import LockReport
from tee_sim.shared.sandbox.bpf import Program
from tee_sim.shared.sandbox.filters import secure_world_program
from tee_sim.shared.sandbox.syscalls import ARCHITECTURES


@unique
class State(Enum):
    """One layer, as far as it can be seen from outside."""

    IN_FORCE = "in force"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One layer's state and the fact that says so."""

    layer: str
    state: State
    evidence: str


RESIDUALS: Final = (
    "typed replies: at most the counted bits of each reply",
    "time to answer: about one bit per request unless the release grid is on",
    "liveness: one bit per crash; exit status: eight bits per life",
    "how a trusted application's process ended: one of six words for each of its lives",
    "memory size and processor time: visible to the same host, one bit each per look",
    "between trusted applications: how long the core takes for another, and pages shared since before the lock",
    "root on this host: can trace the process or replace it",
)
"""What no layer closes (docs/sandbox.md section 6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Level, the layers behind it, and why it is not higher."""

    level: Level
    findings: tuple[Finding, ...]
    reasons: tuple[str, ...]
    residuals: tuple[str, ...] = RESIDUALS
    filter_sha256: bytes = b""

    def state(self, layer: str) -> State:
        """State of one layer; UNKNOWN when there is no finding for it."""
        return next((f.state for f in self.findings if f.layer == layer), State.UNKNOWN)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers in force."""
        return tuple(f.layer for f in self.findings if f.state is State.IN_FORCE)

    def to_record(self) -> dict[str, object]:
        """Plain values for logs, evidence and JSON."""
        return {
            "level": self.level.value,
            "layers": [[f.layer, f.state.value, f.evidence] for f in self.findings],
            "reasons": list(self.reasons),
            "residuals": list(self.residuals),
            "filter_sha256": self.filter_sha256.hex(),
        }


def judge(report: LockReport, seen: Observation, probes: ProbeResults) -> Verdict:
    """Weigh the child's report, the outside facts and the probes."""
    if seen.platform != "linux":
        reason = f"{seen.platform} offers no filter that we use: nothing is enforced"
        return Verdict(level=Level.NOT_ENFORCED, findings=(), reasons=(reason,))
    findings = tuple(
        make(report, seen, probes)
        for make in (_filter, _descriptors, _namespaces, _empty_root, _landlock, _privileges, _limits)
    )
    contradictions = tuple(_contradictions(report, seen, probes))
    states = {f.layer: f.state for f in findings}
    level = Level.INCONCLUSIVE if contradictions else _level(states)
    shortcomings = tuple(f"{f.layer}: {f.evidence}" for f in findings if f.state is not State.IN_FORCE)
    sha = report.filter_sha256 if states["seccomp"] is State.IN_FORCE and not contradictions else b""
    return Verdict(level=level, findings=findings, reasons=contradictions + shortcomings, filter_sha256=sha)


def _level(states: dict[str, State]) -> Level:
    outer = ("namespaces", "empty-root", "landlock")
    some_outer = any(states[name] is State.IN_FORCE for name in outer)
    if states["seccomp"] is not State.IN_FORCE:
        partial = some_outer or states["seccomp"] is State.UNKNOWN
        return Level.PARTIAL if partial else Level.NOT_ENFORCED
    if states["descriptors"] is State.ABSENT or states["privileges"] is not State.IN_FORCE:
        return Level.PARTIAL
    return Level.ENFORCED_PLUS if all(states[name] is State.IN_FORCE for name in outer) else Level.ENFORCED


def _expected(report: LockReport) -> Program:
    ends = (report.request_fd, report.reply_fd, report.links, report.picture_fd)
    return secure_world_program(report.machine, "strict", *ends)


def _contradictions(report: LockReport, seen: Observation, probes: ProbeResults) -> Iterator[str]:
    """Facts that do not go together."""
    if seen.seccomp_mode is None or seen.threads is None:
        yield "the process status cannot be read from outside"
        return
    if seen.traced is not False:
        yield "another process traces it, and may do in it what no filter sees"
    claimed = report.applied("seccomp")
    if claimed and report.machine not in ARCHITECTURES:
        yield "a filter is claimed on an architecture we have no table for"
        return
    if claimed and seen.seccomp_mode != 2:
        yield "the secure world claims a filter that the kernel does not show"
    if claimed and seen.filters is not None and report.filter_sha256 not in _hashes(seen):
        yield "no filter in the kernel has the hash that the secure world claims"
    if claimed and report.profile == "strict" and report.filter_sha256 != _expected(report).sha256():
        yield "the claimed filter is not the one this version builds"
    if claimed and not probes.filter_probes:
        yield "the probes did not run"
    if claimed and probes.filter_probes and not probes.conclusive:
        failed = ", ".join(p.name for p in probes.filter_probes if not p.control_works)
        yield f"positive control failed without any lock: {failed}"
    if claimed and probes.conclusive and not probes.filter_kills:
        alive = ", ".join(p.name for p in probes.filter_probes if not p.killed)
        yield f"the filter did not stop a throw-away child: {alive}"


def _hashes(seen: Observation) -> set[bytes]:
    return {hashlib.sha256(raw).digest() for raw in seen.filters or ()}


def _filter(report: LockReport, seen: Observation, probes: ProbeResults) -> Finding:
    layer = "seccomp"
    if seen.seccomp_mode != 2 or not report.applied("seccomp"):
        return Finding(layer, State.ABSENT, f"not loaded by the secure world ({report.layer(layer)})")
    if report.profile != "strict":
        return Finding(layer, State.UNKNOWN, "debug profile: foreign calls are answered, not killed")
    if seen.threads != 1:
        return Finding(layer, State.UNKNOWN, f"{seen.threads} threads, expected one")
    if report.filter_sha256 in _hashes(seen):
        return Finding(layer, State.IN_FORCE, "kernel holds the expected program, read back and hashed")
    if probes.filter_kills:
        return Finding(layer, State.IN_FORCE, "mode 2 outside; the same program killed every throw-away child")
    return Finding(layer, State.UNKNOWN, "neither read back nor shown by probes")


def _descriptors(report: LockReport, seen: Observation, probes: ProbeResults) -> Finding:
    layer = "descriptors"
    if seen.descriptors is None:
        state = State.UNKNOWN
        return Finding(layer, state, "the list needs root; the filter binds read and write to the two pipes")
    pipes = {report.request_fd, report.reply_fd, *(fd for x in report.links for fd in (x.read_fd, x.write_fd))}
    pipes |= {report.picture_fd} if report.picture_fd else set()
    kinds = dict.fromkeys(range(3), "/dev/null") | dict.fromkeys(pipes, "pipe:")
    kinds |= {link.kill_fd: PROCESS_DESCRIPTOR for link in report.links}
    for number, target in seen.descriptors:
        if number not in kinds or target.partition("[")[0] != kinds[number].partition("[")[0]:
            return Finding(layer, State.ABSENT, f"descriptor {number} should not be open")
    # To another process they would lead through it: it would read the root secret as it goes by, and has no lock.
    held = dict(seen.descriptors)
    if report.host == 0 and not {held.get(report.request_fd), held.get(report.reply_fd)} <= set(seen.our_pipes or ()):
        return Finding(layer, State.ABSENT, "its two pipes do not lead to this process")
    if report.picture_fd and held.get(report.picture_fd) not in set(seen.our_pipes or ()):
        return Finding(layer, State.ABSENT, "its pipe for pictures does not come from this process")
    words = f"two pipes, and two to each of {len(report.links)} hosts" if report.links else "two pipes"
    return Finding(layer, State.IN_FORCE, f"{words}, nothing on standard streams")


def _namespaces(report: LockReport, seen: Observation, probes: ProbeResults) -> Finding:
    layer = "namespaces"
    if not report.applied(layer):
        return Finding(layer, State.ABSENT, str(report.layer(layer)))
    if seen.namespaces is not None:
        missing = sorted({"user", "mnt", "net", "pid", "ipc", "uts", "cgroup"} - set(seen.namespaces))
        if missing:
            return Finding(layer, State.ABSENT, f"shared with us: {', '.join(missing)}")
    facts = (seen.pid_is_1, seen.own_user_map, seen.interfaces, seen.sockets)
    first = seen.pid_is_1 is (report.host == 0)
    if None in facts or seen.interfaces is None:
        return Finding(layer, State.UNKNOWN, "not readable from outside")
    silent = all(name == "lo" and not received and not sent for name, received, sent in seen.interfaces)
    if not (first and seen.own_user_map and silent and seen.sockets == 0):
        return Finding(layer, State.ABSENT, "its network or process namespace is not empty")
    place = "process 1 of its own namespace" if report.host == 0 else "a process of the core's namespace"
    return Finding(layer, State.IN_FORCE, f"only a silent loopback, no socket, {place}")


def _empty_root(report: LockReport, seen: Observation, probes: ProbeResults) -> Finding:
    layer = "empty-root"
    if not report.applied(layer):
        return Finding(layer, State.ABSENT, str(report.layer(layer)))
    if seen.mounts is None:
        return Finding(layer, State.UNKNOWN, "mounts are not readable from outside")
    options = {"ro", "nosuid", "nodev", "noexec"}
    if [(point, kind) for point, kind, _ in seen.mounts] != [("/", "tmpfs")] or not options <= set(
        seen.mounts[0][2].split(",")
    ):
        return Finding(layer, State.ABSENT, f"{len(seen.mounts)} mounts, expected one empty one")
    return Finding(layer, State.IN_FORCE, "one mount, tmpfs, read-only")


def _landlock(report: LockReport, seen: Observation, probes: ProbeResults) -> Finding:
    layer = "landlock"
    if not report.applied(layer):
        return Finding(layer, State.ABSENT, str(report.layer(layer)))
    if not probes.landlock_refuses:
        return Finding(layer, State.UNKNOWN, "a throw-away child could not show it")
    return Finding(layer, State.IN_FORCE, f"abi {report.landlock_abi}; refused a path to a throw-away child")


def _privileges(report: LockReport, seen: Observation, probes: ProbeResults) -> Finding:
    layer = "privileges"
    if seen.no_new_privileges is None or seen.capabilities is None:
        return Finding(layer, State.UNKNOWN, "not readable from outside")
    if not seen.no_new_privileges or seen.capabilities:
        return Finding(layer, State.ABSENT, "it may gain privileges or holds a capability")
    return Finding(layer, State.IN_FORCE, "no capability, none to gain")


def _limits(report: LockReport, seen: Observation, probes: ProbeResults) -> Finding:
    layer = "limits"
    if seen.limits is None or seen.command_line_bytes is None:
        return Finding(layer, State.UNKNOWN, "not readable from outside")
    # The core waits for its hosts, which takes a limit of one descriptor: number 0 is taken, so none can be made.
    waits = {"Max open files": "1"} if report.links else {}
    loose = [name for name, value in seen.limits if value != waits.get(name, "0")]
    if loose or seen.command_line_bytes:
        return Finding(layer, State.ABSENT, f"not closed: {', '.join(loose) or 'command line'}")
    return Finding(layer, State.IN_FORCE, "no file growth, core, descriptor or process; no visible arguments")
