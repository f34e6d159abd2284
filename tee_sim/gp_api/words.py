"""What the words of a question may be: one `Shape` for each argument of a function, checked before anything is done.

The words are the host's, which is hostile by assumption. A word of another type, or outside its bounds, is no word that
our own runtime sends, whatever the application does: it ends the host (`NoFrameError`). What an application may get
wrong is no matter of shapes, but of the function, which refuses or panics.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from tee_sim.gp_objects.panics import BreachError
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_FRAME_BYTES, U64_MAX

MAX_ATTRIBUTES: Final = 32
"""Of one call: the type with most takes eight; what an application gives beyond it is refused by its type's rules."""

Shape = Callable[[object], bool]
"""Whether a word fits."""


def _number(lowest: int, highest: int) -> Shape:
    return lambda word: type(word) is int and lowest <= word <= highest


u32: Shape = _number(0, 0xFFFF_FFFF)
u64: Shape = _number(0, U64_MAX)
handle: Shape = u64
"""0 is TEE_HANDLE_NULL."""
i32: Shape = _number(-(1 << 31), (1 << 31) - 1)
i64: Shape = _number(-(1 << 63), (1 << 63) - 1)


def boolean(word: object) -> bool:
    """A bool."""
    return type(word) is bool


def data(word: object) -> bool:
    """Bytes."""
    return type(word) is bytes and len(word) <= MAX_FRAME_BYTES


def data_or_null(word: object) -> bool:
    """Bytes, or null for NULL."""
    return word is None or data(word)


def room(word: object) -> bool:
    """The size of an output buffer, or null for NULL."""
    return word is None or u64(word)


def uuid(word: object) -> bool:
    """16 bytes in the order of RFC 4122."""
    return type(word) is bytes and len(word) == 16


def attributes(word: object) -> bool:
    """An array of TEE_Attribute: `[id, bytes]` or `[id, a, b]`."""
    return type(word) is list and len(word) <= MAX_ATTRIBUTES and all(map(_attribute, word))


def _attribute(word: object) -> bool:
    match word:
        case [number, bytes()]:
            return u32(number)
        case [number, a, b]:
            return u32(number) and u32(a) and u32(b)
    return False


@dataclass(frozen=True, slots=True)
class Handler:
    """How the core works on one function.

    Attributes:
        run: takes the words, returns the outputs. Raises TeeError, BreachError (a panic) or TaPanic.
        shapes: of the words, in the order of the C prototype.
    """

    run: Callable[..., Sequence[object]]
    shapes: tuple[Shape, ...] = ()

    def takes(self, words: Sequence[object]) -> bool:
        """Whether the words fit."""
        return len(words) == len(self.shapes) and all(map(_fits, self.shapes, words))


def _fits(shape: Shape, word: object) -> bool:
    return shape(word)


class RefusalError(TeeError):
    """A result that comes with outputs nevertheless."""

    def __init__(self, result: TeeResult, *outputs: object) -> None:
        super().__init__(result, "a result with outputs")
        self.outputs = outputs


class ShortBufferError(RefusalError):
    """SHORT_BUFFER: what stands in the outputs are the sizes that are needed."""

    def __init__(self, *needed: object) -> None:
        super().__init__(TeeResult.SHORT_BUFFER, *needed)


def fitted(output: bytes, room_bytes: int | None) -> bytes:
    """What goes into an output buffer. Raises ShortBufferError; NULL has no room."""
    if len(output) > (room_bytes or 0):
        raise ShortBufferError(len(output))
    return output


def breach_unless(holds: Any, why: str) -> None:
    """A panic of the function, unless it holds. Raises BreachError."""
    if not holds:
        raise BreachError(why)
