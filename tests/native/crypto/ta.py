"""An application that calls section 6 as its host would: the words of one question, and what came of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from tee_sim.gp_api.algorithms import ALGORITHMS
from tee_sim.gp_api.instance import Instance
from tee_sim.gp_api.operation_handlers import handlers
from tee_sim.gp_api.service import NativeApi
from tee_sim.gp_objects.attributes import KeyAttribute, reference
from tee_sim.gp_objects.key_types import RULES, ObjectType
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.ta_api import TaEnv
from tests.native.api.native import manifest
from tests.tee_sim.gp.devices import Device

F = Function
NUMBERS = {row.name: row.number for row in ALGORITHMS.values()}
ENCRYPT, DECRYPT, SIGN, VERIFY, MAC, DIGEST, DERIVE = range(7)
ROOM = 1 << 16


def vectors(name: str) -> list[dict[str, Any]]:
    """The known answers of one file; each row names its source."""
    text = (Path(__file__).parent / "vectors" / f"{name}.json").read_text("ascii")
    return cast("list[dict[str, Any]]", json.loads(text))


class PanickedError(Exception):
    """The application ended here."""


class RefusedError(Exception):
    """A result other than SUCCESS."""

    def __init__(self, result: int, outputs: list[Any]) -> None:
        super().__init__(TeeResult(result).name)
        self.result, self.outputs = TeeResult(result), outputs


class Ta:
    """One instance, and its objects."""

    def __init__(self) -> None:
        store = Device().store.namespace(UUID(int=7))
        nothing = cast("Any", None)
        env = TaEnv(store=store, keys=nothing, clock=nothing, rng=SeededRng(b"crypto"), device_id=bytes(16))
        instance = Instance(env, manifest())
        self.objects = instance.objects
        self.api = NativeApi.__new__(NativeApi)
        self.api._handlers = dict(handlers(instance))

    def call(self, function: Function, *words: object) -> list[Any]:
        """The outputs. Raises RefusedError, PanickedError."""
        answer: list[Any] = self.api.answer([function.number, *words])
        if answer[0]:
            raise PanickedError(answer[1])
        if answer[1]:
            raise RefusedError(answer[1], answer[2:])
        return answer[2:]

    def key(self, kind: ObjectType, *attributes: KeyAttribute, usage: int = 0xFFFF_FFFF) -> int:
        """A transient object that is populated."""
        largest = max(size for size in range(8, 4097) if size in RULES[kind].sizes_bits)
        handle = self.objects.allocate_transient(kind, largest)
        self.objects.populate(handle, *attributes)
        self.objects.restrict_usage(handle, usage)
        return handle

    def secret(self, kind: ObjectType, data: bytes, usage: int = 0xFFFF_FFFF) -> int:
        """A transient object of one secret."""
        (attribute,) = RULES[kind].required
        return self.key(kind, reference(attribute, data), usage=usage)

    def operation(self, name: str, mode: int, *keys: int, max_bits: int | None = None) -> int:
        """An operation with its keys, as large as they need it."""
        sizes = [self.objects.info(key).object_size for key in keys]
        (handle,) = self.call(F.ALLOCATE_OPERATION, NUMBERS[name], mode, sum(sizes) if max_bits is None else max_bits)
        if len(keys) == 2:
            self.call(F.SET_OPERATION_KEY2, handle, *keys)
        elif keys:
            self.call(F.SET_OPERATION_KEY, handle, *keys)
        return int(handle)


def refused(result: TeeResult, call: Callable[..., object], *words: object) -> list[Any]:
    """The call must answer this result; returns the outputs."""
    with pytest.raises(RefusedError) as caught:
        call(*words)
    assert caught.value.result == result
    return caught.value.outputs


def panics(call: Callable[..., object], *words: object, code: TeeResult = TeeResult.BAD_PARAMETERS) -> None:
    """The call must be a panic."""
    with pytest.raises(PanickedError) as caught:
        call(*words)
    assert caught.value.args == (code,)


def pieces(data: bytes, size: int) -> list[bytes]:
    """The data, cut."""
    return [data[start : start + size] for start in range(0, len(data), size)]
