"""How far a process of the secure world can be locked, as words: for whoever names a level and judges nothing."""

from enum import Enum, unique
from typing import Final


@unique
class Level(Enum):
    """How far the secure world is locked."""

    ENFORCED_PLUS = "ENFORCED+"
    """Filter, own namespaces with an empty root, and Landlock."""
    ENFORCED = "ENFORCED"
    """The filter; the other layers by name."""
    PARTIAL = "PARTIAL"
    """No strict filter, but some other layer."""
    INCONCLUSIVE = "INCONCLUSIVE"
    """Facts contradict each other, or a positive control failed."""
    NOT_ENFORCED = "NOT ENFORCED"
    """Nothing that a kernel enforces."""

    def meets(self, required: "Level") -> bool:
        """Whether this level is at least `required`."""
        return _RANK[self] >= _RANK[required]


_RANK: Final = {level: -i for i, level in enumerate(Level)}
