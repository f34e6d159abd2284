"""What the verdict on core and hosts weighs, and how a test changes it."""

import dataclasses
from dataclasses import dataclass, replace

from tee_sim.normal.sandbox_verdict.observe import Observation
from tee_sim.normal.sandbox_verdict.probes import Probe, ProbeResults
from tee_sim.normal.sandbox_verdict.processes import Watched, judge_processes
from tee_sim.normal.sandbox_verdict.verdict import Level, Verdict
from tee_sim.shared.sandbox.filters import waiter_program

SECRET = "/secretmem (deleted)"
WORKING = ProbeResults((Probe("open-path", 0, 31),), Probe("landlock", 0, 13 << 8))


@dataclass(frozen=True)
class World:
    """What `judge_processes` weighs."""

    core: Watched
    hosts: tuple[Watched, ...]
    names: tuple[str, ...]
    children: int
    level: Level
    waiter: Observation | None
    heaps: tuple[int, ...]

    def judge(self) -> Verdict:
        heaps = self.heaps[: len(self.hosts)]
        return judge_processes(self.core, self.hosts, self.names, self.children, WORKING, heaps, self.waiter)

    def with_core(self, *, seen: dict[str, object] | None = None, report: dict[str, object] | None = None) -> "World":
        return replace(self, core=changed(self.core, seen, report))

    def with_host(
        self, number: int, *, seen: dict[str, object] | None = None, report: dict[str, object] | None = None
    ) -> "World":
        hosts = list(self.hosts)
        hosts[number] = changed(hosts[number], seen, report)
        return replace(self, hosts=tuple(hosts))


def changed(process: Watched, seen: dict[str, object] | None, report: dict[str, object] | None) -> Watched:
    return Watched(
        process.name,
        dataclasses.replace(process.report, **(report or {})),  # type: ignore[arg-type]
        dataclasses.replace(process.seen, **(seen or {})),  # type: ignore[arg-type]
    )


def as_root(world: World) -> World:
    """Fill in what an unprivileged caller does not see, as it must be."""
    if world.core.seen.descriptors is not None:
        return world
    world = world.with_core(seen={"shared_memory": (("00:0e 1", SECRET),)})
    for number in range(len(world.hosts)):
        world = world.with_host(number, seen={"shared_memory": ((f"00:0e {2 + number}", SECRET),)})
    if world.waiter is not None:
        filters = (waiter_program(world.core.report.machine).to_bytes(),)
        world = replace(world, waiter=dataclasses.replace(world.waiter, filters=filters, descriptors=()))
    own: dict[int, str] = dict.fromkeys(range(3), "/dev/null")
    own |= {world.core.report.request_fd: "pipe:[1]", world.core.report.reply_fd: "pipe:[2]"}
    watched = []
    for number, (host, link) in enumerate(zip(world.hosts, world.core.report.links, strict=True)):
        down, up = f"pipe:[{10 + 2 * number}]", f"pipe:[{11 + 2 * number}]"
        own |= {link.write_fd: down, link.read_fd: up, link.kill_fd: "anon_inode:[pidfd]"}
        watched.append((link.kill_fd, host.seen.process_id))
        theirs = dict.fromkeys(range(3), "/dev/null") | {host.report.request_fd: down, host.report.reply_fd: up}
        world = world.with_host(number, seen={"descriptors": tuple(sorted(theirs.items()))})
    return world.with_core(
        seen={
            "descriptors": tuple(sorted(own.items())),
            "watched": tuple(watched),
            "our_pipes": ("pipe:[1]", "pipe:[2]"),
        }
    )
