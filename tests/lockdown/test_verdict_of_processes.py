"""The verdict on core and hosts together: the real one, and every fact that makes it worse."""

import os
import sys
from dataclasses import replace

import pytest

from tee_sim.normal.sandbox_verdict import processes
from tee_sim.normal.sandbox_verdict.observe import Observation
from tee_sim.normal.sandbox_verdict.processes import Watched, judge_processes
from tee_sim.normal.sandbox_verdict.verdict import Level, State
from tee_sim.shared.lock_report import Layer, LayerState, LockReport
from tee_sim.shared.wire import Locked
from tests.lockdown.worlds import SECRET, WORKING, World, changed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")


def test_the_real_one_is_enforced(world: World) -> None:
    verdict = world.judge()
    assert verdict.level is world.level
    assert verdict.level.meets(Level.ENFORCED), verdict.reasons
    assert verdict.state("hosts") is State.IN_FORCE
    assert verdict.filter_sha256 == world.core.report.filter_sha256
    evidence = next(f.evidence for f in verdict.findings if f.layer == "hosts")
    assert evidence == f"3 processes, {world.level.value} at least, each with pipes of its own"
    assert [host.name for host in world.hosts] == ["counter", "counter spare 1", "counter spare 2"]


@pytest.mark.parametrize("ends", [False, True])
def test_a_host_that_ends_while_it_is_looked_at_is_missing(
    world: World, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    running = {host.seen.process_id: host.seen for host in world.hosts}
    core, last = world.core.seen, world.hosts[-1].seen.process_id

    def look(process_id: int, **_: object) -> Observation:
        if ends and process_id == last:
            raise ProcessLookupError
        return running[process_id]

    monkeypatch.setattr(processes, "observe", lambda *_, **__: core)
    monkeypatch.setattr(processes, "observe_waiter", lambda *_, **__: world.waiter)
    monkeypatch.setattr(processes, "children_of", lambda pid: tuple(running) if pid == core.process_id else ())
    monkeypatch.setattr(processes, "look", look)
    reports = tuple(host.report.to_bytes() for host in world.hosts)
    locked = Locked(report=world.core.report.to_bytes(), measurements=(), hosts=reports)
    verdict = processes.inspect_processes(1, locked, world.names, WORKING, world.heaps).verdict
    assert verdict.level.meets(Level.ENFORCED) is not ends


def test_a_world_without_hosts_is_judged_as_its_core(world: World) -> None:
    alone = changed(world.core, None, {"links": ()})
    verdict = judge_processes(alone, (), (), 0, WORKING, (), world.waiter)
    assert all(f.layer != "hosts" for f in verdict.findings)


@pytest.mark.parametrize(
    ("asked", "said", "reported", "seen"),
    [(4, 3, 3, 3), (3, 2, 3, 3), (3, 3, 2, 3), (3, 3, 3, 4), (3, 3, 3, 2), (0, 3, 3, 3), (3, 0, 0, 0), (3, 3, 0, 3)],
)
def test_numbers_that_differ_are_inconclusive(world: World, asked: int, said: int, reported: int, seen: int) -> None:
    names = (*world.names, "one more")[:asked]
    core = changed(world.core, None, {"links": world.core.report.links[:said]})
    verdict = judge_processes(core, world.hosts[:reported], names, seen, WORKING, world.heaps[:reported], world.waiter)
    assert verdict.level is Level.INCONCLUSIVE
    words = f"{asked} hosts were asked for, {said} are said to run, {reported} have reported, {seen} are seen"
    assert verdict.reasons[0] == words
    assert verdict.filter_sha256 == b""


@pytest.mark.parametrize(
    ("profile", "level"),
    [("strict", Level.INCONCLUSIVE), ("off", Level.INCONCLUSIVE), ("permissive-debug", Level.PARTIAL)],
)
def test_a_watcher_excuses_one_more_process_in_the_debug_profile_alone(
    world: World, profile: str, level: Level
) -> None:
    """A strict world that claims to have one hides a process: the count must not follow what it says of itself."""
    layers = (*world.core.report.layers, Layer("watcher", LayerState.APPLIED))
    claims = world.with_core(report={"layers": layers, "profile": profile})
    assert replace(claims, children=4).judge().level is level
    assert replace(claims, children=5).judge().level is Level.INCONCLUSIVE


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(
    ("seen", "report", "reason"),
    [
        ({}, {"host": 0}, "the report of a host says that it is another's"),
        ({}, {"host": 7}, "the report of a host says that it is another's"),
        ({}, {"links": "the core's"}, "the report of a host says that it is another's"),
        ({"inner_process_id": 999}, {}, "there is no such process"),
        ({"process_id": 0}, {}, "there is no such process"),
    ],
)
def test_contradictions_name_the_host(
    world: World, number: int, seen: dict[str, object], report: dict[str, object], reason: str
) -> None:
    if "links" in report:
        report = {"links": world.core.report.links}
    verdict = world.with_host(number, seen=seen, report=report).judge()
    assert verdict.level is Level.INCONCLUSIVE
    assert f"{world.names[number]}: {reason}" in verdict.reasons
    assert verdict.filter_sha256 == b""


def test_a_host_that_was_never_seen_is_inconclusive(world: World) -> None:
    hosts = (*world.hosts[:2], Watched("counter spare 2", world.hosts[2].report, Observation()))
    verdict = replace(world, hosts=hosts).judge()
    assert verdict.level is Level.INCONCLUSIVE
    assert "counter spare 2: there is no such process" in verdict.reasons
    assert "counter spare 2: the process status cannot be read from outside" in verdict.reasons


def test_one_process_cannot_stand_for_two_hosts(world: World) -> None:
    """Neither can be told from the other without root, and nobody has looked at the third."""
    links = world.core.report.links
    core = changed(world.core, {"descriptors": None, "watched": None}, {"links": (links[0], links[0], links[2])})
    first, _, third = (changed(host, {"descriptors": None}, None) for host in world.hosts)
    second = Watched("counter spare 1", replace(first.report, host=2), first.seen)
    verdict = replace(world, core=core, hosts=(first, second, third)).judge()
    assert verdict.level is Level.INCONCLUSIVE
    assert "one process is said to be more than one host" in verdict.reasons


def no_filter(report: LockReport) -> tuple[Layer, ...]:
    return tuple(Layer(x.name, LayerState.REFUSED, 1) if x.name == "seccomp" else x for x in report.layers)


@pytest.mark.parametrize("number", range(3))
def test_the_world_is_as_weak_as_its_weakest(world: World, number: int) -> None:
    """One process without a filter, which says so and is seen so: no contradiction, and not enforced."""
    report = {"layers": no_filter(world.hosts[number].report), "filter_sha256": b"", "filter_instructions": 0}
    weak = world.with_host(number, seen={"seccomp_mode": 0, "filters": ()}, report=report)
    verdict = weak.judge()
    assert not verdict.level.meets(Level.ENFORCED)
    assert any(reason.startswith(f"{world.names[number]}: seccomp: not loaded") for reason in verdict.reasons)
    assert verdict.filter_sha256 == b""


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        ({"seccomp_mode": 0}, Level.INCONCLUSIVE),
        ({"filters": (bytes(8),)}, Level.INCONCLUSIVE),
        ({"threads": 2}, Level.PARTIAL),
        ({"traced": True}, Level.INCONCLUSIVE),
        ({"capabilities": 1}, Level.PARTIAL),
        ({"no_new_privileges": False}, Level.PARTIAL),
        ({"descriptors": ((0, "/dev/null"), (9, "/etc/passwd"))}, Level.PARTIAL),
        ({"pid_is_1": True}, Level.ENFORCED),
        ({"sockets": 1}, Level.ENFORCED),
        ({"mounts": ()}, Level.ENFORCED),
    ],
)
def test_each_outside_fact_of_a_host_counts(world: World, seen: dict[str, object], level: Level) -> None:
    if world.level is not Level.ENFORCED_PLUS:
        pytest.skip("needs a host with every layer, so that one missing fact is the only difference")
    verdict = world.with_host(1, seen=seen).judge()
    assert verdict.level is level, verdict.reasons
    assert any(reason.startswith("counter spare 1: ") for reason in verdict.reasons)


