"""Persistent objects, their enumerators and their data (sections 5.7 to 5.9)."""

from typing import Final

from tee_sim.gp_api.instance import Instance
from tee_sim.gp_api.objects import info_words
from tee_sim.gp_api.words import Handler, data, data_or_null, handle, i64, u32, u64
from tee_sim.gp_objects.constants import MAX_DATA_BYTES, MAX_POSITION, Flag, Whence
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function

STORAGES: Final = frozenset({0x1, 0x80000000, 0x80000100})
"""TEE_STORAGE_PRIVATE, and two names of no specification that applications have for it. They name one storage."""
MAX_ENUMERATORS: Final = 16
"""At once, of one instance."""
READ_BYTES: Final = 512 << 10
"""Of one answer; the runtime asks again until it has all."""


def _known(storage: int) -> None:
    if storage not in STORAGES:
        raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such storage")


def _room_for(size_bytes: int) -> None:
    """What cannot be stored is refused by its size: it need not come here."""
    if size_bytes > MAX_DATA_BYTES:
        raise TeeError(TeeResult.STORAGE_NO_SPACE, f"more than {MAX_DATA_BYTES} bytes")


def handlers(instance: Instance) -> dict[Function, Handler]:
    """Of these sections."""
    return _objects(instance) | _enumerators(instance) | _data(instance)


def _objects(instance: Instance) -> dict[Function, Handler]:
    objects = instance.objects

    def open_object(storage: int, object_id: bytes, flags: int) -> list[object]:
        _known(storage)
        return [objects.open(object_id, Flag(flags))]

    def create(
        storage: int, object_id: bytes, flags: int, attributes: int, initial: bytes | None, size_bytes: int
    ) -> list[object]:
        _known(storage)
        _room_for(size_bytes)
        stream = bytes(size_bytes) if initial is None else initial
        return [objects.create(object_id, Flag(flags), stream, attributes)]

    def close_and_delete(number: int) -> list[object]:
        objects.close_and_delete(number)
        return []

    def close_and_delete_of_1_0(number: int) -> list[object]:
        try:
            return close_and_delete(number)
        except TeeError as error:
            if error.result is not TeeResult.STORAGE_NOT_AVAILABLE:
                raise
            return []

    def rename(number: int, new_id: bytes) -> list[object]:
        objects.rename(number, new_id)
        return []

    return {
        Function.OPEN_PERSISTENT_OBJECT: Handler(open_object, (u32, data, u32)),
        Function.CREATE_PERSISTENT_OBJECT: Handler(create, (u32, data, u32, handle, data_or_null, u64)),
        Function.CLOSE_AND_DELETE_PERSISTENT_OBJECT1: Handler(close_and_delete, (handle,)),
        Function.CLOSE_AND_DELETE_PERSISTENT_OBJECT: Handler(close_and_delete_of_1_0, (handle,)),
        Function.RENAME_PERSISTENT_OBJECT: Handler(rename, (handle, data)),
    }


def _enumerators(instance: Instance) -> dict[Function, Handler]:
    enumerators = instance.enumerators

    def allocate() -> list[object]:
        if len(enumerators) >= MAX_ENUMERATORS:
            raise TeeError(TeeResult.OUT_OF_MEMORY, f"{MAX_ENUMERATORS} enumerators are allocated")
        return [enumerators.allocate()]

    def free(number: int) -> list[object]:
        enumerators.free(number)
        return []

    def reset(number: int) -> list[object]:
        enumerators.reset(number)
        return []

    def start(number: int, storage: int) -> list[object]:
        _known(storage)
        enumerators.start(number)
        return []

    def get_next(number: int) -> list[object]:
        object_id, info = enumerators.get_next(number)
        return [*info_words(info), object_id]

    return {
        Function.ALLOCATE_PERSISTENT_OBJECT_ENUMERATOR: Handler(allocate),
        Function.FREE_PERSISTENT_OBJECT_ENUMERATOR: Handler(free, (handle,)),
        Function.RESET_PERSISTENT_OBJECT_ENUMERATOR: Handler(reset, (handle,)),
        Function.START_PERSISTENT_OBJECT_ENUMERATOR: Handler(start, (handle, u32)),
        Function.GET_NEXT_PERSISTENT_OBJECT: Handler(get_next, (handle,)),
    }


def _data(instance: Instance) -> dict[Function, Handler]:
    objects = instance.objects

    def read(number: int, size_bytes: int) -> list[object]:
        return [objects.read(number, min(size_bytes, READ_BYTES))]

    def write(number: int, stream: bytes, size_bytes: int) -> list[object]:
        """`size_bytes` of all that is to be written: what is more than an object holds need not come here."""
        objects.write(number, stream, size_bytes)
        return []

    def truncate(number: int, size_bytes: int) -> list[object]:
        objects.truncate(number, min(size_bytes, MAX_POSITION))
        return []

    def seek(number: int, offset: int, whence: int) -> list[object]:
        known = Whence(whence) if whence in Whence.__members__.values() else whence
        objects.seek(number, offset, known)  # type: ignore[arg-type]  # another one panics there
        return []

    return {
        Function.READ_OBJECT_DATA: Handler(read, (handle, u64)),
        Function.WRITE_OBJECT_DATA: Handler(write, (handle, data, u64)),
        Function.TRUNCATE_OBJECT_DATA: Handler(truncate, (handle, u64)),
        Function.SEEK_OBJECT_DATA: Handler(seek, (handle, i64, u32)),
    }
