"""Numbers that are the same on every machine: Philox as a function from an address to random words.

There is no state to keep in step. What person 7 looks like depends on the seed and the number 7 alone, so people can
be made in any order, in parallel, or one at a time, and never differ. NumPy's own generators promise stable bits but
not stable normals from version to version, hence the small generator here. NumPy's `Philox` is another member of the
family, 4x64: it gives other words than those of the people published so far, and one counter at a time.

The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011). The
key is the seed; the counter is (block, item, person, domain).
"""

from functools import cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.errors import InputRefused

Words = NDArray[np.uint32]
Floats = NDArray[np.float64]

MULTIPLIERS: Final = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL: Final = (0x9E3779B9, 0xBB67AE85)
ROUNDS: Final = 10
LOW: Final = np.uint64(0xFFFFFFFF)
HALF: Final = np.uint64(32)
MAX_SEED: Final = 2**64
NORMAL_BITS: Final = 16
NORMAL_GRID: Final = 2.0**20
"""Quantiles are rounded to this grid, so that a last-bit difference between math libraries cannot show."""


def philox4x32(counter: NDArray[np.uint64], key: int) -> NDArray[np.uint64]:
    """Ten rounds of Philox.

    Args:
        counter: uint64 [4, ...], each value below 2^32.
        key: 64 bits, the low word first.

    Returns:
        uint64 [4, ...], each value below 2^32.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(ROUNDS):
        left, right = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1 = (right >> HALF) ^ c1 ^ np.uint64(k0), right & LOW
        c2, c3 = (left >> HALF) ^ c3 ^ np.uint64(k1), left & LOW
        k0, k1 = (k0 + WEYL[0]) & 0xFFFFFFFF, (k1 + WEYL[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3])


def words(seed: int, domain: int, person: ArrayLike, item: ArrayLike, count: int) -> Words:
    """Return random words of each address.

    Args:
        seed: 0 <= seed < 2^64.
        domain: what the words are for, below 2^32.
        person, item: integers below 2^32, broadcast to [n].
        count: words for each address.

    Returns:
        uint32 [n, count].

    Raises:
        InputRefused: the seed or a person is out of range.
    """
    if not 0 <= seed < MAX_SEED:
        raise InputRefused("seed is out of range", hint="give a number from 0 to 2^64 - 1", code="synthetic.seed")
    people, items = np.broadcast_arrays(np.atleast_1d(np.asarray(person)), np.asarray(item))
    if people.size and (min(people.min(), items.min()) < 0 or max(people.max(), items.max()) > LOW):
        raise InputRefused(
            "person or sample number is out of range", hint="count from 0 to 2^32 - 1", code="synthetic.person"
        )
    blocks = -(-count // 4)
    counter = np.empty((4, people.size, blocks), np.uint64)
    counter[0] = np.arange(blocks, dtype=np.uint64)
    counter[1] = items.astype(np.uint64)[:, None]
    counter[2] = people.astype(np.uint64)[:, None]
    counter[3] = domain
    made = philox4x32(counter, seed).transpose(1, 2, 0).reshape(people.size, 4 * blocks)
    return made[:, :count].astype(np.uint32)


@cache
def _quantiles() -> Floats:
    """Standard normal quantiles of (i + 1/2) / 2^16, symmetric to the last bit, scaled to variance one."""
    steps = 1 << NORMAL_BITS
    upper = np.array([NormalDist().inv_cdf((i + 0.5) / steps) for i in range(steps // 2, steps)])
    upper = np.rint(upper / np.sqrt(np.mean(upper**2)) * NORMAL_GRID) / NORMAL_GRID
    table = np.concatenate([-upper[::-1], upper])
    table.flags.writeable = False
    return table


def normals(seed: int, domain: int, person: ArrayLike, item: ArrayLike, count: int) -> Floats:
    """Return standard normal numbers, float64 [n, count], within +-4.33. Arguments and errors as for `words`.

    Sixteen bits each: meant for sums of many and for spreads, not for the tail of a single number.
    """
    drawn = words(seed, domain, person, item, -(-count // 2))
    halves = np.ascontiguousarray(drawn, "<u4").view("<u2")[:, :count]
    drawn_normals: Floats = _quantiles()[halves]
    return drawn_normals


def uniforms(seed: int, domain: int, person: ArrayLike, item: ArrayLike, count: int) -> Floats:
    """Return numbers in (0, 1), float64 [n, count]. Arguments and errors as for `words`."""
    return (words(seed, domain, person, item, count).astype(np.float64) + 0.5) * 2.0**-32
