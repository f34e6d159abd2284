"""The four messages of one invocation of an application in a process of its own, read and written in one pass each.

Promises: what is read here is what `tee_sim.shared.wire` and `tee_sim.secure.hosts.messages` read of the same bytes,
and what is written here are the bytes that they write (tests/tee_sim/hosts/test_invocations.py). Whatever has not the
form of almost every invocation, or is wrong, is None: the general way reads it, or says what is wrong.
"""

from typing import Final

from tee_sim.secure.hosts import messages
from tee_sim.shared import wire
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_FRAME_BYTES, MAX_PARAM_BYTES
from tee_sim.shared.login import PUBLIC
from tee_sim.shared.params import NO_PARAMS, Param, Params, ParamType
from tee_sim.shared.task import Task

_UNSIGNED, _BYTES, _ARRAY = 0, 2 << 5, 4 << 5
_FALSE, _TRUE = 0xF4, 0xF5
_LEAST_LONG: Final = 24
"""The first number that does not stand in the head of an item (RFC 8949 section 3)."""
_LONG: Final = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16)}
"""Additional information: bytes of the argument, and the least value that needs as many (RFC 8949 section 4.2.1)."""
_SHORT: Final = {number: bytes((number,)) for number in range(_LEAST_LONG)}
_EMPTY: Final = bytes((_BYTES,))
_BOOL: Final = (bytes((_FALSE,)), bytes((_TRUE,)))
_KINDS: Final = tuple(ParamType(number) if number in [*ParamType] else None for number in range(_LEAST_LONG))
_FOUR: Final = bytes((_ARRAY | 4,))
_PARAM: Final = _ARRAY | 6
_PARAM_HEADS: Final = tuple(bytes((_PARAM, number)) for number in range(_LEAST_LONG))
_NOTHING: Final = bytes((_PARAM, ParamType.NONE, 0, 0, _BYTES, 0, _FALSE))


def _begins(frame: bytes) -> bytes:
    """Array and tag of a message."""
    return frame[wire.HEAD_BYTES : wire.HEAD_BYTES + 2]


_INVOKE: Final = _begins(wire.pack(wire.Invoke(session=0, command=0, params=NO_PARAMS)))
_RETURN: Final = _begins(wire.pack(wire.Return(result=TeeResult.SUCCESS, origin=Origin.TEE)))
_RUN: Final = _begins(
    messages.pack(messages.Run(instance=0, context=0, task=Task(client=PUBLIC), command=0, params=NO_PARAMS))
)
_HOST_RETURN: Final = _begins(messages.pack(messages.HostReturn()))
_NO_LAYOUTS: Final = _ARRAY
_UUID_BYTES: Final = 16
_TASK: Final = bytes((_ARRAY | 2, _ARRAY | 2))
_UUID: Final = bytes((_BYTES | _UUID_BYTES,))


def read_invoke(body: bytes) -> wire.Invoke | None:
    """As `tee_sim.shared.wire.unpack`."""
    if not body.startswith(_INVOKE) or len(body) > MAX_FRAME_BYTES:
        return None
    try:
        session, at = _number(body, 2, _UNSIGNED)
        command, at = _number(body, at, _UNSIGNED)
        params, at = _read_params(body, at)
        if at + 1 != len(body):
            return None
        return wire.Invoke(session=session, command=command, params=params, cancellable=_truth(body[at]))
    except (LookupError, ValueError, TeeError):
        return None


def read_host_return(body: bytes) -> messages.HostReturn | None:
    """As `tee_sim.secure.hosts.messages.unpack`."""
    if not body.startswith(_HOST_RETURN) or len(body) > MAX_FRAME_BYTES:
        return None
    try:
        context, at = _number(body, 2, _UNSIGNED)
        params, at = _read_params(body, at)
        if at + 1 != len(body) or body[at] != _NO_LAYOUTS:
            return None
        return messages.HostReturn(context=context, params=params)
    except (LookupError, ValueError, TeeError):
        return None


