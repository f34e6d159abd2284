"""Random programs for the application that calls anything with anything (tests/native/tas/liar).

A program is a row of calls; each is the number of a row and the bytes that say its arguments. Half of the values are
those with which a call succeeds, so that later ones meet keys, operations, objects and sessions that are really there.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tee_sim.shared.gp_functions import BY_NUMBER, Function

MOST_RECIPES = 5
_F = Function
P = "the place of this recipe"
"""Stands for the handle that a recipe works with."""
NEXT = "the place after it"

_B8, _B16, _B32, _B64, _B256, _B4096 = 3, 6, 11, 13, 16, 18
"""Places of 8, 16, 32, ... in the application's table of lengths; as a pointer to a length, so much room."""
_SECRET, _CURVE, _X = 0, 1, 2
"""Places of attributes in its table."""

Arguments = tuple[object, ...]
Recipe = tuple[tuple[Function, Arguments], ...]


def _key(kind: int, bits: int, operation: int, mode: int, more: Recipe) -> Recipe:
    """A key made at random, and an operation that has it."""
    return (
        (_F.ALLOCATE_TRANSIENT_OBJECT, (kind, bits, P)),
        (_F.GENERATE_KEY, (P, bits, _CURVE, int(kind & 0xFF in (0x41, 0x42)))),
        (_F.ALLOCATE_OPERATION, (P, operation, mode, bits)),
        (_F.SET_OPERATION_KEY, (P, P)),
        *more,
        (_F.FREE_OPERATION, (P,)),
        (_F.FREE_TRANSIENT_OBJECT, (P,)),
    )


