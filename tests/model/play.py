"""Both sides step by step; the first difference, and the shortest story that still shows it."""

from contextlib import ExitStack
from dataclasses import dataclass

from bioguard.device.applications import manifests
from tests.model.reference import Reference
from tests.model.steps import Step
from tests.model.world import World


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where device and model part.

    Attributes:
        steps: up to and with the one that shows it.
        expected, seen: the model's answer and the device's.
    """

    steps: tuple[Step, ...]
    expected: object
    seen: object

    def __str__(self) -> str:
        told = "\n".join(f"  {i:3} {step}" for i, step in enumerate(self.steps))
        return f"after {len(self.steps)} steps the device says {self.seen!r}, not {self.expected!r}:\n{told}"


class _SameIds:
    """Random numbers against counted ones: each must stand for the same one, always."""

    def __init__(self) -> None:
        self._known: dict[int, object] = {}

    def agree(self, expected: object, seen: object) -> bool:
        if not (isinstance(seen, tuple) and seen[:1] == ("id",)):
            return expected == seen
        number = seen[1]
        if expected in (0, *self._known) or number in self._known.values():
            return self._known.get(expected) == number  # type: ignore[arg-type]
        self._known[expected] = number  # type: ignore[index]
        return isinstance(expected, int)


def first_divergence(
    steps, *, require_pin: bool, hosted=(), seed: int = 0, processes: bool = False
) -> Divergence | None:
    """Play a story on a new device and on the model.

    Args:
        processes: run each application in a process of its own.
    """
    reference = Reference(require_pin=require_pin)
    ids = _SameIds()
    world = World(reference, hosted or manifests(), seed, processes=processes)
    with ExitStack() as stack:
        stack.callback(world.close_down)
        for i, step in enumerate(steps):
            seen = getattr(world, step.kind)(*step.args)
            expected = getattr(reference, step.kind)(*step.args)
            if not ids.agree(expected, seen):
                return Divergence(tuple(steps[: i + 1]), expected, seen)
    return None


def shortened(divergence: Divergence, **how) -> Divergence:
    """Leave out whatever the difference does not need: halves first, then single steps."""
    size = len(divergence.steps) // 2
    while size:
        at = 0
        while at < len(divergence.steps) - 1:
            fewer = divergence.steps[:at] + divergence.steps[at + size :]
            found = first_divergence(fewer, **how) if fewer else None
            if found is not None and found.steps[-1].kind == divergence.steps[-1].kind:
                divergence = found
            else:
                at += size
        size //= 2
    return divergence
