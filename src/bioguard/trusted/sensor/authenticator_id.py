"""The authenticator id: a random number that stands for "this set of enrollments" of one sensor and user.

Keys bind to it, so it must change when somebody is added and must not change when somebody is removed. It is random,
never a counter, and only Class 3 sensors have one.
"""

from bioguard.records.strength import ABILITIES, SensorStrength
from tee_sim.shared.rng import Rng, nonzero_u64


def new_authenticator_id(rng: Rng, old: int) -> int:
    """A random non-zero 64-bit id other than the old one: after an enrollment, and on invalidation."""
    return nonzero_u64(rng, {old})


def reported_authenticator_id(stored: int, strength: SensorStrength, enrollments: int) -> int:
    """What the outside is told: 0 without enrollments and for every sensor that is not Class 3."""
    return stored if ABILITIES[strength].tokens and enrollments else 0
