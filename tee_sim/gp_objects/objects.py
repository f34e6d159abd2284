"""TEE_CreatePersistentObject and the rest of sections 5.5, 5.7 and 5.9 of the Internal Core API.

Every change is one transaction of the store, so it happened or it did not. Every call reads the object again and
authenticates it; the cost of a call is that of the whole object.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tee_sim.gp_objects.constants import (
    ALL_USAGES,
    HANDLE_FLAGS,
    MAX_DATA_BYTES,
    MAX_POSITION,
    Flag,
    ObjectInfo,
    Whence,
)
from tee_sim.gp_objects.handles import NO_RIGHT, Handle, HandleTable, OpenObjects, may_share
from tee_sim.gp_objects.keys import Key
from tee_sim.gp_objects.names import StoredBody, check_id, store_id
from tee_sim.gp_objects.panics import guard
from tee_sim.gp_objects.transient import TransientObjects
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.limits import MAX_BODY_BYTES
from tee_sim.shared.rng import OsRng, Rng
from tee_sim.shared.ta_api import Store, Transaction

_ACCESS = Flag.ACCESS_READ | Flag.ACCESS_WRITE | Flag.ACCESS_WRITE_META | Flag.SHARE_READ | Flag.SHARE_WRITE


class GpObjects(TransientObjects):
    """Persistent and transient objects of one TA instance. Handle 0 is TEE_HANDLE_NULL.

    Each method raises TeeError with a result its `Function` allows, or TaPanic.

    Args:
        store: the TA's own.
        rng: what generated secrets are made of; an application gives its `env.rng`.
        shared: what the instances of one application have open, if there may be several.
        keeps_corrupt: whether a handle stays open when its object turns out to be corrupt
            (gpd.ta.doesNotCloseHandleOnCorruptObject).
    """

    def __init__(
        self,
        store: Store,
        rng: Rng = OsRng(),  # noqa: B008  # without state
        shared: OpenObjects | None = None,
        *,
        keeps_corrupt: bool = False,
    ) -> None:
        super().__init__(HandleTable(shared), rng)
        self._keeps_corrupt = keeps_corrupt
        self._store = store

    def end(self) -> None:
        """The instance is gone: what it had open is not."""
        self._handles.end()

    def create(self, object_id: bytes, flags: Flag, data: bytes = b"", attributes: int = 0) -> int:
        """Make an object holding `data`, or replace one with OVERWRITE, and open it. Returns the handle.

        Args:
            attributes: handle of an initialized object, whose key and usage the new one has; 0 for pure data.
        """
        with guard(Function.CREATE_PERSISTENT_OBJECT):
            key, usage = self.initialized(attributes) if attributes else (None, ALL_USAGES)
            known, rights = check_id(object_id), _checked(flags, _ACCESS | Flag.OVERWRITE)
            if self._handles.flags_of(known) or (not rights & Flag.OVERWRITE and self._exists(known)):
                raise TeeError(TeeResult.ACCESS_CONFLICT, "the object exists or is open")
            if len(data) > MAX_DATA_BYTES:
                raise _too_large()
            self._handles.need_room()
            self._replace(StoredBody(object_id=known, usage=usage, data=bytes(data), key=key))
            return self._handles.add(known, rights & _ACCESS)

    def open(self, object_id: bytes, flags: Flag) -> int:
        """Open an object. Returns the handle, at position 0."""
        with guard(Function.OPEN_PERSISTENT_OBJECT):
            known, rights = check_id(object_id), _checked(flags, _ACCESS)
            self._handles.need_room()
            self._load(known)
            if not may_share(self._handles.flags_of(known), rights):
                raise TeeError(TeeResult.ACCESS_CONFLICT, "the object is open and not shared in this way")
            return self._handles.add(known, rights)

    def close(self, handle: int) -> None:
        """Close a handle. Handle 0 is left alone."""
        with guard(Function.CLOSE_OBJECT):
            if handle in self._transients:
                del self._transients[handle]
            elif handle:
                self._handles.get(handle)
                self._handles.close(handle)

    def close_and_delete(self, handle: int) -> None:
        """Destroy the object's key and row; needs ACCESS_WRITE_META. The handle is closed whatever happens."""
        with guard(Function.CLOSE_AND_DELETE_PERSISTENT_OBJECT1):
            if not handle:
                return
            known = self._handles.get(handle, Flag.ACCESS_WRITE_META).object_id
            self._handles.close(handle)
            with self._store.transaction() as transaction:
                transaction.erase(store_id(known))

    def rename(self, handle: int, new_id: bytes) -> None:
        """Give the object another id that is free; needs ACCESS_WRITE_META."""
        with guard(Function.RENAME_PERSISTENT_OBJECT), self._at(handle, Flag.ACCESS_WRITE_META) as state:
            known = check_id(new_id)
            if self._exists(known):
                raise TeeError(TeeResult.ACCESS_CONFLICT, "the new id is in use")
            body = self._load(state.object_id)
            with self._store.transaction() as transaction:
                _put(transaction, replace(body, object_id=known))
                transaction.erase(store_id(state.object_id))
            state.object_id = known

    def read(self, handle: int, size_bytes: int) -> bytes:
        """Up to `size_bytes` from the position; nothing at or after the end. Needs ACCESS_READ."""
        with guard(Function.READ_OBJECT_DATA), self._at(handle, Flag.ACCESS_READ) as state:
            if size_bytes < 0:
                raise TeeError(TeeResult.BAD_PARAMETERS, "negative size")
            data = self._load(state.object_id).data
            part = data[state.position : state.position + size_bytes]
            state.position += len(part)
            return part

    def write(self, handle: int, data: bytes, size_bytes: int | None = None) -> None:
        """Write at the position, filling a hole before it with zeros. Needs ACCESS_WRITE.

        Args:
            size_bytes: of all that is to be written. If that is more than `data`, it is more than an object holds, and
                refused.
        """
        with guard(Function.WRITE_OBJECT_DATA), self._at(handle, Flag.ACCESS_WRITE) as state:
            start, end = state.position, state.position + (len(data) if size_bytes is None else size_bytes)
            if end > MAX_POSITION:
                raise TeeError(TeeResult.OVERFLOW, "position would be too large")
            body = self._load(state.object_id)
            old = body.data
            if end == start:
                return
            if end > MAX_DATA_BYTES or end - start != len(data):
                raise _too_large()
            self._replace(replace(body, data=old[:start].ljust(start, b"\0") + bytes(data) + old[end:]))
            state.position = end

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Cut or extend with zeros to `size_bytes`; the position stays. Needs ACCESS_WRITE."""
        with guard(Function.TRUNCATE_OBJECT_DATA), self._at(handle, Flag.ACCESS_WRITE) as state:
            if not 0 <= size_bytes <= MAX_POSITION:
                raise TeeError(TeeResult.BAD_PARAMETERS, "size is not 32 bits")
            body = self._load(state.object_id)
            if size_bytes > MAX_DATA_BYTES:
                raise _too_large()
            self._replace(replace(body, data=body.data[:size_bytes].ljust(size_bytes, b"\0")))

    def seek(self, handle: int, offset: int, whence: Whence) -> None:
        """Move the position; below zero is zero, past the end is allowed."""
        with guard(Function.SEEK_OBJECT_DATA), self._at(handle) as state:
            if whence not in Whence.__members__.values():
                raise TeeError(TeeResult.BAD_PARAMETERS, "unknown whence")
            end = len(self._load(state.object_id).data)
            base = {Whence.SET: 0, Whence.CURRENT: state.position, Whence.END: end}[whence]
            if base + offset > MAX_POSITION:
                raise TeeError(TeeResult.OVERFLOW, "position would be too large")
            state.position = max(0, base + offset)

    def info(self, handle: int) -> ObjectInfo:
        """Sizes, position, usage and flags."""
        if handle in self._transients:
            return self._transients[handle].info()
        with guard(Function.GET_OBJECT_INFO1), self._at(handle) as state:
            found = info_of(self._load(state.object_id))
            return replace(found, data_position=state.position, handle_flags=HANDLE_FLAGS | state.flags)

    def restrict_usage(self, handle: int, usage: int) -> None:
        """Clear the bits of objectUsage that are not in `usage`, for good. Needs no right: nobody gains by it."""
        if handle in self._transients:
            self._transients[handle].usage &= usage
            return
        with guard(Function.RESTRICT_OBJECT_USAGE1), self._at(handle) as state:
            body = self._load(state.object_id)
            self._replace(replace(body, usage=body.usage & usage))

    def _stored_key(self, handle: int) -> tuple[Key | None, int]:
        with self._at(handle) as state:
            body = self._load(state.object_id)
            return body.key, body.usage

    @contextmanager
    def _at(self, number: int, right: Flag = NO_RIGHT) -> Iterator[Handle]:
        """The handle; closed if its object turns out to be corrupt."""
        state = self._handles.get(number, right)
        try:
            yield state
        except TeeError as error:
            if error.result is TeeResult.CORRUPT_OBJECT and not self._keeps_corrupt:
                self._handles.close(number)
            raise

    def _load(self, object_id: bytes) -> StoredBody:
        name = store_id(object_id)
        return StoredBody.of(name, self._store.get(name))

    def _exists(self, object_id: bytes) -> bool:
        """Damaged counts as existing: damage must never look like absence."""
        try:
            self._store.get(store_id(object_id))
        except TeeError as error:
            if error.result not in {TeeResult.ITEM_NOT_FOUND, TeeResult.CORRUPT_OBJECT}:
                raise
            return error.result is TeeResult.CORRUPT_OBJECT
        return True

    def _replace(self, body: StoredBody) -> None:
        with self._store.transaction() as transaction:
            _put(transaction, body)


def info_of(body: StoredBody) -> ObjectInfo:
    """What the object itself has to say, without a handle's flags and position."""
    key = {} if body.key is None else {"object_type": int(body.key.object_type), "object_size": body.key.size_bits}
    return ObjectInfo(
        **key,
        max_object_size=0 if body.key is None else body.key.size_bits,
        object_usage=body.usage,
        data_size=len(body.data),
        data_position=0,
        handle_flags=HANDLE_FLAGS,
    )


def _put(transaction: Transaction, body: StoredBody) -> None:
    stored = body.to_bytes()
    if len(stored) > MAX_BODY_BYTES:
        raise _too_large()
    transaction.put(store_id(body.object_id), stored, kind=body.kind)


def _checked(flags: Flag, allowed: Flag) -> Flag:
    if int(flags) & ~int(allowed):
        raise TeeError(TeeResult.BAD_PARAMETERS, "unknown flags")
    return Flag(flags)


def _too_large() -> TeeError:
    return TeeError(TeeResult.STORAGE_NO_SPACE, f"object is larger than {MAX_DATA_BYTES} bytes")
