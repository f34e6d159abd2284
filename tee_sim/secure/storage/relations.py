"""Whose objects are whose, for each application: what a request is about that names a person."""

from collections import Counter
from collections.abc import Iterable

from tee_sim.shared.object_header import Header

_NOBODY: frozenset[bytes] = frozenset()


class Relations:
    """Owners and kinds of the objects of one application. In memory, made of the directory when it is first asked.

    Attributes:
        kinds: ids by kind; of those that it has had since, none.
    """

    def __init__(self, headers: Iterable[Header]) -> None:
        self._owner_of: dict[bytes, tuple[bytes, str]] = {}
        self._owned: dict[bytes, set[bytes]] = {}
        self._first_letters: Counter[bytes] = Counter()
        self.kinds: dict[str, set[bytes]] = {}
        for header in headers:
            self.put(header)

    def put(self, header: Header) -> None:
        """An object is there now, or is another's."""
        self.erase(header.object_id)
        self.kinds.setdefault(header.kind, set()).add(header.object_id)
        self._first_letters[header.object_id[:1]] += 1
        self._owner_of[header.object_id] = header.owner, header.kind
        self._owned.setdefault(header.owner, set()).add(header.object_id)

    def erase(self, object_id: bytes) -> None:
        """An object is gone."""
        known = self._owner_of.pop(object_id, None)
        if known is not None:
            owner, kind = known
            self.kinds[kind].discard(object_id)
            self._first_letters[object_id[:1]] -= 1
            self._owned[owner].discard(object_id)
            if not self._owned[owner]:
                del self._owned[owner]

    def of(self, owners: Iterable[bytes]) -> frozenset[bytes]:
        """Ids of the objects that belong to one of these."""
        return frozenset().union(*(self._owned.get(owner, _NOBODY) for owner in owners if owner))

    def count(self, prefix: bytes) -> int:
        """How many ids begin so, or more: only the first letter is looked at."""
        return self._first_letters[prefix[:1]] if prefix else len(self._owner_of)
