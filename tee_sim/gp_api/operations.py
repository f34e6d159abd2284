"""TEE_AllocateOperation and the other generic functions of operations (TEE Internal Core API 1.3.1, section 6.2)."""

from typing import Final

from tee_sim.gp_api.algorithm import Kind, Mode
from tee_sim.gp_api.algorithms import ALGORITHMS
from tee_sim.gp_api.operation import Operation, State, allow
from tee_sim.gp_api.words import ShortBufferError, breach_unless
from tee_sim.gp_objects.key_types import Attribute
from tee_sim.gp_objects.keys import Key
from tee_sim.gp_objects.objects import GpObjects
from tee_sim.gp_objects.panics import BreachError
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function

MAX_OPERATIONS: Final = 64
"""Of one instance at once; the applications that we know of have four."""

_INFO_BYTES: Final = 32
"""Of TEE_OperationInfoMultiple before its keys: eight numbers of 32 bits."""
_INFO_KEY_BYTES: Final = 8
"""Of TEE_OperationInfoKey: two numbers of 32 bits."""

KEY_SET: Final = 0x40000
"""TEE_HANDLE_FLAG_KEY_SET, and those that follow."""
INITIALIZED: Final = 0x20000
EXPECT_TWO_KEYS: Final = 0x80000
EXTRACTING: Final = 0x100000


class Operations:
    """The operations of one instance. Handle 0 is TEE_HANDLE_NULL; numbers are never used twice.

    Each method raises TeeError with a result its function may return, or BreachError for a panic.

    Args:
        objects: of the instance, which its keys come from.
    """

    def __init__(self, objects: GpObjects) -> None:
        self._objects = objects
        self._operations: dict[int, Operation] = {}
        self._next = 1

    def enter(self, function: Function, handle: int) -> Operation:
        """The operation of a call. Panics unless the call is allowed in its state."""
        operation = self._known(handle)
        allow(function, operation)
        return operation

    def allocate(self, number: int, mode: int, max_bits: int) -> list[object]:
        """6.2.1. Raises TeeError NOT_SUPPORTED for an algorithm, its mode or its size; OUT_OF_MEMORY."""
        algorithm = ALGORITHMS.get(number)
        if algorithm is None or not algorithm.has_mode(mode) or not algorithm.takes_size(Mode(mode), max_bits):
            raise TeeError(TeeResult.NOT_SUPPORTED, "no such algorithm, or not with this mode or size")
        if len(self._operations) >= MAX_OPERATIONS:
            raise TeeError(TeeResult.OUT_OF_MEMORY, f"{MAX_OPERATIONS} operations are allocated")
        handle, self._next = self._next, self._next + 1
        self._operations[handle] = Operation(algorithm, Mode(mode), max_bits)
        return [handle]

    def free(self, handle: int) -> list[object]:
        """6.2.2. Handle 0 is left alone."""
        if handle:
            self._known(handle)
            del self._operations[handle]
        return []

    def info(self, handle: int) -> list[object]:
        """6.2.3: the members of TEE_OperationInfo in their order."""
        operation = self._known(handle)
        one = len(operation.keys) == 1 and not operation.algorithm.two_keys
        return [
            *_head(operation),
            operation.max_bits,
            operation.keys[0].size_bits if one else 0,
            0 if operation.algorithm.two_keys else _usage(operation),
            _flags(operation),
        ]

    def info_multiple(self, handle: int, room_bytes: int) -> list[object]:
        """6.2.4: the members of TEE_OperationInfoMultiple, then size and usage of each key."""
        operation = self._known(handle)
        count = _key_count(operation)
        needed = _INFO_BYTES + count * _INFO_KEY_BYTES
        if room_bytes < needed:
            raise ShortBufferError(needed)
        sizes = [key.size_bits for key in operation.keys] or [0] * count
        return [
            *_head(operation),
            operation.max_bits,
            _flags(operation),
            operation.state.number,
            [[size, _usage(operation)] for size in sizes],
        ]

    def reset(self, handle: int) -> list[object]:
        """6.2.5: what was begun is given up, keys stay."""
        operation = self._known(handle)
        breach_unless(operation.has_key, "the operation has no key")
        operation.end()
        return []

    def set_key(self, handle: int, key: int) -> list[object]:
        """6.2.6; key 0 takes the key away. Raises TeeError CORRUPT_OBJECT and its like for a stored key."""
        operation = self._keyless(handle, keys=1)
        operation.keys = (self._fit(operation, key),) if key else ()
        return []

    def set_key2(self, handle: int, first: int, second: int) -> list[object]:
        """6.2.7; two zeros take the keys away. Raises TeeError SECURITY for one key given twice."""
        operation = self._keyless(handle, keys=2)
        breach_unless(bool(first) == bool(second), "one key of two")
        if first and first == second:
            raise TeeError(TeeResult.SECURITY, "the two keys are one")
        keys = (self._fit(operation, first), self._fit_second(operation, second)) if first else ()
        breach_unless(len({key.size_bits for key in keys}) < 2, "keys of two sizes")
        operation.keys = keys
        return []

    def copy(self, destination: int, source: int) -> list[object]:
        """6.2.8."""
        to, by = self._known(destination), self._known(source)
        breach_unless(to.algorithm is by.algorithm and to.mode is by.mode, "operations that differ")
        room_bits = to.algorithm.room_bits(to.mode, to.max_bits)
        breach_unless(all(key.size_bits <= room_bits for key in by.keys), "a key that is too large for it")
        to.keys, to.state, to.tag_bytes = by.keys, by.state, by.tag_bytes
        to.work = None if by.work is None else by.work.copy()
        return []

    def is_supported(self, number: int, element: int) -> list[object]:
        """6.2.9. Raises TeeError NOT_SUPPORTED."""
        algorithm = ALGORITHMS.get(number)
        if algorithm is None or element not in algorithm.elements:
            raise TeeError(TeeResult.NOT_SUPPORTED, "no such algorithm, or not with this element")
        return []

    def _known(self, handle: int) -> Operation:
        operation = self._operations.get(handle)
        if operation is None:
            raise BreachError("no such operation")
        return operation

    def _keyless(self, handle: int, *, keys: int) -> Operation:
        """An operation whose keys may be set now, all of them."""
        operation = self._known(handle)
        breach_unless(_key_count(operation) == keys, f"the operation does not take {keys} keys")
        breach_unless(operation.state is State.INITIAL, f"the operation is {operation.state.value}")
        return operation

    def _fit(self, operation: Operation, handle: int) -> Key:
        """The key of an object, if the operation may use it."""
        key, usage = self._objects.initialized(handle)
        rules = operation.algorithm.keys[operation.mode]
        if key is None or key.object_type not in rules.types:
            raise BreachError("an object of another type")
        breach_unless(usage & rules.usage == rules.usage, "a key whose usage forbids it")
        breach_unless(
            key.size_bits <= operation.algorithm.room_bits(operation.mode, operation.max_bits),
            "a key that is too large",
        )
        curve = key.get(Attribute.ECC_CURVE)
        breach_unless(curve is None or curve.a in operation.algorithm.curves, "a key of another curve")
        return key

    def _fit_second(self, operation: Operation, handle: int) -> Key:
        try:
            return self._fit(operation, handle)
        except TeeError as error:
            raise TeeError(_OF_THE_SECOND.get(error.result, error.result), error.message) from error


