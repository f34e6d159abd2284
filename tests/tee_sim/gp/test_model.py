"""One object next to a bytearray, and the store failing with every result there is."""

from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tee_sim.gp_objects import MAX_POSITION, Function, GpObjects, TaPanic, Whence
from tee_sim.shared.errors import TeeError, TeeResult
from tests.tee_sim.gp.devices import ALL, Device

SMALL = st.integers(0, 300)
STEPS = st.one_of(
    st.tuples(st.just("read"), SMALL),
    st.tuples(st.just("write"), st.binary(max_size=60)),
    st.tuples(st.just("truncate"), SMALL),
    st.tuples(st.just("seek"), st.one_of(st.integers(-400, 400), st.just(MAX_POSITION)), st.sampled_from(Whence)),
    st.tuples(st.just("reopen")),
)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64), st.lists(STEPS, max_size=25))
def test_an_object_is_a_bytearray_with_a_position(object_id: bytes, steps: list[Any]) -> None:
    device = Device()
    objects = device.objects()
    handle = objects.create(object_id, ALL)
    data, position = bytearray(), 0
    for name, *arguments in steps:
        if name == "read":
            expected = bytes(data[position : position + arguments[0]])
            assert objects.read(handle, arguments[0]) == expected
            position += len(expected)
        elif name == "write" and position <= 1000:
            (new,) = arguments
            objects.write(handle, new)
            if new:
                data.extend(bytes(max(0, position - len(data))))
                data[position : position + len(new)] = new
                position += len(new)
        elif name == "truncate":
            objects.truncate(handle, arguments[0])
            data = bytearray(data[: arguments[0]].ljust(arguments[0], b"\0"))
        elif name == "seek":
            offset, whence = arguments
            target = offset + {Whence.SET: 0, Whence.CURRENT: position, Whence.END: len(data)}[whence]
            if target > MAX_POSITION:
                with pytest.raises(TeeError) as caught:
                    objects.seek(handle, *arguments)
                assert caught.value.result is TeeResult.OVERFLOW
            else:
                objects.seek(handle, *arguments)
                position = max(0, target)
        elif name == "reopen":
            device.boot()
            objects = device.objects()
            handle, position = objects.open(object_id, ALL), 0
        info = objects.info(handle)
        assert (info.data_size, info.data_position) == (len(data), position)


class Failing:
    """A store that answers everything with one result, once told to."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.result: TeeResult | None = None

    def _fail(self) -> None:
        if self.result is not None:
            raise TeeError(self.result, "as told")

    def get(self, object_id: bytes) -> Any:
        self._fail()
        return self._store.get(object_id)

    @contextmanager
    def transaction(self) -> Any:
        self._fail()
        with self._store.transaction() as transaction:
            yield transaction


CALLS = {
    Function.OPEN_PERSISTENT_OBJECT: lambda o, h: o.open(b"id", ALL),
    Function.CREATE_PERSISTENT_OBJECT: lambda o, h: o.create(b"new", ALL),
    Function.RENAME_PERSISTENT_OBJECT: lambda o, h: o.rename(h, b"new"),
    Function.CLOSE_AND_DELETE_PERSISTENT_OBJECT1: lambda o, h: o.close_and_delete(h),
    Function.READ_OBJECT_DATA: lambda o, h: o.read(h, 1),
    Function.WRITE_OBJECT_DATA: lambda o, h: o.write(h, b"x"),
    Function.TRUNCATE_OBJECT_DATA: lambda o, h: o.truncate(h, 1),
    Function.SEEK_OBJECT_DATA: lambda o, h: o.seek(h, 0, Whence.END),
}


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize("result", [TeeResult.SECURITY, TeeResult.BUSY, TeeResult.STORAGE_NOT_AVAILABLE])
def test_only_listed_results_are_returned(function: Function, result: TeeResult) -> None:
    store = Failing(Device().store.namespace(UUID(int=1)))
    objects = GpObjects(store)  # type: ignore[arg-type]
    handle = objects.create(b"id", ALL)
    store.result = result
    if result is TeeResult.STORAGE_NOT_AVAILABLE:
        with pytest.raises(TeeError) as returned:
            CALLS[function](objects, handle)
        assert returned.value.result is result
    else:
        with pytest.raises(TaPanic, match=f"panic 0x{function.number:x} in {function.c_name}: {result.name}$"):
            CALLS[function](objects, handle)
