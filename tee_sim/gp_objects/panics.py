"""The panic for every result that a function may not return (`tee_sim.shared.gp_functions`).

A panic is no `TeeError`, so the core ends the instance and its sessions answer TARGET_DEAD.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function


class TaPanic(Exception):
    """TEE_Panic: the calling instance must not go on.

    Args:
        function: who panicked.
        result: why.
    """

    def __init__(self, function: Function, result: TeeResult) -> None:
        super().__init__(f"panic 0x{function.number:x} in {function.c_name}: {result.name}")
        self.function = function
        self.result = result


class BreachError(Exception):
    """A programming mistake that is a panic, also where the function may return BAD_PARAMETERS for other reasons."""


_UNWRITABLE = frozenset({TeeResult.STORAGE_READ_ONLY, TeeResult.STORAGE_COUNTER_SPENT})
"""Our own results of a store that cannot be written. GlobalPlatform has one word for them, and no application should
end for it."""


@contextmanager
def guard(function: Function) -> Iterator[None]:
    """Let pass what the function may return; turn any other `TeeError`, and every breach, into a panic."""
    try:
        yield
    except TeeError as error:
        if function.may_return(error.result):
            raise
        if error.result in _UNWRITABLE and function.may_return(TeeResult.STORAGE_NOT_AVAILABLE):
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, error.message) from error
        raise TaPanic(function, error.result) from error
    except BreachError as error:
        raise TaPanic(function, TeeResult.BAD_PARAMETERS) from error
