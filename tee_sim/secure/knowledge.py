"""What the core knows of the bytes in a request and in a reply: which of them name what it keeps itself."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Protocol, TypeVar

from tee_sim.secure.ledger import choice_bits
from tee_sim.secure.made.call import Call
from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError
from tee_sim.shared.params import Param, ParamType
from tee_sim.shared.schema import MisfitError
from tee_sim.shared.ta_api import ObjectInfo

T = TypeVar("T")
MAX_NAMED: Final = 32
"""Words of one request that may name something; a request with more names nothing."""
_WORD_BYTES: Final = range(8, 65)
"""Long enough to be nobody else's, and no longer than the id of an object."""
_MAX_BYTE: Final = 255
_VALUE_BITS: Final = 64.0


def named_in(params: Sequence[Param]) -> tuple[frozenset[bytes], frozenset[int]]:
    """The byte strings in a request that may name an object or its owner, and the numbers of a byte: the requests of
    commands are CBOR."""
    if not params or params[0].kind is not ParamType.MEMREF_INPUT:
        return frozenset(), frozenset()
    try:
        values = list(_values(codec.decode(params[0].buffer)))
    except TeeError:
        return frozenset(), frozenset()
    words = frozenset(one for one in values if isinstance(one, bytes) and len(one) in _WORD_BYTES)
    numbers = frozenset(one for one in values if isinstance(one, int) and 0 <= one <= _MAX_BYTE)
    return _few(words), _few(numbers)


def _few(found: frozenset[T]) -> frozenset[T]:
    return found if len(found) <= MAX_NAMED else frozenset()


def _values(plain: object) -> Iterator[bytes | int]:
    if isinstance(plain, list):
        for one in plain:
            yield from _values(one)
    elif isinstance(plain, bytes | int) and not isinstance(plain, bool):
        yield plain


def free_bits(params: object) -> float:
    """What free parameters say, in bits."""
    if not isinstance(params, tuple):
        return 0.0
    bits = 0.0
    for param in params:
        if isinstance(param, Param) and param.is_output:
            bits += 8.0 * len(param.buffer) + _VALUE_BITS
    return bits


class Objects(Protocol):
    """The stored objects of one application, as far as their headers go."""

    def count(self, prefix: bytes) -> int:
        """How many there are whose ids begin so."""
        ...

    def info(self, object_id: bytes) -> ObjectInfo | None:
        """The header of an object, None if there is none. Reads no row."""
        ...


class CallKnowledge:
    """`tee_sim.shared.layouts.Knowledge` of one application.

    Args:
        objects: of the application.
        owned: how many of them belong to one of these owners.
        call: what the core made in it.
        named: words of the request.
    """

    def __init__(
        self,
        objects: Objects,
        owned: Callable[[AbstractSet[bytes]], int],
        call: Call,
        named: Callable[[], frozenset[bytes]],
    ) -> None:
        self._objects = objects
        self._owned = owned
        self._call = call
        self._named = named
        self._told: list[bytes] = []
        self._known: frozenset[bytes] = frozenset()

    def begin(self) -> None:
        """A reply begins."""
        self._told, self._known = [], self._named()

    def object_bits(self, prefix: bytes, value: bytes) -> float:
        """As `Knowledge.object_bits`."""
        self._told.append(prefix + value)
        if value in self._known:
            return 2.0 + choice_bits(len(self._known))
        bits = self._id_bits(prefix + value, prefix)
        self._known |= {value}
        return bits

    def id_bits(self, object_id: bytes) -> float:
        """Which object: one of whom the request names, or any. Raises MisfitError for the id of none."""
        self.begin()
        return self._id_bits(object_id, b"")

    def _id_bits(self, object_id: bytes, prefix: bytes) -> float:
        info = self._objects.info(object_id)
        if info is None:
            raise MisfitError("not the id of an object")
        bits = 1.0 + choice_bits(self._objects.count(prefix))
        if info.owner in self._known:
            bits = min(bits, 2.0 + choice_bits(self._owned(self._known)))
        return bits

    def commitment_bits(self, value: bytes) -> float:
        """As `Knowledge.commitment_bits`: of an object that this reply has named before."""
        for object_id in self._told:
            info = self._objects.info(object_id)
            if info is not None and info.commitment == value:
                return choice_bits(len(self._told))
        raise MisfitError("not the commitment of an object that the reply names")

    def statement_bits(self, key: str, value: bytes) -> float:
        """As `Knowledge.statement_bits`: what was chosen in it was counted when it was made."""
        if not self._call.has_stated(key, value):
            raise MisfitError("not a statement of the core")
        return 0.0
