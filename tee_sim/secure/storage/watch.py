"""Who looks on while applications store: told what a message to the disk will be about, before it is sent."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from tee_sim.shared.blobs import Changes
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.object_header import Header


class Watch(Protocol):
    """Told by the views of the applications."""

    def putting(self, name: bytes, object_id: bytes, before: bytes | None, entry: bytes) -> None:
        """A row is about to be put: its name, id, and entry in the directory, before, if it had one, and then."""
        ...

    def committing(self, changes: Changes) -> None:
        """This is about to be sent to the disk. Raises TeeError, and it is not."""
        ...

    def kept(self, header: Header) -> None:
        """An object was put, durably."""
        ...

    def erased(self, ta: UUID, object_id: bytes) -> None:
        """An object was erased, durably."""
        ...

    def scans(self, ta: UUID) -> None:
        """All of the directory that an application has is about to be read. Raises TeeError, and it is not."""
        ...

    def ids(self, ta: UUID, kind: str) -> list[bytes] | None:
        """Ids of what an application has of a kind, in order, without what is changed now; None if nobody knows."""
        ...

    def walk(self, ta: UUID) -> int:
        """A walk through the objects of an application, of all or of one kind, begins. Returns its number."""
        ...

    def walks(self, number: int, names: Collection[bytes]) -> None:
        """Its next rows are read."""
        ...

    def walked(self, number: int) -> None:
        """It has come to its end."""
        ...


@dataclass(frozen=True, slots=True)
class Unwatched:
    """`Watch` where nobody counts."""

    def putting(self, name: bytes, object_id: bytes, before: bytes | None, entry: bytes) -> None: ...

    def committing(self, changes: Changes) -> None: ...

    def kept(self, header: Header) -> None: ...

    def erased(self, ta: UUID, object_id: bytes) -> None: ...

    def scans(self, ta: UUID) -> None: ...

    def ids(self, ta: UUID, kind: str) -> list[bytes] | None:
        return None

    def walk(self, ta: UUID) -> int:
        return 0

    def walks(self, number: int, names: Collection[bytes]) -> None: ...

    def walked(self, number: int) -> None: ...
