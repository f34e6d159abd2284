"""What commands take whose application declares nothing: found by trying every mixture of parameter kinds.

A mixture that is answered with anything but BAD_PARAMETERS, or with what an unknown command is answered with, is one
that the command takes. What comes out is put into the next tries: what one command gives may be what another wants.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final, cast

from tee_sim.shared.errors import TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import NO_PARAMS, Param, Params, ParamType
from tee_sim.testing.attacks.disk import Disk
from tee_sim.testing.attacks.world import AttackedWorld

UNKNOWN_COMMAND: Final = 0x7FFF_FFFE
MOST_COMMANDS: Final = 16
"""Numbers that are tried, from 0: an application seldom has more, and one that takes nothing costs 1 555 requests."""
ROOM_BYTES: Final = 4096
_TEXT: Final = b"12345678"
_ROUNDS: Final = 3
_MOST_LEARNED: Final = 4
_INPUTS: Final = frozenset({ParamType.MEMREF_INPUT, ParamType.MEMREF_INOUT})
_KINDS: Final = tuple(kind for kind in ParamType if kind is not ParamType.NONE)
_UNFIT: Final = frozenset({TeeResult.BAD_PARAMETERS, TeeResult.BAD_FORMAT})

Found = tuple[int, Params]


def found_by_trying(world: AttackedWorld, manifest: Manifest) -> list[Found]:
    """Commands with parameters that a native application takes; none for others."""
    natives = world.natives
    if natives is None or not manifest.native:
        return []
    if manifest.uuid not in natives.shapes:
        with world.again(Disk()) as own:
            natives.shapes[manifest.uuid] = _Trying(own, manifest).found()
    return natives.shapes[manifest.uuid]


class _Trying:
    """Tries on a disk of its own. A command is tried until it takes something."""

    def __init__(self, world: AttackedWorld, manifest: Manifest) -> None:
        self._world, self._manifest = world, manifest
        self._unknown = self._result(UNKNOWN_COMMAND, NO_PARAMS)
        self._found: dict[int, Found] = {}
        self._learned: dict[int, bytes] = {}

    def found(self) -> list[Found]:
        """What each command was found to take, in the order in which it was found."""
        left = [number for number in range(MOST_COMMANDS) if not self._is_unknown(number)]
        for number in left:
            self._try(number, (_TEXT,))
        for _ in range(_ROUNDS):
            left = [number for number in left if number not in self._found]
            learned = [*self._learned.values()][-_MOST_LEARNED:]
            for number, data in product(left, learned):
                self._try(number, (data,))
        return list(self._found.values())

    def _is_unknown(self, number: int) -> bool:
        """Whether a number is answered as one that is no command, with whatever comes."""
        if self._unknown in _UNFIT:
            return False
        return all(self._result(number, _made((kind,), ())) == self._unknown for kind in ParamType)

    def _try(self, number: int, first: Sequence[bytes]) -> None:
        """Every mixture without a gap, those of few parameters first, until one is taken."""
        for count in range(5):
            for kinds in product(_KINDS, repeat=count):
                if first == (_TEXT,) or not _INPUTS.isdisjoint(kinds):
                    params = _made(kinds, first)
                    answer = self._world.invoke(self._manifest.ta_uuid, number, params)
                    if answer.result not in _UNFIT and number not in self._found:
                        self._found[number] = number, params
                        self._learn(answer.params)
                        return

    def _learn(self, params: Sequence[Param]) -> None:
        for param in params:
            if param.is_output and param.buffer:
                self._learned.setdefault(len(param.buffer), param.buffer)

    def _result(self, number: int, params: Params) -> TeeResult:
        return self._world.invoke(self._manifest.ta_uuid, number, params).result


def _made(kinds: Sequence[ParamType], learned: Sequence[bytes]) -> Params:
    """Parameters of these kinds; the first inputs hold what was learned."""
    left = list(learned)
    made = [_param(kind, (left.pop(0) if left else _TEXT) if kind in _INPUTS else b"") for kind in kinds]
    return cast("Params", (*made, *NO_PARAMS[len(made) :]))


def _param(kind: ParamType, data: bytes) -> Param:
    if kind is ParamType.MEMREF_OUTPUT:
        return Param.output(ROOM_BYTES)
    if kind in _INPUTS:
        return Param(kind=kind, buffer=data, size_bytes=len(data) if kind is ParamType.MEMREF_INOUT else 0)
    return Param(kind=kind)


def renewed(params: Params, given: Mapping[int, bytes]) -> Params:
    """The same parameters, with what this disk's application gave in the place of bytes of the same length."""
    made = tuple(
        _param(param.kind, given[len(param.buffer)]) if param.kind in _INPUTS and len(param.buffer) in given else param
        for param in params
    )
    return cast("Params", made)


def converse_with_native(world: AttackedWorld, manifest: Manifest) -> None:
    """Ask a native application all that it was found to take, with what it gives in between; nothing of others."""
    given: dict[int, bytes] = {}
    for number, params in found_by_trying(world, manifest):
        answer = world.invoke(manifest.ta_uuid, number, renewed(params, given))
        given |= {len(param.buffer): param.buffer for param in answer.params if param.buffer}


def extremes(story: Found) -> Iterator[Found]:
    """A command with parameters of the same kinds: the least, the most, cut short, changed in one bit, without room."""
    number, params = story
    for at, param in enumerate(params):
        for other in _others(param):
            yield number, cast("Params", (*params[:at], other, *params[at + 1 :]))


def _others(param: Param) -> Iterator[Param]:
    kind, data = param.kind, param.buffer
    if kind in (ParamType.VALUE_INPUT, ParamType.VALUE_INOUT):
        for value in (1, 0x7FFF_FFFF, 0xFFFF_FFFF):
            yield Param(kind=kind, a=value)
            yield Param(kind=kind, a=value, b=0xFFFF_FFFF)
    elif kind is ParamType.MEMREF_OUTPUT:
        yield from (Param.output(size) for size in (0, 1, 16))
        yield Param.null(kind)
    elif kind in _INPUTS:
        yield Param.null(kind)
        changed = bytes([data[0] ^ 1]) + data[1:] if data else b"\0"
        for other in (b"", data[:-1], data + b"\0", changed, b"\xff" * len(data), b"\xff" * 65_536):
            yield _param(kind, other)
