"""All processes of a secure world: the core and a host for each application, its spares among them.

    inspected = inspect_processes(pid, locked, names, cached_probes(), heaps_bytes)

Rules:
* every process is judged as the core is, and the world is no better locked than the weakest of them;
* there are as many hosts as the manifests ask for, and no further process;
* the process that waits for the core has nothing, and may do nothing but wait and end;
* the memory of each host ends at what its manifest states;
* of each private pipe one end is the core's and one is that host's; nobody else among them holds an end of it;
* the process of a sensor, and no other, has one pipe more, that only this process has the other end of;
* none of them shares memory with another process that it may write.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from tee_sim.normal.sandbox_verdict.beside import Watched, judge_heaps, judge_waiter
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.sandbox_verdict.observe import Observation, Ours, children_of, look, observe, observe_waiter
from tee_sim.normal.sandbox_verdict.probes import ProbeResults
from tee_sim.normal.sandbox_verdict.verdict import Finding, State, Verdict, judge
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.lock_report import HostLink, LockReport
from tee_sim.shared.wire import Locked

LAYER = "hosts"
_MEMFD_NAME = "/secretmem (deleted)"
"""memfd_secret(2) in /proc/<pid>/maps: each process has one of its own."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A secure world as seen from outside."""

    core: Watched
    hosts: tuple[Watched, ...]
    verdict: Verdict
    waiter: Observation | None = None


def inspect_processes(
    pid: int,
    locked: Locked,
    names: Sequence[str],
    probes: ProbeResults,
    heaps_bytes: Sequence[int],
    sensors: int = 0,
) -> Inspected:
    """Look at every process and judge them together.

    Args:
        pid: the process that was started.
        locked: what the secure world says of itself.
        names: of each host that it was asked for, in order; none where nothing is locked.
        heaps_bytes: how far the memory of each of them may grow, as its manifest states.
        sensors: how many of them, the last ones, are of sensors.

    Raises:
        ProcessLookupError: the core is gone.
        TeeError: BAD_FORMAT, a report is malformed.
    """
    report, ours = LockReport.from_bytes(locked.report), Ours()
    core = Watched("core", report, observe(pid, report, ours=ours))
    reports = tuple(LockReport.from_bytes(raw) for raw in locked.hosts)
    started = children_of(core.seen.process_id) if reports or report.links else ()
    running = {}
    for child in started:
        with suppress(ProcessLookupError):  # one that ends meanwhile is missing below, and nothing else
            seen = look(child, neighbor=core.seen, ours=ours)
            running[seen.inner_process_id] = seen
    further = sum(len(children_of(process_id)) for process_id in started)
    hosts = tuple(
        Watched(name, said, running.get(link.process_id, Observation()))
        for name, said, link in zip(names, reports, report.links, strict=False)
    )
    waiter = observe_waiter(pid, report, core.seen, ours=ours)
    children = len(started) + further
    verdict = judge_processes(core, hosts, names, children, probes, heaps_bytes, waiter, sensors)
    return Inspected(core, hosts, verdict, waiter)


def judge_processes(
    core: Watched,
    hosts: Sequence[Watched],
    names: Sequence[str],
    children: int,
    probes: ProbeResults,
    heaps_bytes: Sequence[int],
    waiter: Observation | None,
    sensors: int = 0,
) -> Verdict:
    """Weigh them together. The findings are the core's, one on the waiter, and two on the hosts.

    Args:
        children: how many processes the core and its hosts have started, as seen from outside.
        waiter: what was seen of the process that waits for the core.
        sensors: as of `inspect_processes`.
    """
    own = judge(core.report, core.seen, probes)
    if core.report.applied("pid-1"):
        own = _with(own, judge_waiter(core, waiter))
    if not names and not core.report.links and not hosts:
        return own
    own = _with(own, judge_heaps(hosts, heaps_bytes))
    verdicts = [(host, judge(host.report, host.seen, probes)) for host in hosts]
    wrong = tuple(_contradictions(core, hosts, names, children, sensors))
    level = min((own.level, *(v.level for _, v in verdicts)), key=_ORDER.index)
    reasons = tuple(f"{host.name}: {reason}" for host, v in verdicts for reason in v.reasons)
    finding = _pipes(core, hosts, level)
    if wrong:
        level = min(level, Level.INCONCLUSIVE, key=_ORDER.index)
    elif finding.state is State.ABSENT:
        level = min(level, Level.PARTIAL, key=_ORDER.index)
    short = () if finding.state is State.IN_FORCE else (f"{finding.layer}: {finding.evidence}",)
    return replace(
        own,
        level=level,
        findings=(*own.findings, finding),
        reasons=(*wrong, *own.reasons, *reasons, *short),
        filter_sha256=own.filter_sha256 if level.meets(Level.ENFORCED) else b"",
    )


