"""What a native application says of itself: `struct ta_head` of user_ta_header.h, read from the file (never run).

Pointers in it are relocations of the kind that adds an addend to where the file is loaded; each is followed in it.
"""

import base64
import struct
from collections.abc import Callable
from typing import Final
from uuid import UUID

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest import ABIS, MAX_STACK_BYTES
from tee_sim.shared.native.image import UNDEFINED, Image
from tee_sim.shared.native.refusal import NativeRefused
from tee_sim.shared.ta_properties import (
    MAX_NAME_CHARS,
    MAX_PROPERTIES,
    MAX_VALUE_BYTES,
    PropertyKind,
    TaProperty,
)

SYMBOL: Final = "ta_head"
MAGIC: Final = b"TSIMTA\0\1"
MAX_DATA_BYTES: Final = 1 << 30
MAX_TEXT_BYTES: Final = 255
_HEAD: Final = struct.Struct("<8sII16sII8Q")
_PROPERTY: Final = struct.Struct("<QIIQ")
_RELATIVE: Final = {"EM_X86_64": 8, "EM_AARCH64": 1027}
_FLAGS: Final = ((1 << 2, "single_instance"), (1 << 3, "multi_session"), (1 << 4, "keep_alive"))
"""TA_FLAG_SINGLE_INSTANCE, TA_FLAG_MULTI_SESSION, TA_FLAG_INSTANCE_KEEP_ALIVE; the others mean nothing here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaHead:
    """One head.

    Attributes:
        abi: 11 or 13.
        flags: as a manifest has them.
        stack_bytes, data_bytes: TA_STACK_SIZE, TA_DATA_SIZE.
        properties: its own, and `gpd.ta.version` and `gpd.ta.description` if it says them.
    """

    abi: int
    uuid: UUID
    flags: tuple[str, ...]
    stack_bytes: int
    data_bytes: int
    properties: tuple[TaProperty, ...]

    @classmethod
    def read(cls, content: bytes) -> "TaHead":
        """Read the head of an ELF file.

        Raises:
            NativeRefused: `native.head`, or what `Image` refuses.
        """
        return _HeadReader(Image(content)).head()


def _refused(why: str) -> NativeRefused:
    return NativeRefused("native.head", why)


class _HeadReader:
    def __init__(self, image: Image) -> None:
        self._image = image
        kind = _RELATIVE.get(image.machine)
        self._pointers = {one.address: one.addend for one in image.relocations() if one.kind == kind}

    def head(self) -> TaHead:
        found = [one for one in self._image.symbols() if one.name == SYMBOL and one.section != UNDEFINED]
        if len(found) != 1:
            raise _refused("it has no head: it was not built with the dev kit")
        place = found[0].address
        fields = _HEAD.unpack(self._image.at(place, _HEAD.size))
        magic, abi, flags, uuid, stack_bytes, data_bytes = fields[:6]
        if magic != MAGIC or abi not in ABIS:
            raise _refused("its head is of another version: build it again with this dev kit")
        if not 0 < stack_bytes <= MAX_STACK_BYTES:
            raise _refused(f"TA_STACK_SIZE is {stack_bytes}, not between 1 and {MAX_STACK_BYTES} bytes")
        if data_bytes > MAX_DATA_BYTES:
            raise _refused(f"TA_DATA_SIZE is {data_bytes}, more than {MAX_DATA_BYTES} bytes")
        if not any(uuid):
            raise _refused("TA_UUID is nil, which belongs to the core")
        pointers = place + _HEAD.size - 8 * 8
        own = self._properties(self._pointer(pointers + 16), fields[9])
        named = {one.name for one in own}
        texts = (("gpd.ta.version", pointers), ("gpd.ta.description", pointers + 8))
        said = ((name, self._text(self._pointer(at), MAX_TEXT_BYTES)) for name, at in texts if name not in named)
        return TaHead(
            abi=abi,
            uuid=_uuid(uuid),
            flags=tuple(name for bit, name in _FLAGS if flags & bit),
            stack_bytes=stack_bytes,
            data_bytes=data_bytes,
            properties=own
            + tuple(TaProperty(name=name, kind=PropertyKind.STRING, value=text) for name, text in said if text),
        )

    def _pointer(self, at: int) -> int | None:
        """Where a pointer leads; None for NULL."""
        if at in self._pointers:
            return self._pointers[at]
        if any(self._image.at(at, 8)):
            raise _refused("a pointer in its head leads out of it")
        return None

    def _text(self, at: int | None, most_bytes: int) -> bytes:
        return b"" if at is None else self._image.text_at(at, most_bytes)

    def _properties(self, at: int | None, count: int) -> tuple[TaProperty, ...]:
        if count > MAX_PROPERTIES - 2:
            raise _refused(f"it has {count} properties, more than {MAX_PROPERTIES - 2}")
        if at is None:
            return ()
        found = tuple(self._property(at + index * _PROPERTY.size) for index in range(count))
        if len({one.name for one in found}) < len(found):
            raise _refused("it has two properties of one name")
        return found

    def _property(self, at: int) -> TaProperty:
        _, number, _, _ = _PROPERTY.unpack(self._image.at(at, _PROPERTY.size))
        name = self._text(self._pointer(at), MAX_NAME_CHARS)
        if not name or not name.isascii() or not name.decode("ascii").isprintable():
            raise _refused("a property has no name of printable ASCII characters")
        where = f"the property {name.decode('ascii')}"
        place = self._pointer(at + 16)
        if number not in PropertyKind.__members__.values() or place is None:
            raise _refused(f"{where} has no value, or one of an unknown type")
        kind = PropertyKind(number)
        size = kind.size_bytes
        raw = self._image.text_at(place, MAX_VALUE_BYTES) if size is None else self._image.at(place, size)
        try:
            return TaProperty(name=name.decode("ascii"), kind=kind, value=_VALUES.get(kind, bytes)(raw))
        except ValueError:
            raise _refused(f"{where} is a binary block, and its text no Base64") from None


def _uuid(raw: bytes) -> UUID:
    """TEE_UUID as it lies in memory: three little-endian numbers, then bytes."""
    return UUID(bytes_le=raw)


_VALUES: Final[dict[PropertyKind, Callable[[bytes], bytes]]] = {
    PropertyKind.BOOL: lambda raw: b"\1" if any(raw) else b"\0",
    PropertyKind.UUID: lambda raw: _uuid(raw).bytes,
    PropertyKind.IDENTITY: lambda raw: raw[:4] + _uuid(raw[4:]).bytes,
    PropertyKind.BINARY_BLOCK: lambda raw: base64.b64decode(raw, validate=True),
}