_CIPHER: Recipe = (
    (_F.CIPHER_INIT, (P, 0, _B16)),
    (_F.CIPHER_UPDATE, (P, 0, _B64, 1, _B256)),
    (_F.CIPHER_DO_FINAL, (P, 0, _B16, 1, _B256)),
)
_MAC: Recipe = (
    (_F.MAC_INIT, (P, 0, 0)),
    (_F.MAC_UPDATE, (P, 0, _B64)),
    (_F.MAC_COMPUTE_FINAL, (P, 0, _B8, 1, _B64)),
    (_F.MAC_INIT, (P, 0, 0)),
    (_F.MAC_COMPARE_FINAL, (P, 0, _B8, 1, _B32)),
)
_AE: Recipe = (
    (_F.AE_INIT, (P, 0, 4, 128, _B16, _B64)),
    (_F.AE_UPDATE_AAD, (P, 0, _B16)),
    (_F.AE_UPDATE, (P, 0, _B32, 1, _B256)),
    (_F.AE_ENCRYPT_FINAL, (P, 0, _B32, 1, _B256, 2, _B16)),
)
_SIGNING: Recipe = (
    (_F.ASYMMETRIC_SIGN_DIGEST, (P, 0, 0, 0, _B32, 1, _B256)),
    (_F.GET_OBJECT_BUFFER_ATTRIBUTE, (P, 0xD0000141, 2, _B64)),
    (_F.GET_OPERATION_INFO_MULTIPLE, (P, 0, _B256)),
)
RECIPES: tuple[Recipe, ...] = (
    _key(0xA0000010, 256, 0x10000210, 0, _CIPHER),
    _key(0xA0000010, 128, 0x10000110, 1, _CIPHER),
    _key(0xA0000004, 256, 0x30000004, 4, _MAC),
    _key(0xA0000010, 128, 0x30000610, 4, _MAC),
    _key(0xA0000010, 128, 0x40000810, 0, _AE),
    _key(0xA0000010, 128, 0x40000710, 0, _AE),
    _key(0xA1000041, 256, 0x70003041, 2, _SIGNING),
    (
        (_F.ALLOCATE_OPERATION, (P, 0x50000004, 5, 0)),
        (_F.DIGEST_UPDATE, (P, 0, _B4096)),
        (_F.COPY_OPERATION, (P, P)),
        (_F.DIGEST_DO_FINAL, (P, 0, _B8, 1, _B64)),
        (_F.DIGEST_UPDATE, (P, 0, _B16)),
        (_F.DIGEST_EXTRACT, (P, 1, _B16)),
        (_F.GET_OPERATION_INFO, (P, 0)),
        (_F.RESET_OPERATION, (P,)),
        (_F.FREE_OPERATION, (P,)),
    ),
    (
        (_F.CREATE_PERSISTENT_OBJECT, (1, 0, _B8, 0x407, 9, 1, _B64, P)),
        (_F.WRITE_OBJECT_DATA, (P, 0, _B256)),
        (_F.SEEK_OBJECT_DATA, (P, 5, 0)),
        (_F.READ_OBJECT_DATA, (P, 1, _B32, 0)),
        (_F.TRUNCATE_OBJECT_DATA, (P, _B16)),
        (_F.GET_OBJECT_INFO1, (P, 0)),
        (_F.RENAME_PERSISTENT_OBJECT, (P, 2, _B32)),
        (_F.CLOSE_AND_DELETE_PERSISTENT_OBJECT1, (P,)),
    ),
    (
        (_F.CREATE_PERSISTENT_OBJECT, (1, 1, _B16, 0x400, 9, 1, 0, P)),
        (_F.CLOSE_OBJECT, (P,)),
        (_F.OPEN_PERSISTENT_OBJECT, (1, 1, _B16, 0x11, P)),
        (_F.OPEN_PERSISTENT_OBJECT, (1, 1, _B16, 0x11, NEXT)),
        (_F.READ_OBJECT_DATA, (P, 0, _B8, 1)),
        (_F.CLOSE_OBJECT, (NEXT,)),
        (_F.CLOSE_OBJECT, (P,)),
    ),
    (
        (_F.ALLOCATE_TRANSIENT_OBJECT, (0xA0000010, 256, P)),
        (_F.POPULATE_TRANSIENT_OBJECT, (P, _SECRET, 1)),
        (_F.RESTRICT_OBJECT_USAGE1, (P, 0x6)),
        (_F.ALLOCATE_TRANSIENT_OBJECT, (0xA0000010, 256, NEXT)),
        (_F.COPY_OBJECT_ATTRIBUTES1, (NEXT, P)),
        (_F.CREATE_PERSISTENT_OBJECT, (1, 2, _B32, 0x407, P, 0, 0, P)),
        (_F.RESET_TRANSIENT_OBJECT, (NEXT,)),
        (_F.FREE_TRANSIENT_OBJECT, (NEXT,)),
        (_F.CLOSE_OBJECT, (P,)),
    ),
    (
        (_F.ALLOCATE_PERSISTENT_OBJECT_ENUMERATOR, (P,)),
        (_F.START_PERSISTENT_OBJECT_ENUMERATOR, (P, 1)),
        (_F.GET_NEXT_PERSISTENT_OBJECT, (P, 0, 1, _B64)),
        (_F.RESET_PERSISTENT_OBJECT_ENUMERATOR, (P,)),
        (_F.FREE_PERSISTENT_OBJECT_ENUMERATOR, (P,)),
    ),
    (
        (_F.GET_PROPERTY_AS_STRING, (0, 0, 1, _B256)),
        (_F.GET_PROPERTY_AS_BOOL, (0, 1, 0)),
        (_F.GET_PROPERTY_AS_U32, (0, 2, 0)),
        (_F.GET_PROPERTY_AS_UUID, (2, 4, 0)),
        (_F.GET_PROPERTY_AS_IDENTITY, (1, 5, 0)),
        (_F.GET_PROPERTY_AS_U32, (2, 9, 0)),
    ),
    (
        (_F.OPEN_TA_SESSION, (1, 3, 0, 0, P, 0)),
        (_F.INVOKE_TA_COMMAND, (P, 3, 7, 0, 0, 1)),
        (_F.CLOSE_TA_SESSION, (P,)),
    ),
    (
        (_F.BIG_INT_INIT, (0, 1)),
        (_F.BIG_INT_INIT, (1, 1)),
        (_F.BIG_INT_INIT, (2, 2)),
        (_F.BIG_INT_CONVERT_FROM_S32, (0, 65_537)),
        (_F.BIG_INT_CONVERT_FROM_OCTET_STRING, (1, 0, _B32, 0)),
        (_F.BIG_INT_ADD, (2, 0, 1)),
        (_F.BIG_INT_MOD, (2, 1, 0)),
        (_F.BIG_INT_CONVERT_TO_OCTET_STRING, (1, _B64, 2)),
        (_F.BIG_INT_IS_PROBABLE_PRIME, (0, 80)),
    ),
    ((_F.GET_SYSTEM_TIME, (0,)), (_F.SET_TA_PERSISTENT_TIME, (0,)), (_F.GET_TA_PERSISTENT_TIME, (1,))),
    ((_F.GET_REE_TIME, (0,)), (_F.WAIT, (1,)), (_F.MASK_CANCELLATION, ()), (_F.GENERATE_RANDOM, (0, _B64))),
)
"""Calls that succeed as they stand; P and NEXT are places of handles."""