_OF_THE_SECOND: Final = {
    TeeResult.CORRUPT_OBJECT: TeeResult.CORRUPT_OBJECT_2,
    TeeResult.STORAGE_NOT_AVAILABLE: TeeResult.STORAGE_NOT_AVAILABLE_2,
}


def _head(operation: Operation) -> list[object]:
    """Algorithm, class, mode, and the length of hash, MAC or tag in bytes."""
    algorithm = operation.algorithm
    length = operation.tag_bytes if algorithm.kind is Kind.AE else algorithm.digest_bytes
    says = algorithm.kind in (Kind.MAC, Kind.AE, Kind.DIGEST)
    return [algorithm.number, int(algorithm.kind), int(operation.mode), length if says else 0]


def _key_count(operation: Operation) -> int:
    if not operation.algorithm.keys:
        return 0
    return 2 if operation.algorithm.two_keys else 1


def _usage(operation: Operation) -> int:
    rules = operation.algorithm.keys.get(operation.mode)
    return 0 if rules is None else int(rules.usage)


def _flags(operation: Operation) -> int:
    """handleState. A digest is always initialized and has its key, as version 1.1 says."""
    digest = operation.algorithm.kind is Kind.DIGEST
    return (
        (KEY_SET if operation.has_key else 0)
        | (INITIALIZED if digest or operation.state is not State.INITIAL else 0)
        | (EXPECT_TWO_KEYS if operation.algorithm.two_keys else 0)
        | (EXTRACTING if operation.state is State.EXTRACTING else 0)
    )
