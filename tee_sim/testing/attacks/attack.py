"""One attack on any application, and the moves that most of them share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import Params
from tee_sim.shared.schema import Record
from tee_sim.testing.attacks.messages import COMMANDS, NATIVE_COMMANDS, Requests
from tee_sim.testing.attacks.shapes import converse_with_native
from tee_sim.testing.attacks.world import AttackedWorld, request_params

GP = "GlobalPlatform TEE Internal Core API, panics"
HEIST = "DARKNAVY (2026), path 4"
LOGS = "DARKNAVY (2026), path 3"
POWER = "GlobalPlatform TEE Internal Core API, atomicity of storage"


class UnplayedError(Exception):
    """An attack could not be played; the text says why."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    Attributes:
        name: stable id in reports.
        title: what the attacker does.
        source: where the class of bug is described.
        play: returns what was gained, or None. Raises TeeError or UnplayedError when it cannot be played.
    """

    name: str
    title: str
    source: str
    play: Callable[[AttackedWorld], str | None]


def started(world: AttackedWorld) -> Iterator[Manifest]:
    """The applications, each with a session. Raises TeeError for one that does not even start: nothing can be said."""
    for manifest in world.manifests:
        world.session(manifest.ta_uuid)
        yield manifest


def commands(world: AttackedWorld, manifest: Manifest) -> Iterator[tuple[int, type[Record] | None]]:
    """Each command number to try, with the type of its request if the application declares it."""
    declared = world.declared(manifest)
    yield from declared.items()
    tried = NATIVE_COMMANDS if manifest.native else COMMANDS
    yield from ((number, None) for number in tried if number not in declared)


def dies(world: AttackedWorld, tries: Callable[[type[Record] | None], Iterator[Params]], of_what: str) -> str | None:
    """The first command that ends an application, and where in it."""
    for manifest in started(world):
        for number, kind in list(commands(world, manifest)):
            for params in tries(kind):
                before = len(world.panics)
                world.invoke(manifest.ta_uuid, number, params)
                if len(world.panics) > before:
                    return f"command {number} of {manifest.name} dies of {of_what} ({world.panics[before]})"
    return None


def converse(world: AttackedWorld, rounds: int = 2) -> None:
    """Ask every command what fits its type, several times, giving back what it answered before."""
    requests = Requests(Random(1))  # noqa: S311 - the same messages each time
    for _ in range(rounds):
        for manifest in started(world):
            converse_with_native(world, manifest)
            for number, kind in list(commands(world, manifest)):
                for request in requests.fitting(kind):
                    answer = world.invoke(manifest.ta_uuid, number, request_params(request))
                    for param in answer.params:
                        requests.learn(param.buffer)
