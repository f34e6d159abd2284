"""The verdict on a process that reads pictures: one pipe more than a host, from this process and to nobody else."""

import sys
from dataclasses import replace

import pytest

from tee_sim.normal.sandbox_verdict.processes import judge_processes
from tee_sim.normal.sandbox_verdict.verdict import Level, Verdict
from tee_sim.shared.sandbox.filters import secure_world_program
from tests.lockdown.worlds import WORKING, World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
PICTURES, PIPE = 40, "pipe:[4040]"


def with_sensor(world: World, number: int, pipe: str = PIPE) -> World:
    """The same, and this host has the lock and the pipes of a sensor."""
    host = world.hosts[number]
    program = secure_world_program(
        host.report.machine, "strict", host.report.request_fd, host.report.reply_fd, (), PICTURES
    )
    seen = {
        "descriptors": (*(host.seen.descriptors or ()), (PICTURES, pipe)),
        "our_pipes": (pipe,),
        "filters": None if host.seen.filters is None else (program.to_bytes(),),
    }
    report = {"picture_fd": PICTURES, "filter_sha256": program.sha256()}
    return world.with_host(number, seen=seen, report=report)


def judge(world: World, sensors: int) -> Verdict:
    return judge_processes(
        world.core, world.hosts, world.names, world.children, WORKING, world.heaps, world.waiter, sensors
    )


def test_one_with_the_lock_of_a_sensor_is_enforced(world: World) -> None:
    verdict = judge(with_sensor(world, 2), 1)
    assert (verdict.level, verdict.reasons) == (world.level, world.judge().reasons)


@pytest.mark.parametrize("sensors", [0, 2])
def test_who_has_a_pipe_for_pictures_is_known_before(world: World, sensors: int) -> None:
    """An application with one could be told what nobody counts; a sensor without one has another's lock."""
    verdict = judge(with_sensor(world, 2), sensors)
    assert verdict.level is Level.INCONCLUSIVE
    assert "it has a pipe for pictures and is no sensor, or the reverse" in verdict.reasons[0]


def test_its_filter_is_of_its_kind(world: World) -> None:
    of_host = {"filter_sha256": world.hosts[2].report.filter_sha256}
    verdict = judge(with_sensor(world, 2).with_host(2, report=of_host), 1)
    assert verdict.level is Level.INCONCLUSIVE


@pytest.mark.parametrize(
    "seen",
    [
        {"our_pipes": ()},
        {"our_pipes": ("pipe:[9]",)},
    ],
)
def test_its_pictures_come_from_this_process(world: World, seen: dict[str, object]) -> None:
    verdict = judge(with_sensor(world, 2).with_host(2, seen=seen), 1)
    assert verdict.level is Level.PARTIAL
    assert any("its pipe for pictures does not come from this process" in reason for reason in verdict.reasons)


def test_no_two_of_them_share_a_pipe(world: World) -> None:
    verdict = judge(with_sensor(with_sensor(world, 1), 2), 2)
    assert verdict.level is Level.PARTIAL
    assert any(f"{PIPE} has 2 ends" in reason for reason in verdict.reasons)
    apart = judge(with_sensor(with_sensor(world, 1, "pipe:[4041]"), 2), 2)
    assert apart.level is world.level


def test_the_core_holds_no_end_of_it(world: World) -> None:
    core = world.core.seen.descriptors or ()
    held = with_sensor(world, 2).with_core(seen={"descriptors": (*core, (PICTURES, PIPE))})
    assert not judge(held, 1).level.meets(Level.ENFORCED)


def test_a_record_of_before_has_no_such_number(world: World) -> None:
    report = world.hosts[0].report
    assert "picture_fd" not in report.to_record()
    assert type(report).from_record(replace(report, picture_fd=7).to_record()).picture_fd == 7
