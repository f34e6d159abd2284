"""The four typed parameters of every operation (GlobalPlatform TEE Client API 1.0, section 4.3.6).

`paramTypes` is p0 | p1<<4 | p2<<8 | p3<<12. A TA compares it with the one tuple a command accepts before it looks at
anything else.
"""

from enum import IntEnum, unique
from typing import Annotated, Self

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.schema import AtMost, MisfitError, Record, UpTo

_U32 = 0xFFFF_FFFF
_ROOM = UpTo(MAX_PARAM_BYTES)


@unique
class ParamType(IntEnum):
    """Direction and kind, numbered as on the TEE side."""

    NONE = 0
    VALUE_INPUT = 1
    VALUE_OUTPUT = 2
    VALUE_INOUT = 3
    MEMREF_INPUT = 5
    MEMREF_OUTPUT = 6
    MEMREF_INOUT = 7


_VALUES = frozenset({ParamType.VALUE_INPUT, ParamType.VALUE_OUTPUT, ParamType.VALUE_INOUT})
_MEMREFS = frozenset({ParamType.MEMREF_INPUT, ParamType.MEMREF_OUTPUT, ParamType.MEMREF_INOUT})
_OUTPUTS = frozenset({ParamType.VALUE_OUTPUT, ParamType.VALUE_INOUT, ParamType.MEMREF_OUTPUT, ParamType.MEMREF_INOUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Param(Record):
    """One parameter.

    Attributes:
        a, b: the two 32-bit numbers of a value parameter, else 0.
        buffer: the bytes of a memref, empty for values.
        size_bytes: capacity of an output memref on the way in, at most MAX_PARAM_BYTES; on the way out the length that
            was written, or, with SHORT_BUFFER, the length needed, which may be more than there was room for.
        is_null: a memref without memory, as distinct from one of size 0. As an output it asks for the length needed.
    """

    kind: ParamType
    a: Annotated[int, UpTo(_U32)] = 0
    b: Annotated[int, UpTo(_U32)] = 0
    buffer: Annotated[bytes, AtMost(MAX_PARAM_BYTES)] = b""
    size_bytes: Annotated[int, UpTo(_U32)] = 0
    is_null: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _VALUES and (self.a or self.b):
            raise TeeError(TeeResult.BAD_PARAMETERS, "only value parameters carry numbers")
        if self.kind not in _MEMREFS and (self.buffer or self.size_bytes):
            raise TeeError(TeeResult.BAD_PARAMETERS, "only memory references carry bytes")
        if self.is_null and (self.kind not in _MEMREFS or self.buffer or self.size_bytes):
            raise TeeError(TeeResult.BAD_PARAMETERS, "only a memory reference without bytes and room is null")

    @classmethod
    def null(cls, kind: ParamType = ParamType.MEMREF_INPUT) -> Self:
        """A memory reference to nothing (TEE Client API 1.0, section 4.3.6): buffer NULL, size 0."""
        return cls(kind=kind, is_null=True)

    def check(self) -> None:
        """As `Record.check`; most parameters are as they should be."""
        fits = (
            type(self.kind) is ParamType
            and type(self.a) is int
            and 0 <= self.a <= _U32
            and type(self.b) is int
            and 0 <= self.b <= _U32
            and type(self.buffer) is bytes
            and len(self.buffer) <= MAX_PARAM_BYTES
            and type(self.size_bytes) is int
            and 0 <= self.size_bytes <= _U32
            and type(self.is_null) is bool
        )
        if not fits:
            Record.check(self)

    def check_request(self) -> None:
        """Raises TeeError BAD_FORMAT, with the field's name, for what may not be sent to an application."""
        self.check()
        self.check_room()

    def check_room(self) -> None:
        """The part of `check_request` that is not the type's: a length needed may be larger than a room may."""
        if type(self.size_bytes) is not int or not 0 <= self.size_bytes <= MAX_PARAM_BYTES:
            raise MisfitError(f"size_bytes: {_ROOM.misfit(self.size_bytes)}")

    @property
    def is_output(self) -> bool:
        """Whether the TA may change it."""
        return self.kind in _OUTPUTS

    @classmethod
    def none(cls) -> "Param":
        """The empty slot."""
        return _NOTHING

    def to_plain(self) -> list[object]:
        """As `Record.to_plain`; most parameters are empty slots."""
        return [*_NOTHING_PLAIN] if self is _NOTHING else Record.to_plain(self)

    @classmethod
    def from_plain(cls, raw: object) -> "Param":
        """As `Record.from_plain`."""
        if raw == _NOTHING_PLAIN and [*map(type, raw)] == _NOTHING_TYPES:
            return _NOTHING
        return super(Param, cls).from_plain(raw)  # noqa: UP008  # slots: a bare `super` finds another class

    @classmethod
    def value(cls, a: int, b: int = 0) -> Self:
        """Two input numbers."""
        return cls(kind=ParamType.VALUE_INPUT, a=a, b=b)

    @classmethod
    def number(cls, value: int) -> Self:
        """An output number of up to 64 bits, high word in `a`."""
        return cls(kind=ParamType.VALUE_OUTPUT, a=value >> 32, b=value & _U32)

    def as_number(self) -> int:
        """Inverse of `number`. Raises TeeError BAD_FORMAT for another kind of parameter."""
        if self.kind is not ParamType.VALUE_OUTPUT:
            raise TeeError(TeeResult.BAD_FORMAT, "parameter is not an output number")
        return self.a << 32 | self.b

    @classmethod
    def memref(cls, data: bytes) -> Self:
        """Input bytes."""
        return cls(kind=ParamType.MEMREF_INPUT, buffer=data, size_bytes=len(data))

    @classmethod
    def output(cls, capacity_bytes: int) -> Self:
        """Room for output bytes."""
        return cls(kind=ParamType.MEMREF_OUTPUT, size_bytes=capacity_bytes)

    def needing(self, size_bytes: int) -> Self:
        """The same output slot, empty, with the length that it would take. Goes with SHORT_BUFFER."""
        self._check_output_memref()
        return type(self)(kind=self.kind, size_bytes=size_bytes)

    def _check_output_memref(self) -> None:
        if not self.is_output or self.kind not in _MEMREFS:
            raise TeeError(TeeResult.BAD_PARAMETERS, "parameter is not an output buffer")

    def filled(self, data: bytes) -> Self:
        """The same output slot with `data` in it; see `fill`, which also says how much room was needed.

        Raises TeeError SHORT_BUFFER when it does not fit.
        """
        self._check_output_memref()
        if len(data) > self.size_bytes:
            raise TeeError(TeeResult.SHORT_BUFFER, f"output needs {len(data)} bytes")
        return type(self)(kind=self.kind, buffer=data, size_bytes=len(data))


_NOTHING = Param(kind=ParamType.NONE)
_NOTHING_PLAIN: list[object] = [0, 0, 0, b"", 0, False]
_NOTHING_TYPES = [*map(type, _NOTHING_PLAIN)]

Params = tuple[Param, Param, Param, Param]


def operation(first: Param | None = None, second: Param | None = None) -> Params:
    """Fill up to the four parameters that every operation has."""
    return (first or Param.none(), second or Param.none(), Param.none(), Param.none())


NO_PARAMS: Params = operation()


def replaced(params: Params, index: int, param: Param) -> Params:
    """The four parameters with another one at `index`."""
    first, second, third, fourth = (param if place == index else given for place, given in enumerate(params))
    return (first, second, third, fourth)


def fill(params: Params, index: int, data: bytes) -> Params:
    """The four parameters with `data` in output `index`: what an application answers with.

    Raises:
        TeeError: SHORT_BUFFER when it does not fit, with the length needed in that parameter's `size_bytes`.
    """
    slot = params[index]
    if len(data) > slot.size_bytes:
        raise short_buffer(params, index, len(data))
    return replaced(params, index, slot.filled(data))


def short_buffer(params: Params, index: int, size_bytes: int) -> TeeError:
    """SHORT_BUFFER of an application: output `index` needs `size_bytes`."""
    left = replaced(params, index, params[index].needing(size_bytes))
    return TeeError(TeeResult.SHORT_BUFFER, f"output needs {size_bytes} bytes", origin=Origin.TRUSTED_APP, params=left)
