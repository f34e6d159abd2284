"""Whose objects are whose, for each application: what a request is about that names a person."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from tee_sim.shared.object_header import Header

_NOBODY: frozenset[bytes] = frozenset()


class Relations:
    """Owners and kinds of the objects of one application. In memory, made of the directory when it is first asked.

    Attributes:
        kinds: ids by kind; of those that it has had since, none.
        changes: how often an object came, went, or became another's.
    """

    def __init__(self, objects: Iterable[tuple[bytes, bytes, str]]) -> None:
        """Args: objects: id, owner and kind of each, every id once."""
        self._owner_of: dict[bytes, tuple[bytes, str]] = {}
        self._owned: defaultdict[bytes, set[bytes]] = defaultdict(set)
        self._first_letters: Counter[bytes] = Counter()
        self.kinds: defaultdict[str, set[bytes]] = defaultdict(set)
        self.changes = 0
        owner_of, owned, kinds = self._owner_of, self._owned, self.kinds
        for object_id, owner, kind in objects:  # as `_add`: there are hundreds of thousands
            owner_of[object_id] = owner, kind
            owned[owner].add(object_id)
            kinds[kind].add(object_id)
        self._first_letters.update(object_id[:1] for object_id in owner_of)

    def _add(self, object_id: bytes, owner: bytes, kind: str) -> None:
        self.kinds[kind].add(object_id)
        self._first_letters[object_id[:1]] += 1
        self._owner_of[object_id] = owner, kind
        self._owned[owner].add(object_id)

    def put(self, header: Header) -> None:
        """An object is there now, or is another's."""
        if self._owner_of.get(header.object_id) == (header.owner, header.kind):
            return
        self.erase(header.object_id)
        self.changes += 1
        self._add(header.object_id, header.owner, header.kind)

    def erase(self, object_id: bytes) -> None:
        """An object is gone."""
        known = self._owner_of.pop(object_id, None)
        if known is not None:
            self.changes += 1
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
