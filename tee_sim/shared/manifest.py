"""Declares a trusted application to the secure world, before it starts.

A manifest names the code to compile before the lock and run after it, so the list is also what gets measured.
It is written as TOML next to the TA:

    uuid = "..."              # identity; keys and storage are separated by it
    name = "counter"
    entry = "package.module:ClassName"
    code = ["package", "package.module"]      # "package.sub.*" takes a package and everything below it
    preload = ["numpy"]                       # packages outside the standard library that the code may import;
                                              # imported before the lock, with what the code uses of them
    warmup = "package.module_of_plain_calls"  # optional; touches third-party code only, runs before the lock
    resources = ["package:file.bin"]          # package data readable after the lock
    flags = ["single_instance", "multi_session", "keep_alive"]
    shared_keys = ["name"]                    # per-boot keys shared between the TAs that name them
    calls = ["uuid"]                          # the TAs this one may open sessions with; without the key, none
    [quota]
    objects = 1000
    object_bytes = 65536
"""

import tomllib
from dataclasses import dataclass
from typing import Annotated, Any, Self
from uuid import UUID

from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_TAS
from tee_sim.shared.schema import Fixed, Items, Record, Text, UpTo

FLAGS = frozenset({"single_instance", "multi_session", "keep_alive"})
"""GlobalPlatform gpd.ta.singleInstance, multiSession, instanceKeepAlive."""

_NAME = Text(128)
_LISTS = ("code", "preload", "resources", "flags", "shared_keys")
_KEYS = frozenset({"uuid", "name", "entry", "warmup", "calls", "quota", *_LISTS})


def _bad(why: str) -> TeeError:
    return TeeError(
        TeeResult.BAD_PARAMETERS,
        f"manifest: {why}",
        origin=Origin.API,
        hint="see tee_sim/shared/manifest.py for the format",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(Record):
    """A parsed manifest; travels to the secure world in the BOOT message."""

    uuid: Annotated[bytes, Fixed(16)]
    name: Annotated[str, Text(32)]
    entry: Annotated[str, _NAME]
    code: Annotated[tuple[str, ...], Items(256, _NAME)]
    preload: Annotated[tuple[str, ...], Items(64, _NAME)] = ()
    warmup: Annotated[str, _NAME] = ""
    resources: Annotated[tuple[str, ...], Items(64, _NAME)] = ()
    flags: Annotated[tuple[str, ...], Items(8, Text(32))] = ()
    shared_keys: Annotated[tuple[str, ...], Items(8, Text(32))] = ()
    calls: Annotated[tuple[bytes, ...], Items(MAX_TAS, Fixed(16))] = ()
    max_objects: Annotated[int, UpTo(10_000_000)] = 1_000
    max_object_bytes: Annotated[int, UpTo(1 << 20)] = 65_536
    heap_bytes: Annotated[int, UpTo(1 << 40)] = 0
    time_ms: Annotated[int, UpTo(3_600_000)] = 60_000
    spares: Annotated[int, UpTo(7)] = 3

    def __post_init__(self) -> None:
        unknown = set(self.flags) - FLAGS
        if unknown:
            raise _bad(f"unknown flag {sorted(unknown)[0]!r}")
        if not any(self.uuid):
            raise _bad("the nil uuid belongs to the core")
        if self.uuid in self.calls or len(set(self.calls)) < len(self.calls):
            raise _bad("calls names itself, or one application twice")
        if self.entry.count(":") != 1:
            raise _bad("entry is not module:Class")

    @property
    def ta_uuid(self) -> UUID:
        """The TA's identity."""
        return UUID(bytes=self.uuid)

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Parse a manifest file.

        Raises:
            TeeError: BAD_PARAMETERS, with the key at fault.
        """
        try:
            table: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _bad(f"not TOML: {error}") from None
        unknown = set(table) - _KEYS
        if unknown:
            raise _bad(f"unknown key {sorted(unknown)[0]!r}")
        quota = table.pop("quota", {})
        try:
            uuid = UUID(table.pop("uuid")).bytes
            lists: dict[str, Any] = {k: tuple(table.pop(k, ())) for k in _LISTS}
            calls = tuple(UUID(text).bytes for text in table.pop("calls", ()))
            manifest = cls(
                uuid=uuid,
                **lists,
                **table,
                calls=calls,
                max_objects=quota.get("objects", 1_000),
                max_object_bytes=quota.get("object_bytes", 65_536),
            )
            manifest.to_bytes()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _bad(f"missing or malformed value: {error}") from None
        return manifest