def test_the_filter_of_a_host_is_not_the_core_s(world: World) -> None:
    """A host that may do what the core may (wait, end another) is refused: its filter is not a host's."""
    core = world.core.report
    verdict = world.with_host(0, report={"filter_sha256": core.filter_sha256}).judge()
    assert verdict.level is Level.INCONCLUSIVE
    assert "counter: the claimed filter is not the one this version builds" in verdict.reasons


# Pipes


def descriptors(process: Watched) -> dict[int, str]:
    return dict(process.seen.descriptors or ())


def with_descriptors(world: World, number: int, change: dict[int, str]) -> World:
    kept = descriptors(world.hosts[number]) | change
    return world.with_host(number, seen={"descriptors": tuple(sorted(kept.items()))})


@pytest.mark.parametrize("whose", ["core", "host"])
def test_without_root_the_pipes_are_unknown_and_said_so(world: World, whose: str) -> None:
    blind = {"descriptors": None, "watched": None}
    verdict = (world.with_core(seen=blind) if whose == "core" else world.with_host(2, seen=blind)).judge()
    assert verdict.state("hosts") is State.UNKNOWN
    assert verdict.level.meets(Level.ENFORCED)
    words = "hosts: whose pipes they hold needs root; each filter binds read and write to its own"
    assert words in verdict.reasons


