"""Open handles and who may open what next to whom."""

from dataclasses import dataclass

from tee_sim.gp_objects.constants import MAX_HANDLES, Flag
from tee_sim.shared.errors import TeeError, TeeResult

NO_RIGHT = Flag(0)

_SHARES = Flag.SHARE_READ | Flag.SHARE_WRITE
_NEEDS = ((Flag.ACCESS_READ, Flag.SHARE_READ), (Flag.ACCESS_WRITE, Flag.SHARE_WRITE))
"""If any handle has the right, all need the permission."""


@dataclass(slots=True)
class Handle:
    """One open handle. `position` in bytes."""

    object_id: bytes
    flags: Flag
    position: int = 0


def may_share(open_flags: list[Flag], flags: Flag) -> bool:
    """Sharing rules of TEE_OpenPersistentObject (Internal Core API 1.3.1, section 5.7.3)."""
    if not open_flags:
        return True
    everyone = [*open_flags, flags]
    if any(f & Flag.ACCESS_WRITE_META for f in everyone) or len({f & _SHARES for f in everyone}) > 1:
        return False
    return all(
        all(f & permission for f in everyone) for right, permission in _NEEDS if any(f & right for f in everyone)
    )


class OpenObjects:
    """What all instances of one application have open: the sharing rules hold between them."""

    def __init__(self) -> None:
        self.tables: list[HandleTable] = []

    def flags_of(self, object_id: bytes) -> list[Flag]:
        """Flags of all handles on an object."""
        return [flags for table in self.tables for flags in table.own_flags_of(object_id)]


class HandleTable:
    """The handles of one TA instance. Numbers are never used twice, so a stale handle is always a bad one.

    Args:
        shared: with the other instances of the application; without it, this one has none beside it.
    """

    def __init__(self, shared: OpenObjects | None = None) -> None:
        self._open: dict[int, Handle] = {}
        self._next = 1
        self._shared = shared or OpenObjects()
        self._shared.tables.append(self)

    def end(self) -> None:
        """The instance is gone, and nothing of it is open."""
        if self in self._shared.tables:
            self._shared.tables.remove(self)

    def own_flags_of(self, object_id: bytes) -> list[Flag]:
        """Flags of the handles on an object that are in this table."""
        return [h.flags for h in self._open.values() if h.object_id == object_id]

    def flags_of(self, object_id: bytes) -> list[Flag]:
        """Flags of all handles on an object, of whichever instance."""
        return self._shared.flags_of(object_id)

    def need_room(self) -> None:
        """Raises TeeError OUT_OF_MEMORY if as many handles are open as may be."""
        if len(self._open) >= MAX_HANDLES:
            raise TeeError(TeeResult.OUT_OF_MEMORY, f"{MAX_HANDLES} handles are open")

    def number(self) -> int:
        """A number that no handle had."""
        number, self._next = self._next, self._next + 1
        return number

    def add(self, object_id: bytes, flags: Flag) -> int:
        """Open a handle."""
        number = self.number()
        self._open[number] = Handle(object_id, flags)
        return number

    def get(self, number: int, right: Flag = NO_RIGHT) -> Handle:
        """Raises TeeError BAD_PARAMETERS for a handle that is not open, BAD_STATE for one without the right."""
        handle = self._open.get(number)
        if handle is None:
            raise TeeError(TeeResult.BAD_PARAMETERS, "no such handle")
        if right and not handle.flags & right:
            raise TeeError(TeeResult.BAD_STATE, "the handle was not opened for this")
        return handle

    def close(self, number: int) -> None:
        """Forget a handle that is open."""
        del self._open[number]
