"""Read the four parameters of an operation from words, and write what came back.

value:1,2        two input numbers (decimal or 0x), the second 0 if left out
value-out        two output numbers
value-inout:1,2  both
hex:00ff         input bytes
text:hello       input bytes, UTF-8
file:NAME        input bytes from a file
out:64           room for 64 output bytes
inout:hex:00ff   bytes that the application may change, likewise text: and file:
none             nothing, which is also what parameters left out are
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tee_sim.cli.refusal import refused
from tee_sim.shared import manifest_values
from tee_sim.shared.errors import TeeError
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.params import Param, Params, ParamType

_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,8}|[0-9]{1,10}")
WORDS = "none, value:A[,B], value-out, value-inout:A[,B], hex:, text:, file:, out:SIZE, inout:hex:"


def _refused(word: str, why: str) -> TeeError:
    hint = f"a parameter is one of: {WORDS}"
    return refused(f"parameter {manifest_values.shown(word)}: {why}", hint)


def _numbers(text: str) -> tuple[int, int]:
    parts = text.split(",")
    if len(parts) > 2 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise ValueError("expected one or two numbers")
    numbers = [int(part, 0 if part.startswith("0x") else 10) for part in parts]
    if max(numbers) > 0xFFFF_FFFF:
        raise ValueError("a number has 32 bits")
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


def decimal(text: str) -> int | None:
    """A decimal number of at most 19 digits; None for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,19}", text) else None


def _file(name: str) -> bytes:
    with Path(name).open("rb") as file:
        return file.read(MAX_PARAM_BYTES + 1)


def _reader(kind: str) -> Callable[[str], Param]:
    return lambda text: Param.memref(_bytes(f"{kind}:{text}"))


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError("expected hexadecimal digits, two for each byte") from None


def _text(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError("expected UTF-8") from None


_BYTES: dict[str, Callable[[str], bytes]] = {"hex": _hex, "text": _text, "file": _file}


def _bytes(text: str) -> bytes:
    kind, _, rest = text.partition(":")
    if kind not in _BYTES:
        raise ValueError("expected hex:, text: or file:")
    data = _BYTES[kind](rest)
    if len(data) > MAX_PARAM_BYTES:
        raise ValueError(f"larger than {MAX_PARAM_BYTES} bytes")
    return data


def _room(text: str) -> int:
    size_bytes = decimal(text)
    if size_bytes is None or size_bytes > MAX_PARAM_BYTES:
        raise ValueError(f"expected a size from 0 to {MAX_PARAM_BYTES}")
    return size_bytes


def _inout(text: str) -> Param:
    data = _bytes(text)
    return Param(kind=ParamType.MEMREF_INOUT, buffer=data, size_bytes=len(data))


def _values(kind: ParamType, text: str) -> Param:
    a, b = _numbers(text)
    return Param(kind=kind, a=a, b=b)


_READERS: dict[str, Callable[[str], Param]] = {
    "value": lambda text: _values(ParamType.VALUE_INPUT, text),
    "value-inout": lambda text: _values(ParamType.VALUE_INOUT, text),
    "out": lambda text: Param.output(_room(text)),
    "inout": _inout,
    **{kind: _reader(kind) for kind in _BYTES},
}
_BARE: dict[str, Callable[[], Param]] = {"none": Param.none, "value-out": lambda: Param.number(0)}


def parameter(word: str) -> Param:
    """One parameter. Raises TeeError BAD_PARAMETERS, with the word."""
    if word in _BARE:
        return _BARE[word]()
    kind, colon, rest = word.partition(":")
    if not colon or kind not in _READERS:
        raise _refused(word, "no such kind")
    try:
        return _READERS[kind](rest)
    except OSError as error:
        raise _refused(word, error.strerror or "cannot be read") from None
    except ValueError as error:
        raise _refused(word, str(error)) from None


def parameters(words: Sequence[str]) -> Params:
    """All four. Raises TeeError BAD_PARAMETERS, with the word or the count."""
    if len(words) > 4:
        raise _refused(" ".join(words), f"{len(words)} are given, an operation has four")
    four = [parameter(word) for word in words]
    four += [Param.none()] * (4 - len(four))
    return (four[0], four[1], four[2], four[3])


def shown_bytes(data: bytes) -> str:
    """Bytes in hex, and as text where they are text."""
    text = data.decode("ascii", "replace")
    legible = f"  {text!r}" if data and text.isascii() and text.isprintable() else ""
    return f"{data.hex()}{legible}"


def shown(params: Sequence[Any]) -> list[str]:
    """What came back, a line each."""
    lines = []
    for index, param in enumerate(params):
        if param.kind in (ParamType.VALUE_OUTPUT, ParamType.VALUE_INOUT):
            lines.append(f"p{index} = {param.a}, {param.b}")
        elif param.kind in (ParamType.MEMREF_OUTPUT, ParamType.MEMREF_INOUT):
            lines.append(f"p{index} = {param.size_bytes} bytes {shown_bytes(param.buffer)}".rstrip())
    return lines
