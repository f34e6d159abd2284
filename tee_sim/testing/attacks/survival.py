"""Attacks by restarts and power cuts: whatever was interrupted, an application starts again and answers as before.

That a commit is there as a whole or not at all is the store's promise, and tested there. What an application makes of
two commits, of which the second never came, is its own: each command that is known is asked again after the cut, and
must be answered as it is after a restart without one, before or after the command that was interrupted. What fails
there too is no finding of these attacks.
"""

from collections.abc import Iterator, Mapping, Sequence

from tee_sim.normal.machine.options import PowerCut
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.testing.attacks.asked import Asking, Story, known, requests
from tee_sim.testing.attacks.attack import POWER, Attack, started
from tee_sim.testing.attacks.disk import Cut, Disk
from tee_sim.testing.attacks.world import AttackedWorld

MOST_WRITES = 12
"""At the disk and the RPMB together, for one request; three commits."""
MOST_PER_COMMAND = 3

_DEAD = TeeResult.TARGET_DEAD.name


def _writing(world: AttackedWorld, manifest: Manifest, most_per_command: int | None) -> Iterator[tuple[Disk, Story]]:
    """Requests that store something, each with the disk of just before it."""
    count: dict[int, int] = {}
    for story in requests(world, manifest):
        disk, before = world.disk.copy(), world.disk.writes
        world.invoke(manifest.ta_uuid, *story)
        if world.disk.writes > before:
            count[story[0]] = count.get(story[0], 0) + 1
            if most_per_command is None or count[story[0]] <= most_per_command:
                yield disk, story


def _known(world: AttackedWorld, manifest: Manifest) -> list[Story]:
    """What is known of it, found out on a copy of its disk."""
    with world.again(world.disk.copy()) as other:
        other.session(manifest.ta_uuid)
        return known(other, manifest)


def _played(like: AttackedWorld, manifest: Manifest, disk: Disk, story: Story | None) -> tuple[Disk, range]:
    """The disk after a request, or after the first session, and which of the writes since the start are its own."""
    with like.again(disk.copy()) as world:
        if story is not None:
            world.session(manifest.ta_uuid)
        first = world.disk.writes
        if story is None:
            world.session(manifest.ta_uuid)
        else:
            world.invoke(manifest.ta_uuid, *story)
        return world.disk, range(first, min(world.disk.writes, first + MOST_WRITES))


def restart(world: AttackedWorld) -> str | None:
    """Restart after each command that stores something, and see what ends an application only then."""
    for manifest in started(world):
        again = _known(world, manifest)
        for disk, story in _writing(world, manifest, None):
            after, _ = _played(world, manifest, disk, story)
            with Asking(world, manifest, after) as restarted, Asking(world, manifest, disk, story) as running:
                wrong = restarted.start()
                if wrong:
                    return f"{manifest.name} does not start after command {story[0]} and a restart: {wrong}"
                for asked in (story, *again):
                    said = restarted.answer(asked)
                    if said.startswith(_DEAD) and said != running.answer(asked):
                        return (
                            f"command {asked[0]} of {manifest.name} dies after command {story[0]} and a restart: {said}"
                        )
    return None


def power_cut(world: AttackedWorld) -> str | None:
    """Cut the power before and after each write that a first start or a request brings about."""
    for manifest in world.manifests:
        wrong = _survives(world, manifest, world.disk.copy(), None, [])
        if wrong:
            return wrong
    for manifest in started(world):
        again = _known(world, manifest)
        for disk, story in _writing(world, manifest, MOST_PER_COMMAND):
            wrong = _survives(world, manifest, disk, story, [story, *again])
            if wrong:
                return wrong
    return None


def _survives(
    like: AttackedWorld, manifest: Manifest, disk: Disk, story: Story | None, again: Sequence[Story]
) -> str | None:
    """What is wrong after a cut at one of the writes of this request, or of the first session."""
    after, writes = _played(like, manifest, disk, story)
    with Asking(like, manifest, disk) as before, Asking(like, manifest, after) as done:
        right = {asked: {one.answer(asked) for one in (before, done)} for asked in (again if writes else ())}
    for cut in (Cut(write, late) for write in writes for late in (False, True)):
        left = _interrupted(like, manifest, disk, story, cut)
        wrong = _wrong_after(like, manifest, left, right, "its first start" if story is None else f"command {story[0]}")
        if wrong:
            return wrong
    return None


def _wrong_after(
    like: AttackedWorld, manifest: Manifest, left: Disk, right: Mapping[Story, set[str]], where: str
) -> str | None:
    """What is wrong on a disk that a power cut left, if anything."""
    with Asking(like, manifest, left) as asking:
        wrong = asking.start()
        if wrong:
            return f"{manifest.name} does not start after a power cut in {where}: {wrong}"
        for asked, allowed in right.items():
            said = asking.answer(asked)
            if said not in allowed:
                return (
                    f"command {asked[0]} of {manifest.name} answers {said} after a power cut in {where}, "
                    f"and {' or '.join(sorted(allowed))} without one"
                )
    return None


def _interrupted(like: AttackedWorld, manifest: Manifest, disk: Disk, story: Story | None, cut: Cut) -> Disk:
    """The disk that a power cut leaves."""
    left = disk.copy()
    try:
        with like.again(left, cut) as world:
            world.session(manifest.ta_uuid)
            if story is not None:
                world.invoke(manifest.ta_uuid, *story)
    except PowerCut:
        pass
    return left


ATTACKS = (
    Attack("any.restart", "keep any application from starting again by what it stored", POWER, restart),
    Attack("any.power-cut", "keep any application from starting again with a power cut", POWER, power_cut),
)
