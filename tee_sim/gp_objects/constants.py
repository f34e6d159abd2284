"""Constants of GlobalPlatform TEE Internal Core API 1.3.1, tables 5-3 to 5-5 and section 5.4."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag, unique


class Flag(IntFlag):
    """TEE_DATA_FLAG_*."""

    ACCESS_READ = 0x1
    ACCESS_WRITE = 0x2
    ACCESS_WRITE_META = 0x4
    SHARE_READ = 0x10
    SHARE_WRITE = 0x20
    OVERWRITE = 0x400


@unique
class Whence(IntEnum):
    """TEE_DATA_SEEK_*."""

    SET = 0
    CURRENT = 1
    END = 2


MAX_ID_BYTES = 64
"""TEE_OBJECT_ID_MAX_LEN."""

MAX_POSITION = 0xFFFFFFFF
"""TEE_DATA_MAX_POSITION."""

TYPE_DATA = 0xA00000BF
"""TEE_TYPE_DATA: an object of pure data."""

ALL_USAGES = 0xFFFFFFFF
"""objectUsage of a new object."""

HANDLE_FLAG_INITIALIZED = 0x20000

HANDLE_FLAGS = 0x10000 | HANDLE_FLAG_INITIALIZED
"""TEE_HANDLE_FLAG_PERSISTENT and _INITIALIZED, in handleFlags of every persistent object."""

MAX_TRANSIENT_OBJECTS = 256
"""At once, of one instance: the suites that we know of have a dozen."""

MAX_HANDLES = 256
"""On persistent objects, likewise."""

MAX_DATA_BYTES = (768 << 10) - 69
"""The store's largest body less usage (4), id length (1) and id (64): more is refused before it is allocated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """TEE_ObjectInfo. Sizes and position in bytes."""

    object_type: int = TYPE_DATA
    object_size: int = 0
    max_object_size: int = 0
    object_usage: int
    data_size: int
    data_position: int
    handle_flags: int
