"""What each function may return, and the panic for everything else.

Lists: TEE Internal Core API 1.3.1, sections 5.5 to 5.9, as OP-TEE's libutee applies them. A panic is no `TeeError`, so
the core ends the instance and its sessions answer TARGET_DEAD.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from tee_sim.shared.errors import TeeError, TeeResult

_R = TeeResult
_DAMAGE = frozenset({_R.CORRUPT_OBJECT, _R.STORAGE_NOT_AVAILABLE})
_OPEN = _DAMAGE | {_R.ITEM_NOT_FOUND, _R.ACCESS_CONFLICT, _R.OUT_OF_MEMORY}


class Function(Enum):
    """Function, its panic id (annex of the specification) and the results a caller may see."""

    CLOSE = (0x701, frozenset[TeeResult]())
    GET_BUFFER_ATTRIBUTE = (0x702, _DAMAGE | {_R.ITEM_NOT_FOUND})
    GET_VALUE_ATTRIBUTE = (0x704, _DAMAGE | {_R.ITEM_NOT_FOUND})
    GET_INFO = (0x706, _DAMAGE)
    RESTRICT_USAGE = (0x707, _DAMAGE)
    ALLOCATE_TRANSIENT = (0x801, frozenset({_R.OUT_OF_MEMORY, _R.NOT_SUPPORTED}))
    FREE_TRANSIENT = (0x803, frozenset[TeeResult]())
    GENERATE_KEY = (0x804, frozenset({_R.BAD_PARAMETERS}))
    INIT_REFERENCE = (0x805, frozenset[TeeResult]())
    INIT_VALUE = (0x806, frozenset[TeeResult]())
    POPULATE = (0x807, frozenset({_R.BAD_PARAMETERS}))
    RESET_TRANSIENT = (0x808, frozenset[TeeResult]())
    COPY_ATTRIBUTES = (0x809, _DAMAGE)
    CREATE = (0x902, _OPEN | {_R.STORAGE_NO_SPACE})
    OPEN = (0x903, _OPEN)
    RENAME = (0x904, _DAMAGE | {_R.ACCESS_CONFLICT})
    CLOSE_AND_DELETE = (0x905, frozenset({_R.STORAGE_NOT_AVAILABLE}))
    FREE_ENUMERATOR = (0xA02, frozenset[TeeResult]())
    GET_NEXT = (0xA03, _DAMAGE | {_R.ITEM_NOT_FOUND})
    RESET_ENUMERATOR = (0xA04, frozenset[TeeResult]())
    START_ENUMERATOR = (0xA05, _DAMAGE | {_R.ITEM_NOT_FOUND})
    READ = (0xB01, _DAMAGE)
    SEEK = (0xB02, _DAMAGE | {_R.OVERFLOW})
    TRUNCATE = (0xB03, _DAMAGE | {_R.STORAGE_NO_SPACE})
    WRITE = (0xB04, _DAMAGE | {_R.STORAGE_NO_SPACE, _R.OVERFLOW})

    def __init__(self, panic_id: int, allowed: frozenset[TeeResult]) -> None:
        self.panic_id = panic_id
        self.allowed = allowed


class TaPanic(Exception):
    """TEE_Panic: the calling instance must not go on.

    Args:
        function: who panicked.
        result: why.
    """

    def __init__(self, function: Function, result: TeeResult) -> None:
        super().__init__(f"panic 0x{function.panic_id:x} in {function.name.lower()}: {result.name}")
        self.panic_id = function.panic_id
        self.result = result


class BreachError(Exception):
    """A programming mistake that is a panic, also where the function may return BAD_PARAMETERS for other reasons."""


@contextmanager
def guard(function: Function) -> Iterator[None]:
    """Let pass what the function may return; turn any other `TeeError`, and every breach, into a panic."""
    try:
        yield
    except TeeError as error:
        if error.result in function.allowed:
            raise
        raise TaPanic(function, error.result) from error
    except BreachError as error:
        raise TaPanic(function, TeeResult.BAD_PARAMETERS) from error