@pytest.mark.parametrize("end", ["request_fd", "reply_fd"])
@pytest.mark.parametrize("other", ["another host's", "the client's", "a new one"])
def test_a_pipe_that_is_another_s_is_no_lock(world: World, end: str, other: str) -> None:
    host = world.hosts[0].report
    number = getattr(host, end)
    target = {
        "another host's": descriptors(world.hosts[1])[number],
        "the client's": descriptors(world.core)[getattr(world.core.report, end)],
        "a new one": "pipe:[1234567]",
    }[other]
    verdict = with_descriptors(world, 0, {number: target}).judge()
    assert verdict.state("hosts") is State.ABSENT
    assert verdict.level is Level.PARTIAL
    assert "hosts: counter: not at the other end of its pipes" in verdict.reasons


@pytest.mark.parametrize("ours", [(), "one of them", None])
def test_the_core_s_two_pipes_lead_to_us(world: World, ours: tuple[str, ...] | str | None) -> None:
    held = (world.core.seen.our_pipes or ())[:1] if ours == "one of them" else ours
    verdict = world.with_core(seen={"our_pipes": held}).judge()
    assert verdict.level is Level.PARTIAL
    assert "descriptors: its two pipes do not lead to this process" in verdict.reasons


def test_two_ends_that_are_swapped_are_no_lock(world: World) -> None:
    report = world.hosts[0].report
    own = descriptors(world.hosts[0])
    swapped = {report.request_fd: own[report.reply_fd], report.reply_fd: own[report.request_fd]}
    verdict = with_descriptors(world, 0, swapped).judge()
    assert verdict.state("hosts") is State.ABSENT


@pytest.mark.parametrize("whose", ["another host's", "the client's"])
def test_an_end_that_is_held_once_more_is_found(world: World, whose: str) -> None:
    report = world.core.report
    target = {
        "another host's": descriptors(world.hosts[1])[report.request_fd],
        "the client's": descriptors(world.core)[report.reply_fd],
    }[whose]
    verdict = with_descriptors(world, 0, {77: target}).judge()
    assert verdict.level is Level.PARTIAL
    assert verdict.state("hosts") is State.ABSENT
    many = {"another host's": 3, "the client's": 2}[whose]
    assert f"hosts: {target} has {many} ends in these processes" in verdict.reasons
    assert "counter: descriptors: descriptor 77 should not be open" in verdict.reasons


@pytest.mark.parametrize("whose", ["core", "host"])
@pytest.mark.parametrize("shared", ["another's secret memory", "a page without a name", "a file"])
def test_memory_that_another_could_map_is_no_lock(world: World, whose: str, shared: str) -> None:
    """No call is needed to write to it, so that no filter would see what goes out that way."""
    mapping = {
        "another's secret memory": (world.hosts[2].seen.shared_memory or (("00:0e 4", SECRET),))[0],
        "a page without a name": ("00:01 77", "/dev/zero (deleted)"),
        "a file": ("fe:00 77", "/tmp/file"),
    }[shared]
    seen = {"shared_memory": (*(world.core.seen.shared_memory or ()), mapping)}
    verdict = (
        world.with_core(seen=seen) if whose == "core" else world.with_host(1, seen={"shared_memory": (mapping,)})
    ).judge()
    assert verdict.level is Level.PARTIAL
    name = "core" if whose == "core" else "counter spare 1"
    assert f"hosts: {name}: shares memory that it may write" in verdict.reasons


@pytest.mark.parametrize("fault", ["of another process", "none at all"])
def test_a_process_descriptor_is_of_its_host(world: World, fault: str) -> None:
    """The core would end the wrong one, or none."""
    watched = dict(world.core.seen.watched or ())
    first, second = (link.kill_fd for link in world.core.report.links[:2])
    watched = watched | {first: watched[second]} if fault == "of another process" else {}
    verdict = world.with_core(seen={"watched": tuple(watched.items())}).judge()
    assert verdict.state("hosts") is State.ABSENT
    assert verdict.level is Level.PARTIAL


def test_hosts_beyond_an_unlocked_core_do_not_help(world: World) -> None:
    report = {"layers": no_filter(world.core.report), "filter_sha256": b"", "filter_instructions": 0}
    verdict = world.with_core(seen={"seccomp_mode": 0, "filters": ()}, report=report).judge()
    assert not verdict.level.meets(Level.ENFORCED)


def test_root_needs_no_help_of_the_test(world: World) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root sees another process' descriptors")
    assert len(descriptors(world.core)) == 5 + 3 * 3
    assert all(len(descriptors(host)) == 5 for host in world.hosts)
