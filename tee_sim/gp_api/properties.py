"""Property access (section 4.4): three sets, and enumerators over them.

A property is got as its own type; one that is a string is read as what is asked for, and any of them as a string.
"""

import base64
import re
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from tee_sim.gp_api.instance import Instance
from tee_sim.gp_api.property_sets import PropertySet, of_client, of_the_application, of_the_tee
from tee_sim.gp_api.words import Handler, breach_unless, data_or_null, fitted, handle, room
from tee_sim.gp_objects.panics import BreachError
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.ta_properties import PropertyKind, TaProperty

TEE_IMPLEMENTATION, CURRENT_CLIENT, CURRENT_TA = 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF
"""TEE_PROPSET_*."""
MAX_ENUMERATORS: Final = 16
"""At once, of one instance."""
_NUMBER = re.compile(r"(0x[0-9a-fA-F]{1,16}|[0-9]{1,20})([KM]?)")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}
_K = PropertyKind


def _bad_format() -> TeeError:
    return TeeError(TeeResult.BAD_FORMAT, "the property is of another type")


def text_of(found: TaProperty) -> bytes:
    """A property as a string (section 4.4, without its end)."""
    held = found.value
    match found.kind:
        case _K.BOOL:
            return b"true" if any(held) else b"false"
        case _K.U32 | _K.U64:
            return b"%d" % int.from_bytes(held, "little")
        case _K.UUID:
            return str(UUID(bytes=held)).encode()
        case _K.IDENTITY:
            return b"%d:%s" % (int.from_bytes(held[:4], "little"), str(UUID(bytes=held[4:])).encode())
        case _K.BINARY_BLOCK:
            return base64.b64encode(held)
    return held


def _boolean(found: TaProperty) -> list[object]:
    if found.kind is _K.BOOL or (found.kind is _K.STRING and found.value in (b"true", b"false")):
        return [text_of(found) == b"true"]
    raise _bad_format()


def _number(found: TaProperty, limit: int) -> list[object]:
    if found.kind not in (_K.U32, _K.U64, _K.STRING):
        raise _bad_format()
    read = _NUMBER.fullmatch(text_of(found).decode("utf-8", "replace"))
    value = limit if read is None else int(read[1], 0 if read[1].startswith("0x") else 10) * _UNITS[read[2]]
    if value >= limit:
        raise _bad_format()
    return [value]


def _uuid_bytes(text: str) -> bytes:
    """Of its one written form. Raises TeeError BAD_FORMAT."""
    try:
        read = UUID(text)
    except ValueError:
        raise _bad_format() from None
    if str(read) != text.lower():
        raise _bad_format()
    return read.bytes


def _uuid(found: TaProperty) -> list[object]:
    if found.kind is _K.UUID:
        return [found.value]
    if found.kind is _K.STRING:
        return [_uuid_bytes(found.value.decode("utf-8", "replace"))]
    raise _bad_format()


def _identity(found: TaProperty) -> list[object]:
    if found.kind is _K.IDENTITY:
        return [int.from_bytes(found.value[:4], "little"), found.value[4:]]
    login, colon, uuid = found.value.decode("utf-8", "replace").partition(":")
    if found.kind is not _K.STRING or not colon or not re.fullmatch(r"[0-9]{1,10}", login) or int(login) >> 32:
        raise _bad_format()
    return [int(login), _uuid_bytes(uuid)]


def _block(found: TaProperty) -> bytes:
    if found.kind is _K.BINARY_BLOCK:
        return found.value
    if found.kind is not _K.STRING:
        raise _bad_format()
    try:
        return base64.b64decode(found.value, validate=True)
    except ValueError:
        raise _bad_format() from None


