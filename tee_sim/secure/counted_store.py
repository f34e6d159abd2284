"""What the applications do with the store, as the ledger is to count it: which rows are whose, and which are new."""

from collections import Counter
from collections.abc import Callable, Collection
from uuid import UUID

from tee_sim.secure.knowledge import CallKnowledge
from tee_sim.secure.made.call import Call
from tee_sim.secure.pace import Pace
from tee_sim.secure.storage import ObjectStore
from tee_sim.secure.storage.directory_pages import DirectoryEntry
from tee_sim.secure.storage.relations import Relations
from tee_sim.secure.storage.ta_store import TaStore
from tee_sim.secure.traffic import Asked, Commits, CountedBlobs, Put
from tee_sim.shared.blobs import Changes
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.object_header import Header, parse_header
from tee_sim.shared.row_patterns import numbered, parse_commit

MOST_AHEAD = 64
"""Rows of one person, or of one kind, that are read at the beginning of a request: more than what decides is."""


_READY_REQUESTS = 256
"""Each is known by the words in it, 2 KB at most."""
_Request = tuple[bytes, int | None, frozenset[bytes], frozenset[int]]


@dataclass(frozen=True, slots=True)
class _Objects:
    """`tee_sim.secure.knowledge.Objects` of one application."""

    store: TaStore
    relations: Callable[[], Relations]

    def count(self, prefix: bytes) -> int:
        """As `Objects.count`."""
        return self.relations().count(prefix)

    def info(self, object_id: bytes) -> Header | None:
        """As `Objects.info`."""
        try:
            return self.store.header(object_id)
        except TeeError as error:
            if error.result is not TeeResult.ITEM_NOT_FOUND:
                raise
            return None


def _header_of(entry: bytes) -> Header:
    """The header in an entry of the directory."""
    return parse_header(DirectoryEntry.from_bytes(entry).header)


def _chosen_bytes(header: Header) -> int:
    """How much of a header the application has chosen: the version in it is the store's."""
    return len(header.kind) + len(header.owner) + len(header.commitment) + len(header.ids)


def _fewest_first(ids: Collection[bytes]) -> list[bytes]:
    """Ids by how many of them begin with the same letter: what there is any number of does not keep out the rest."""
    letters = Counter(object_id[:1] for object_id in ids)
    return sorted(ids, key=lambda object_id: (letters[object_id[:1]], object_id))


