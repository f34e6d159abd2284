"""Randomness as an argument. `SeededRng` makes runs repeatable and must say so wherever its output is used."""

import hashlib
import os
from collections.abc import Container
from enum import IntEnum, unique
from typing import Protocol


@unique
class RandomnessKind(IntEnum):
    """Where keys, ids and challenges come from. Nonces, object keys and salts come from the system on every device."""

    SYSTEM = 1
    SEEDED = 2

    @property
    def word(self) -> str:
        """As status and attestation say it: a seeded device in capitals, its keys are no secret."""
        return "system" if self is RandomnessKind.SYSTEM else "SEEDED"


class Rng(Protocol):
    """A source of random bytes."""

    def bytes(self, n: int) -> bytes:
        """Return `n` bytes."""
        ...


def nonzero_u64(rng: Rng, taken: Container[int] = ()) -> int:
    """Draw an id or a challenge: 64 bits, not 0, which stands for none everywhere, and not one of those taken."""
    value = 0
    while value == 0 or value in taken:
        value = int.from_bytes(rng.bytes(8), "little")
    return value


class OsRng:
    """The kernel's generator (getrandom)."""

    def bytes(self, n: int) -> bytes:
        return os.urandom(n)


class SeededRng:
    """SHAKE-256 in counter mode over a seed. For tests and replay only: anyone with the seed knows every key."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._counter = 0

    def bytes(self, n: int) -> bytes:
        block = hashlib.shake_256(b"tee_sim seeded rng v1" + self._counter.to_bytes(8, "little") + self._seed).digest(n)
        self._counter += 1
        return block