def write_run(instance: int, context: int, task: Task, command: int, params: Params) -> bytes | None:
    """As `tee_sim.secure.hosts.messages.pack` of a `Run`; of parameters that `tee_sim.secure.answers.four` has seen."""
    client = task.client
    if len(client.uuid) != _UUID_BYTES:
        return None
    try:
        parts = [_RUN, _written(instance), _written(context), _TASK, _written(client.login), _UUID, client.uuid,
                 _BOOL[task.cancellable], _written(command)]  # fmt: skip
        return _framed(parts, params)
    except (LookupError, ValueError, OverflowError):
        return None


def write_return(answer: wire.Return) -> bytes | None:
    """As `tee_sim.shared.wire.pack`; of parameters that `tee_sim.secure.answers.outputs` has seen."""
    if len(answer.params) != 4:
        return None
    try:
        parts = [_RETURN, _written(answer.result), _written(answer.origin), _written(answer.session)]
        return _framed(parts, answer.params, _written(answer.host_end) + _written(answer.bits))
    except (LookupError, ValueError, OverflowError):
        return None


def _number(data: bytes, at: int, major: int) -> tuple[int, int]:
    """A number or a length of 32 bits at most, in its shortest form, and the position after it."""
    short = data[at] - major
    if 0 <= short < _LEAST_LONG:
        return short, at + 1
    width, least = _LONG[short]
    end = at + 1 + width
    number = int.from_bytes(data[at + 1 : end], "big")
    if end > len(data) or number < least:
        raise ValueError
    return number, end


def _truth(head: int) -> bool:
    if head not in (_FALSE, _TRUE):
        raise ValueError
    return head == _TRUE


def _read_params(data: bytes, at: int) -> tuple[Params, int]:
    if data[at] != _FOUR[0]:
        raise ValueError
    first, at = _read_param(data, at + 1)
    second, at = _read_param(data, at)
    third, at = _read_param(data, at)
    fourth, at = _read_param(data, at)
    return (first, second, third, fourth), at


def _read_param(data: bytes, at: int) -> tuple[Param, int]:
    if data.startswith(_NOTHING, at):
        return Param.none(), at + len(_NOTHING)
    kind = _KINDS[data[at + 1]]
    if data[at] != _PARAM or kind is None:
        raise ValueError
    a, b = data[at + 2], data[at + 3]
    at += 4
    if a >= _LEAST_LONG or b >= _LEAST_LONG:
        a, at = _number(data, at - 2, _UNSIGNED)
        b, at = _number(data, at, _UNSIGNED)
    length, at = _number(data, at, _BYTES)
    end = at + length
    size_bytes, after = _number(data, end, _UNSIGNED)  # so that the bytes are all there
    if length > MAX_PARAM_BYTES:
        raise ValueError
    is_null = _truth(data[after])
    return Param(kind=kind, a=a, b=b, buffer=data[at:end], size_bytes=size_bytes, is_null=is_null), after + 1


def _written(number: int, major: int = _UNSIGNED) -> bytes:
    if number < _LEAST_LONG:
        return _SHORT[number] if major == _UNSIGNED else bytes((major | number,))
    short = 24 if number < 1 << 8 else 25 if number < 1 << 16 else 26
    return bytes((major | short,)) + number.to_bytes(_LONG[short][0], "big")


def _framed(parts: list[bytes], params: tuple[Param, ...], ends: bytes = b"") -> bytes | None:
    """None for what would be longer than a frame, of which the general way says so."""
    parts.append(_FOUR)
    for param in params:
        if param is NO_PARAMS[0]:
            parts.append(_NOTHING)
            continue
        buffer = param.buffer
        parts += (
            _PARAM_HEADS[param.kind],
            _SHORT.get(param.a) or _written(param.a),
            _SHORT.get(param.b) or _written(param.b),
            _written(len(buffer), _BYTES) if buffer else _EMPTY,
            buffer,
            _SHORT.get(param.size_bytes) or _written(param.size_bytes),
            _BOOL[param.is_null],
        )
    parts.append(ends)
    body = b"".join(parts)
    return wire.framed(body) if len(body) <= MAX_FRAME_BYTES else None
