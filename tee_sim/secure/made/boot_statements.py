"""Statements under the keys of a boot, which no application sees."""

import hmac
from collections.abc import Iterable, Mapping
from typing import Self

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.statement import MAC_BYTES, Statement


@dataclass(frozen=True, slots=True)
class BootStatements:
    """What may be stated in this boot, by whomever.

    Attributes:
        keys: by name, 32 bytes each.
        layouts: of the statements that are made under each, by all applications.
    """

    keys: Mapping[str, bytes]
    layouts: Mapping[str, tuple[Statement, ...]]

    @classmethod
    def of(cls, manifests: Iterable[Manifest], keys: Mapping[str, bytes]) -> Self:
        """Those of the applications that are hosted together."""
        every = [statement for manifest in manifests for statement in manifest.statements]
        return cls(keys, {name: tuple(s for s in every if s.key == name) for name in keys})

    def make(self, layout: Statement, *, echo: bytes, ids: bytes, time_ms: int) -> bytes:
        """A statement: the parts, and HMAC-SHA-256 over them."""
        parts = layout.filled(echo=echo, ids=ids, time_ms=time_ms)
        return parts + hmac.digest(self.keys[layout.key], parts, "sha256")

    def ids_in(self, key: str, data: bytes) -> tuple[bytes, ...] | None:
        """The ids in a statement, None if its MAC is wrong; compared in constant time.

        None of them (an empty tuple) if it could be of two layouts: what is an echo in one would be an id in the other.
        """
        if not hmac.compare_digest(hmac.digest(self.keys[key], data[:-MAC_BYTES], "sha256"), data[-MAC_BYTES:]):
            return None
        found = {ids for layout in self.layouts[key] if (ids := layout.ids_in(data)) is not None}
        return found.pop() if len(found) == 1 else ()