_ORDER = tuple(reversed(Level))


def _with(verdict: Verdict, finding: Finding) -> Verdict:
    """One finding more; without it nothing is more than partly locked."""
    if finding.state is State.IN_FORCE:
        return replace(verdict, findings=(*verdict.findings, finding))
    level = min(verdict.level, Level.PARTIAL, key=_ORDER.index) if finding.state is State.ABSENT else verdict.level
    return replace(
        verdict,
        level=level,
        findings=(*verdict.findings, finding),
        reasons=(*verdict.reasons, f"{finding.layer}: {finding.evidence}"),
        filter_sha256=verdict.filter_sha256 if level.meets(Level.ENFORCED) else b"",
    )


def _contradictions(
    core: Watched, hosts: Sequence[Watched], names: Sequence[str], children: int, sensors: int
) -> Iterator[str]:
    children -= sum(_has_watcher(process.report) for process in (core, *hosts))
    if not len(names) == len(hosts) == len(core.report.links) == children:
        yield (
            f"{len(names)} hosts were asked for, {len(core.report.links)} are said to run, {len(hosts)} have reported, "
            f"{children} are seen"
        )
    # One that is locked could stand for all of them, and the others would be counted without being looked at.
    if len({host.seen.process_id for host in hosts}) != len(hosts):
        yield "one process is said to be more than one host"
    for number, (host, link) in enumerate(zip(hosts, core.report.links, strict=False), start=1):
        if host.report.host != number or host.report.links:
            yield f"{host.name}: the report of a host says that it is another's"
        # One pipe more is what a sensor has and an application has not, which the normal world could otherwise tell
        # what nobody counts.
        if bool(host.report.picture_fd) is not (number > len(names) - sensors):
            yield f"{host.name}: it has a pipe for pictures and is no sensor, or the reverse"
        if host.seen.inner_process_id not in (None, link.process_id) or not host.seen.process_id:
            yield f"{host.name}: there is no such process"


def _has_watcher(report: LockReport) -> bool:
    """A process that the debug profile allows for, which is never above PARTIAL: elsewhere it is one too many."""
    return report.profile == "permissive-debug" and report.applied("watcher")


def _pipes(core: Watched, hosts: Sequence[Watched], level: Level) -> Finding:
    if any(None in (process.seen.descriptors, process.seen.shared_memory) for process in (core, *hosts)):
        words = "whose pipes they hold needs root; each filter binds read and write to its own"
        return Finding(LAYER, State.UNKNOWN, words)
    ends = Counter(
        target
        for process in (core, *hosts)
        for _, target in process.seen.descriptors or ()
        if target.startswith("pipe:")
    )
    own = dict(core.seen.descriptors or ())
    client = {own.get(core.report.request_fd, ""), own.get(core.report.reply_fd, "")}
    client |= {dict(x.seen.descriptors or ()).get(x.report.picture_fd, "") for x in hosts if x.report.picture_fd}
    for host, link in zip(hosts, core.report.links, strict=False):
        if not _is_tied(own, dict(core.seen.watched or ()), host, link):
            return Finding(LAYER, State.ABSENT, f"{host.name}: not at the other end of its pipes")
    sharing = next(_sharing((core, *hosts)), "")
    if sharing:
        return Finding(LAYER, State.ABSENT, f"{sharing}: shares memory that it may write")
    crowded = [end for end, holders in ends.items() if holders != (1 if end in client else 2)]
    if crowded:
        return Finding(LAYER, State.ABSENT, f"{crowded[0]} has {ends[crowded[0]]} ends in these processes")
    return Finding(LAYER, State.IN_FORCE, f"{len(hosts)} processes, {level.value} at least, each with pipes of its own")


def _sharing(processes: Sequence[Watched]) -> Iterator[str]:
    """Names of those that could tell another process something without a call that a filter sees."""
    holders = Counter(place for process in processes for place, _ in process.seen.shared_memory or ())
    for process in processes:
        for place, name in process.seen.shared_memory or ():
            if name != _MEMFD_NAME or holders[place] > 1:
                yield process.name


def _is_tied(core: dict[int, str], watched: dict[int, int], host: Watched, link: HostLink) -> bool:
    theirs = dict(host.seen.descriptors or ())
    return (
        core.get(link.write_fd) == theirs.get(host.report.request_fd, "")
        and core.get(link.read_fd) == theirs.get(host.report.reply_fd, "")
        and watched.get(link.kill_fd) == host.seen.process_id
    )
