"""Ask an application all that is known of it, from the same disk each time, so that two answers can be compared."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Self

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import Params
from tee_sim.testing.attacks.attack import commands
from tee_sim.testing.attacks.disk import Disk
from tee_sim.testing.attacks.messages import Requests
from tee_sim.testing.attacks.shapes import found_by_trying
from tee_sim.testing.attacks.world import AttackedWorld, request_params

MOST_KNOWN = 64
"""Requests that are asked again after each cut, the declared commands first. It bounds the time of a run for an
application that answers every number there is."""
_UNKNOWN = frozenset({TeeResult.NOT_SUPPORTED, TeeResult.BAD_PARAMETERS, TeeResult.BAD_FORMAT})
"""What a number that is no command is refused with."""

Story = tuple[int, Params]
"""A command and its parameters."""


def requests(world: AttackedWorld, manifest: Manifest) -> Iterator[Story]:
    """Requests of every command: the least, the most and one between, or what was found by trying, or guesses."""
    made = Requests(Random(5))  # noqa: S311 - the same messages each time
    yield from found_by_trying(world, manifest)
    for number, kind in list(commands(world, manifest)):
        for request in made.fitting(kind, 1):
            yield number, request_params(request)


def known(world: AttackedWorld, manifest: Manifest) -> list[Story]:
    """For every command that is declared, or answers, a request for each of its results."""
    declared = world.declared(manifest)
    found: dict[tuple[int, int], Story] = {}
    for number, request in requests(world, manifest):
        result = world.invoke(manifest.ta_uuid, number, request).result
        if number in declared or result not in _UNKNOWN:
            found.setdefault((number, result), (number, request))
    return list(found.values())[:MOST_KNOWN]


class Asking:
    """One application on copies of one disk.

    Args:
        like: a world of the same applications.
        disk: what every start finds.
        told: a request that is sent after every start.
    """

    def __init__(self, like: AttackedWorld, manifest: Manifest, disk: Disk, told: Story | None = None) -> None:
        self._like = like
        self._manifest = manifest
        self._disk = disk
        self._told = told
        self._world: AttackedWorld | None = None
        self._untouched = 0

    def start(self) -> str | None:
        """Start again. What is wrong if it does not, else None."""
        world: AttackedWorld | None = None
        self.close()
        try:
            self._world = world = self._like.again(self._disk.copy())
            world.session(self._manifest.ta_uuid)
            if self._told is not None:
                world.invoke(self._manifest.ta_uuid, *self._told)
        except TeeError as error:
            return _said(error.result, [] if world is None else world.panics)
        self._untouched = world.disk.writes
        return None

    def close(self) -> None:
        """End the world that was started last."""
        if self._world is not None:
            self._world.end()
        self._world = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, story: Story) -> str:
        """The result of a request, with the exception of a panic.

        What an earlier one stored is undone by another start: every answer is one to the disk that was given.
        """
        world = self._world
        if world is None or world.disk.writes != self._untouched:
            wrong = self.start()
            if wrong is not None or self._world is None:
                return wrong or ""
            world = self._world
        before = len(world.panics)
        try:
            result = world.invoke(self._manifest.ta_uuid, *story).result
        except TeeError as error:
            result = error.result
        if len(world.panics) > before:  # whatever it left in memory is not the next one's
            self.close()
        return _said(result, world.panics[before:])


def _said(result: int, panics: Sequence[str]) -> str:
    name = TeeResult(result).name
    return f"{name} ({panics[0]})" if panics else name
