"""A target that notes what its disk is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from bioguard.evidence.attack.target import Target
from tee_sim.shared.reserve import Reserve


class Watched(Target):
    """Notes of every committed transaction which objects it wrote, and how large they are; and every object read."""

    def __init__(self, *args) -> None:
        self.seen: list = []
        super().__init__(*args)

    def _objects(self, manifest):
        store, seen = super()._objects(manifest), self.seen
        transaction, get = store.transaction, store.get

        @contextmanager
        def watched(reserve=Reserve.NONE) -> Iterator:
            with transaction(reserve) as inner:
                before = dict(inner.rows)
                yield inner
                rows = inner.rows
                changed = {i: len(o.body) for i, o in rows.items() if before.get(i) is not o}
                seen.append(("write", tuple(sorted(changed.items())), tuple(before.keys() - rows.keys())))

        def read(object_id):
            seen.append(("read", object_id))
            return get(object_id)

        store.transaction, store.get = watched, read
        return store

    def shape(self, act) -> tuple:
        """What an act does to the disk. The log grows from entry to entry, so its numbers and sizes are left out."""
        self.seen.clear()
        act()
        log = (b"H", b"L")
        return tuple(
            (what, tuple((i[:1], 0) if i[:1] in log else (i, size) for i, size in about), *more)
            if what == "write"
            else (what, about)
            for what, about, *more in self.seen
            if what == "write" or about[:1] not in log
        )