class _Enumerators:
    """Of one instance: the properties that are left, the current one first; None before the start."""

    def __init__(self) -> None:
        self._left: dict[int, list[TaProperty] | None] = {}
        self._next = 1

    def allocate(self) -> list[object]:
        if len(self._left) >= MAX_ENUMERATORS:
            raise TeeError(TeeResult.OUT_OF_MEMORY, f"{MAX_ENUMERATORS} enumerators are allocated")
        number, self._next = self._next, self._next + 1
        self._left[number] = None
        return [number]

    def free(self, number: int) -> list[object]:
        self._known(number)
        del self._left[number]
        return []

    def start(self, number: int, properties: Sequence[TaProperty]) -> list[object]:
        self._known(number)
        self._left[number] = list(properties)
        return []

    def reset(self, number: int) -> list[object]:
        self._known(number)
        self._left[number] = None
        return []

    def current(self, number: int) -> TaProperty:
        """Raises TeeError ITEM_NOT_FOUND before the start, and after the end."""
        left = self._known(number)
        if not left:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no current property")
        return left[0]

    def advance(self, number: int) -> list[object]:
        self.current(number)
        left = self._known(number)
        if left:
            del left[0]
        self.current(number)
        return []

    def _known(self, number: int) -> list[TaProperty] | None:
        breach_unless(number in self._left, "no such enumerator")
        return self._left[number]


def handlers(instance: Instance) -> dict[Function, Handler]:
    """Of this section."""
    enumerators = _Enumerators()

    def client() -> PropertySet:
        try:
            return of_client(instance.env.client.identity)
        except TeeError:
            return of_client(None)

    sets: dict[int, Callable[[], PropertySet]] = {
        TEE_IMPLEMENTATION: lambda: of_the_tee(instance.env),
        CURRENT_CLIENT: client,
        CURRENT_TA: lambda: of_the_application(instance.manifest),
    }

    def set_of(number: int) -> PropertySet:
        if number not in sets:
            raise BreachError("no such set of properties")
        return sets[number]()

    def find(number: int, name: bytes | None) -> TaProperty:
        if name is None:
            return enumerators.current(number)
        found = next((one for one in set_of(number) if one.name.encode() == name), None)
        if found is None:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such property")
        return found

    def as_string(number: int, name: bytes | None, room_bytes: int | None) -> list[object]:
        return [fitted(text_of(find(number, name)) + b"\0", room_bytes)]

    def as_block(number: int, name: bytes | None, room_bytes: int | None) -> list[object]:
        return [fitted(_block(find(number, name)), room_bytes)]

    def name_of(number: int, room_bytes: int | None) -> list[object]:
        return [fitted(enumerators.current(number).name.encode() + b"\0", room_bytes)]

    def start(number: int, properties: int) -> list[object]:
        return enumerators.start(number, set_of(properties))

    def read_as(read: Callable[[TaProperty], list[object]]) -> Handler:
        return Handler(lambda number, name: read(find(number, name)), (handle, data_or_null))

    return {
        Function.GET_PROPERTY_AS_STRING: Handler(as_string, (handle, data_or_null, room)),
        Function.GET_PROPERTY_AS_BOOL: read_as(_boolean),
        Function.GET_PROPERTY_AS_U32: read_as(lambda found: _number(found, 1 << 32)),
        Function.GET_PROPERTY_AS_U64: read_as(lambda found: _number(found, 1 << 64)),
        Function.GET_PROPERTY_AS_BINARY_BLOCK: Handler(as_block, (handle, data_or_null, room)),
        Function.GET_PROPERTY_AS_UUID: read_as(_uuid),
        Function.GET_PROPERTY_AS_IDENTITY: read_as(_identity),
        Function.ALLOCATE_PROPERTY_ENUMERATOR: Handler(enumerators.allocate),
        Function.FREE_PROPERTY_ENUMERATOR: Handler(enumerators.free, (handle,)),
        Function.START_PROPERTY_ENUMERATOR: Handler(start, (handle, handle)),
        Function.RESET_PROPERTY_ENUMERATOR: Handler(enumerators.reset, (handle,)),
        Function.GET_PROPERTY_NAME: Handler(name_of, (handle, room)),
        Function.GET_NEXT_PROPERTY: Handler(enumerators.advance, (handle,)),
    }
