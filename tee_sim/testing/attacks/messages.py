"""What attackers send: garbage, parameters of every kind, and requests that fit the type a command declares."""

import types
from collections.abc import Iterator, Sequence
from enum import IntEnum
from itertools import product
from random import Random
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from tee_sim.shared.codec import decode, encode
from tee_sim.shared.errors import TeeError
from tee_sim.shared.params import Param, Params, ParamType
from tee_sim.shared.schema import AtMost, Fixed, Items, Record, Text, UpTo

COMMANDS = (*range(256), 0x7FFF_FFFF, 0xFFFF_FFFF)
NATIVE_COMMANDS = (*range(64), 0x7FFF_FFFF, 0xFFFF_FFFF)
"""Of an application in another process, where each request takes ten times as long."""
MAX_ITEMS = 3
MAX_BYTES = 2048
NONE = Param.none()


def garbage(rng: Random, noise: int = 4) -> Iterator[bytes]:
    """Nothing, garbage, half and foreign encodings, numbers as lengths, and noise."""
    yield from (b"", b"\0", b"\xff" * 40, b"\x81" * 200, b"A" * 69, encode([]), encode({}), encode([0]) + b"\0")
    yield from (encode([bytes(16)]), encode([b"x"] * 20), encode([[[[0]]]]), encode([-1, "", None, True]))
    yield from (rng.randbytes(rng.randrange(1, 300)) for _ in range(noise))


def parameters() -> Iterator[Params]:
    """Every mixture of parameter kinds in the first two slots, and full hands."""
    made = {
        ParamType.NONE: NONE,
        ParamType.VALUE_INPUT: Param.value(0, 0xFFFF_FFFF),
        ParamType.VALUE_OUTPUT: Param(kind=ParamType.VALUE_OUTPUT),
        ParamType.VALUE_INOUT: Param(kind=ParamType.VALUE_INOUT, a=0xFFFF_FFFF),
        ParamType.MEMREF_INPUT: Param.memref(b"x"),
        ParamType.MEMREF_OUTPUT: Param.output(0),
        ParamType.MEMREF_INOUT: Param(kind=ParamType.MEMREF_INOUT, buffer=b"x", size_bytes=1),
    }
    yield from ((a, b, NONE, NONE) for a, b in product(made.values(), repeat=2))
    yield from ((kind,) * 4 for kind in made.values())


_GUESSES: tuple[list[object], ...] = ([], [0], [1], [1 << 63], [b""], [bytes(16)], [""], [True], [0, b"x"], [b"x", 0])


class Requests:
    """Makes requests that fit their declared type: the least, the most, and what lies between.

    Byte strings and numbers of earlier replies are given back, so that ids and handles are sometimes real.
    """

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self._seen: list[object] = []

    def learn(self, reply: bytes) -> None:
        """Remember what a reply holds."""
        try:
            self._remember(decode(reply))
        except TeeError:
            return
        del self._seen[:-64]

    def _remember(self, value: object) -> None:
        if isinstance(value, list):
            for item in value:
                self._remember(item)
        elif isinstance(value, bytes) or (type(value) is int and value > 255):
            self._seen.append(value)

    def fitting(self, kind: type[Record] | None, count: int = 4) -> Iterator[bytes]:
        """Requests of this type; guesses where a command declares none."""
        if kind is None:
            yield from map(encode, _GUESSES)
            return
        for mode in ("least", "most", *["any"] * count):
            try:
                yield encode(self._plain(kind, mode))
            except TeeError:  # longer than a message may be
                continue

    def _plain(self, kind: type[Record], mode: str) -> list[object]:
        return [self._value(hint, None, mode) for hint in get_type_hints(kind, include_extras=True).values()]

    def _value(self, hint: Any, bound: Any, mode: str) -> object:
        if get_origin(hint) in (Union, types.UnionType):
            if mode == "least" or (mode == "any" and self.rng.random() < 0.3):
                return None
            return self._value(next(a for a in get_args(hint) if a is not type(None)), bound, mode)
        if get_origin(hint) is Annotated:
            return self._value(get_args(hint)[0], get_args(hint)[1], mode)
        if isinstance(bound, Items):
            item = get_args(hint)[0]
            return [self._value(item, bound.item, mode) for _ in range(self._number(min(bound.count, MAX_ITEMS), mode))]
        if issubclass(hint, Record):
            return self._plain(hint, mode)
        if issubclass(hint, IntEnum):
            members = list(hint)
            return int({"least": members[0], "most": members[-1]}.get(mode, self.rng.choice(members)))
        return self._scalar(hint, bound, mode)

    def _scalar(self, hint: type, bound: Any, mode: str) -> object:
        known = [v for v in self._seen if type(v) is hint and bound is not None and not bound.misfit(v)]
        if mode == "any" and known and self.rng.random() < 0.5:
            return self.rng.choice(known)
        match bound:
            case Fixed(size_bytes):
                return self._bytes(size_bytes, mode)
            case AtMost(size_bytes):
                return self._bytes(self._number(min(size_bytes, MAX_BYTES), mode), mode)
            case Text(size_chars):
                return "~" * self._number(min(size_chars, MAX_BYTES), mode)
            case UpTo(maximum):
                return self._number(maximum, mode)
        return mode == "most" or (mode == "any" and self.rng.random() < 0.5)

    def _bytes(self, size_bytes: int, mode: str) -> bytes:
        return {"least": bytes(size_bytes), "most": b"\xff" * size_bytes}.get(mode) or self.rng.randbytes(size_bytes)

    def _number(self, most: int, mode: str) -> int:
        small = self.rng.random() < 0.5
        return {"least": 0, "most": most}.get(mode, self.rng.randint(0, min(most, 9) if small else most))


def changed(body: bytes, rng: Random, count: int = 48) -> Iterator[bytes]:
    """A frame's body with single bytes changed, cut short, and with more at its end."""
    places: Sequence[int] = range(min(len(body), count))
    for place in places:
        yield body[:place] + bytes((body[place] ^ (1 << rng.randrange(8)),)) + body[place + 1 :]
    yield from (body[:size] for size in (0, 1, len(body) // 2, len(body) - 1))
    yield body + b"\0"