class CountedStore:
    """`tee_sim.secure.storage.watch.Watch` and `tee_sim.secure.hosting.RequestWatch`.

    Args:
        store: all objects of the device.
        blobs: its disk.
        pace: when answers are released.
    """

    def __init__(self, store: ObjectStore, blobs: CountedBlobs, pace: Pace) -> None:
        self._store = store
        self._blobs = blobs
        self._pace = pace
        self._relations: dict[UUID, Relations] = {}
        self._named: frozenset[bytes] = frozenset()
        self._loaded: dict[tuple[UUID, tuple[str, ...]], int] = {}
        self._ready: dict[_Request, tuple[tuple[int, ...], Asked]] = {}
        """Requests whose rows are in memory, as long as no row made room and no object came or went."""
        store.watch = self

    def knowledge(self, manifest: Manifest, call: Call) -> CallKnowledge:
        """As `RequestWatch.knowledge`."""
        ta = manifest.ta_uuid
        objects = _Objects(self._store.namespace(ta), lambda: self._told_relations(ta))
        known = CallKnowledge(objects, lambda owners: len(objects.relations().of(owners)), call, lambda: self._named)
        call.cost = known.id_bits
        rows = (row for written in manifest.writes for text in written.commits for row in parse_commit(text))
        self._blobs.goes_on(ta, (start for start, end in rows if end == "#"))
        return known

    def begin(
        self, manifest: Manifest, command: int | None, named: frozenset[bytes], numbers: frozenset[int] = frozenset()
    ) -> None:
        """A request to an application begins, with these words and numbers in it. Reads what belongs to a word.

        What is read here follows from the request and from what was stored before: it is nobody's choice.

        Raises:
            TeeError: CORRUPT_OBJECT if a row is damaged and the manifest says which ones this command reads or writes:
                it is not carried out. In any other one, whoever asks for that row hears it; who erases it does not.
                OUT_OF_MEMORY if there are more rows of its kinds than are kept. Or what the disk answers.
        """
        self._named = named
        info = self._store.tree.info
        self._blobs.rows, self._blobs.pages = sum(info.counts.values()), info.next_page
        if manifest.budget_bits is None:  # counted dearer than need be, and never over
            self._blobs.begin(Asked())
            return
        tas = (manifest.ta_uuid, *(UUID(bytes=uuid) for uuid in manifest.calls))
        request = manifest.uuid, command, named, numbers
        before, asked = self._ready.get(request, (None, Asked()))
        if before is not None and before == self._state(tas):
            self._blobs.begin(asked)
            return
        with self._blobs.on_its_own():
            # Who names nobody needs no relations, and the directory is read when somebody does: a start is as fast
            # with many records as with few. Pages that it needs until then are counted one by one.
            ids = {ta: self._relations_of(ta).of(named) for ta in tas} if named else {}
            names = {self._store.row_name(ta, object_id) for ta, own in ids.items() for object_id in own}
            patterns = map(parse_commit, manifest.commits_of(command))
            commits = tuple(commit for pattern in patterns for commit in numbered(pattern, numbers))
            asked = Asked(related=names, words=named, ta=manifest.ta_uuid, commits=commits)
            self._blobs.begin(asked)
            state = self._state(tas)
            kinds = manifest.kinds_of(command)
            self._load(manifest.ta_uuid, kinds)
            self._store.namespace(manifest.ta_uuid).read_ahead(self._written(manifest.ta_uuid, commits))
            for ta, own in ids.items():
                try:
                    self._store.namespace(ta).read_ahead(_fewest_first(own)[:MOST_AHEAD])
                except TeeError as error:
                    if kinds or commits or error.result is not TeeResult.CORRUPT_OBJECT:
                        raise
                    return
        if named:
            if len(self._ready) >= _READY_REQUESTS:
                self._ready.clear()
            self._ready[request] = state, asked

    def _state(self, tas: Collection[UUID]) -> tuple[int, ...]:
        """What the rows that are in memory, and those of whoever is named, have not changed since if it is the same."""
        return (self._store.rows.made_room, *(self._relations[ta].changes for ta in tas if ta in self._relations))

    def _written(self, ta: UUID, commits: Commits) -> list[bytes]:
        """Ids of the rows that these commits change, but for those of somebody whom the request names."""
        named = {(start, self._blobs.last(ta, start) if end else start) for commit in commits
                 for start, end in commit if end != "*"}  # fmt: skip
        return sorted(object_id for _, object_id in named if object_id is not None)

    def _load(self, ta: UUID, kinds: tuple[str, ...]) -> None:
        """Have all rows of these kinds in memory; what is written later stays there until others need room.

        Raises as `begin`: else such a command would read from the disk, which it may not tell.
        """
        store, rows = self._store.namespace(ta), self._store.rows
        if self._loaded.get((ta, kinds)) == rows.made_room:
            return
        known = {kind: self._relations_of(ta).kinds.get(kind, set()) for kind in kinds}
        many = [kind for kind, ids in known.items() if len(ids) > MOST_AHEAD]
        for kind in many:
            for _ in store.load(kind=kind, keep=True):
                pass
        for kind in known.keys() - set(many):
            store.read_ahead(sorted(known[kind]))
        oldest = next((min(known[kind]) for kind in many), None)
        fits = oldest is None or store.is_ahead(oldest)
        if not fits:
            raise TeeError(TeeResult.OUT_OF_MEMORY, "more rows than are kept in memory for this command")
        self._loaded[ta, kinds] = rows.made_room

    def end(self, *, timed: bool) -> None:
        """As `RequestWatch.end`."""
        self._blobs.ends()
        self._pace.hold(timed=timed)

    def _relations_of(self, ta: UUID) -> Relations:
        """Made of the directory the first time, which so is in memory, as far as it fits, before anything is chosen."""
        if ta not in self._relations:
            with self._blobs.on_its_own():
                self._relations[ta] = Relations(self._store.namespace(ta).owners())
        return self._relations[ta]

    def _told_relations(self, ta: UUID) -> Relations:
        """The same while an application runs: which pages are read is no choice of it; that they are, is counted."""
        if ta not in self._relations:
            self._blobs.scans()
        return self._relations_of(ta)

    def scans(self, ta: UUID) -> None:
        """As `Watch.scans`."""
        self._told_relations(ta)

    def ids(self, ta: UUID, kind: str) -> list[bytes]:
        """As `Watch.ids`."""
        return sorted(self._told_relations(ta).kinds.get(kind, ()))

    def putting(self, name: bytes, object_id: bytes, before: bytes | None, entry: bytes) -> None:
        """As `Watch.putting`."""
        was = None if before is None else _chosen_bytes(_header_of(before))
        header = _header_of(entry)
        put = Put(ta=header.ta, object_id=object_id, header_before=was, header=_chosen_bytes(header))
        self._blobs.putting(name, put)

    def committing(self, changes: Changes) -> None:
        """As `Watch.committing`."""
        self._blobs.committing(changes)

    def kept(self, header: Header) -> None:
        """As `Watch.kept`."""
        if header.ta in self._relations:
            self._relations[header.ta].put(header)

    def erased(self, ta: UUID, object_id: bytes) -> None:
        """As `Watch.erased`."""
        if ta in self._relations:
            self._relations[ta].erase(object_id)

    def walk(self, ta: UUID) -> int:
        """As `Watch.walk`."""
        return self._blobs.walk(len(self._relations[ta].kinds) if ta in self._relations else self._blobs.rows)

    def walks(self, number: int, names: Collection[bytes]) -> None:
        """As `Watch.walks`."""
        self._blobs.walks(number, names)

    def walked(self, number: int) -> None:
        """As `Watch.walked`."""
        self._blobs.walked(number)
