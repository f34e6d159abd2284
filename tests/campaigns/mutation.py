"""Mutations for the fuzz targets."""

import random
from collections.abc import Sequence

_CORNERS = (0, 1, 23, 24, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def mutate(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One to four changes to one of the seeds."""
    raw = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(raw) + 1)
        size = rng.choice((1, 2, 4, 32, 512))
        match rng.randrange(6):
            case 0 if at < len(raw):
                raw[at] ^= 1 << rng.randrange(8)
            case 1:
                del raw[at : at + size]
            case 2:
                raw[at:at] = raw[at : at + size]
            case 3:
                other = rng.choice(seeds)
                raw[at : at + size] = other[at : at + size]
            case 4:
                width = rng.choice((1, 2, 4))
                raw[at : at + width] = (rng.choice(_CORNERS) % (1 << 8 * width)).to_bytes(width, "big")
            case 5:
                del raw[at:]
    return bytes(raw)