_ODD = (0, 1, 2, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_HANDLES = frozenset("openOPEN")
_ENUMERATOR = 104
_NULL = 234
"""A byte that stands for the first of what was never a handle: null."""


@dataclass(frozen=True, slots=True)
class Row:
    """One call of the application's table: its function, and a letter for each argument."""

    function: Function
    letters: str


def rows_of(listed: bytes) -> list[Row]:
    """The table, as the application lists it."""
    found = []
    while listed:
        number = int.from_bytes(listed[:4], "little")
        letters, _, listed = listed[4:].partition(b"\0")
        found.append(Row(BY_NUMBER[number], letters.decode()))
    return found


class Programs:
    """Makes programs from a seed.

    Args:
        rows: of the application.
    """

    def __init__(self, rows: Sequence[Row], rng: Random) -> None:
        self._rows = rows
        self._rng = rng
        self._index = {row.function: number for number, row in enumerate(rows)}

    def program(self) -> bytes:
        """One program: recipes, whole or cut short, in which each argument is changed with some probability."""
        changed = self._rng.choice((0.0, 0.0, 0.01, 0.02, 0.05, 0.3))
        parts: list[bytes] = []
        for _ in range(self._rng.randint(1, MOST_RECIPES)):
            recipe = list(self._rng.choice(RECIPES))
            if self._rng.random() < 4 * changed:
                self._rng.shuffle(recipe)
            place = self._rng.randrange(7)
            for function, arguments in recipe[: self._rng.choice((None, None, None, -1, -2))]:
                parts.append(self._call(function, arguments, place, changed))
            if self._rng.random() < changed:
                parts.append(self._call(self._rng.choice(self._rows).function, (), place, 1.0))
        return b"".join(parts)

    def recipe(self, recipe: Recipe, place: int) -> bytes:
        """One recipe as it stands."""
        return b"".join(self._call(function, arguments, place, 0.0) for function, arguments in recipe)

    def _call(self, function: Function, arguments: Arguments, place: int, changed: float) -> bytes:
        number = self._index[function]
        parts = [bytes([number])]
        for at, letter in enumerate(self._rows[number].letters):
            lies = at >= len(arguments) or self._rng.random() < changed
            value = 0 if at >= len(arguments) else self._meant(letter, arguments[at], place)
            if letter == "u":
                parts.append(struct.pack("<I", self._rng.choice(_ODD) if lies else value))
            else:
                parts.append(bytes([self._rng.randrange(256) if lies else value]))
        return b"".join(parts)

    def _meant(self, letter: str, argument: object, place: int) -> int:
        if argument in (P, NEXT):
            return place + (argument == NEXT) + (_ENUMERATOR if letter == "h" else 0)
        assert isinstance(argument, int)
        return _NULL if letter in _HANDLES and argument == 9 else argument
