"""Attacks by restarts and power cuts: whatever was interrupted, an application starts again, and its sessions work.

That a commit is there as a whole or not at all is the store's promise, and tested there. What an application makes of
two commits, of which the second never came, is its own.
"""

from collections.abc import Iterator, Sequence
from random import Random

from tee_sim.shared.errors import TeeError
from tee_sim.shared.manifest import Manifest
from tee_sim.testing.attacks.attack import POWER, Attack, commands, started
from tee_sim.testing.attacks.disk import Cut, Disk, PowerCutError
from tee_sim.testing.attacks.messages import Requests
from tee_sim.testing.attacks.world import AttackedWorld

MOST_WRITES = 12
"""At the disk and the RPMB together, for one request; three commits."""
MOST_PER_COMMAND = 3

Story = tuple[int, bytes]
"""A command and its request."""


def _comes_back(world: AttackedWorld, manifest: Manifest, story: Story | None) -> str | None:
    """What is wrong after the power came back; None if it starts and answers."""
    before = len(world.panics)
    try:
        world.restart()
        world.session(manifest.ta_uuid)
        if story is not None:
            world.raw(manifest.ta_uuid, *story)
            world.session(manifest.ta_uuid)
    except TeeError as error:
        where = f" ({world.panics[before]})" if len(world.panics) > before else ""
        return f"{error.result.name}{where}"
    return f"it panics ({world.panics[before]})" if len(world.panics) > before else None


def _requests(world: AttackedWorld, manifest: Manifest) -> Iterator[Story]:
    requests = Requests(Random(5))  # noqa: S311 - the same messages each time
    for number, kind in list(commands(world, manifest)):
        for request in requests.fitting(kind, 1):
            yield number, request


def restart(world: AttackedWorld) -> str | None:
    """Restart after each command that stores something."""
    for manifest in started(world):
        for story in _requests(world, manifest):
            before = world.disk.writes
            world.raw(manifest.ta_uuid, *story)
            if world.disk.writes == before:
                continue
            wrong = _comes_back(world, manifest, story)
            if wrong:
                return f"{manifest.name} does not start after command {story[0]} and a restart: {wrong}"
    return None


def _writing(world: AttackedWorld, manifest: Manifest) -> Iterator[tuple[Disk, Story]]:
    """Requests that store something, a few for each command, each with the disk of just before it."""
    count: dict[int, int] = {}
    for number, request in _requests(world, manifest):
        disk, before = world.disk.copy(), world.disk.writes
        world.raw(manifest.ta_uuid, number, request)
        if world.disk.writes > before and count.setdefault(number, 0) < MOST_PER_COMMAND:
            count[number] += 1
            yield disk, (number, request)


def power_cut(world: AttackedWorld) -> str | None:
    """Cut the power before and after each write that a first start or a request brings about."""
    for manifest in world.manifests:
        wrong = _survives(world.manifests, manifest, world.disk.copy(), None)
        if wrong:
            return f"{manifest.name} does not start after a power cut in its first start: {wrong}"
    for manifest in started(world):
        for disk, story in _writing(world, manifest):
            wrong = _survives(world.manifests, manifest, disk, story)
            if wrong:
                return f"{manifest.name} does not start after a power cut in command {story[0]}: {wrong}"
    return None


def _survives(manifests: Sequence[Manifest], manifest: Manifest, disk: Disk, story: Story | None) -> str | None:
    """What is wrong after a cut at one of the writes of this request, or of the first session."""
    for cut in _cuts(manifests, manifest, disk, story):
        world = AttackedWorld(manifests, disk.copy(), cut)
        try:
            world.session(manifest.ta_uuid)
            if story is not None:
                world.raw(manifest.ta_uuid, *story)
            return None  # all its writes were before this one
        except PowerCutError:
            wrong = _comes_back(world, manifest, story)
            if wrong:
                return wrong
    return None


def _cuts(manifests: Sequence[Manifest], manifest: Manifest, disk: Disk, story: Story | None) -> Iterator[Cut]:
    """Either side of each write after those of the start itself."""
    world = AttackedWorld(manifests, disk.copy())
    if story is not None:
        world.session(manifest.ta_uuid)
    first = world.disk.writes
    yield from (Cut(write, after) for write in range(first, first + MOST_WRITES) for after in (False, True))


ATTACKS = (
    Attack("any.restart", "keep any application from starting again by what it stored", POWER, restart),
    Attack("any.power-cut", "keep any application from starting again with a power cut", POWER, power_cut),
)
