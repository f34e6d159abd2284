"""The verdict on the process that waits for the core, and on the memory of the hosts."""

import dataclasses
import sys
from dataclasses import replace

import pytest

from tee_sim.normal.sandbox_verdict.observe import Observation
from tee_sim.normal.sandbox_verdict.verdict import Level, State
from tests.lockdown.worlds import World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")


def test_the_real_waiter_and_heaps_are_in_force(world: World) -> None:
    verdict = world.judge()
    assert verdict.state("heap") is State.IN_FORCE
    assert verdict.state("waiter") is (State.IN_FORCE if world.core.report.applied("pid-1") else State.UNKNOWN)


def waiting(world: World) -> Observation:
    if world.waiter is None:
        pytest.skip("this host has no user namespaces, so nothing waits for the core")
    return world.waiter


@pytest.mark.parametrize(
    ("seen", "evidence"),
    [
        ({"seccomp_mode": 0}, "the process that waits for the core has no filter of its own"),
        ({"filter_count": 0}, "the process that waits for the core has no filter of its own"),
        ({"capabilities": 1}, "it may gain privileges or holds a capability"),
        ({"no_new_privileges": False}, "it may gain privileges or holds a capability"),
        ({"threads": 2}, "2 threads, expected one"),
        ({"traced": True}, "another process traces it"),
        ({"traced": None}, "another process traces it"),
        ({"filters": ()}, "no filter in the kernel is the one for waiting that this version builds"),
        ({"filters": (bytes(8),)}, "no filter in the kernel is the one for waiting that this version builds"),
        ({"filters": "the core's"}, "no filter in the kernel is the one for waiting that this version builds"),
        ({"descriptors": ((3, "pipe:[7]"),)}, "descriptor 3 should not be open"),
        ({"descriptors": ((0, "/dev/pts/1"),)}, "descriptor 0 should not be open"),
        ({"seccomp_mode": None}, "its status cannot be read from outside"),
        ({"capabilities": None}, "its status cannot be read from outside"),
    ],
)
def test_each_outside_fact_of_the_waiter_counts(world: World, seen: dict[str, object], evidence: str) -> None:
    if seen.get("filters") == "the core's":
        seen = {"filters": world.core.seen.filters or (bytes(16),)}
    waiter = dataclasses.replace(waiting(world), **seen)  # type: ignore[arg-type]
    verdict = replace(world, waiter=waiter).judge()
    assert verdict.level is Level.PARTIAL
    assert verdict.state("waiter") is State.ABSENT
    assert f"waiter: {evidence}" in verdict.reasons
    assert verdict.filter_sha256 == b""


def test_a_waiter_that_was_not_seen_is_no_lock(world: World) -> None:
    waiting(world)
    assert replace(world, waiter=None).judge().level is Level.PARTIAL


@pytest.mark.parametrize("blind", ["filters", "descriptors"])
def test_without_root_the_waiter_is_unknown_and_said_so(world: World, blind: str) -> None:
    waiter = dataclasses.replace(waiting(world), **{blind: None})  # type: ignore[arg-type]
    verdict = replace(world, waiter=waiter).judge()
    assert verdict.state("waiter") is State.UNKNOWN
    assert verdict.level is world.level
    words = "mode 2 outside, no capability; whether it is the filter for waiting, and what is open, needs root"
    assert f"waiter: {words}" in verdict.reasons


@pytest.mark.parametrize("number", range(3))
def test_a_host_whose_memory_does_not_end_is_no_lock(world: World, number: int) -> None:
    name, heap = world.names[number], world.heaps[number]
    verdict = world.with_host(number, seen={"data_limit": "unlimited"}).judge()
    assert verdict.level is Level.PARTIAL
    assert verdict.state("heap") is State.ABSENT
    assert f"heap: {name}: its memory has no limit, {heap} bytes are stated" in verdict.reasons
    has = world.hosts[number].seen.data_bytes or 0
    for over, level in ((64 << 20, world.level), ((64 << 20) + 1, Level.PARTIAL)):
        verdict = world.with_host(number, seen={"data_limit": str(has + heap + over)}).judge()
        assert verdict.level is level
    words = f"heap: {name}: its memory may grow to {has + heap + over} bytes, {heap} above its start are stated"
    assert words in verdict.reasons
    verdict = world.with_host(number, seen={"data_limit": None}).judge()
    assert verdict.state("heap") is State.UNKNOWN
    assert f"heap: {name}: not readable from outside" in verdict.reasons


def test_a_limit_for_each_host(world: World) -> None:
    verdict = replace(world, heaps=world.heaps[:2]).judge()
    assert verdict.level is Level.PARTIAL
    assert "heap: 2 limits are stated for 3 hosts" in verdict.reasons
