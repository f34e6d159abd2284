"""The directory as a B+-tree of sealed pages: lookup, ordered scan, and copy-on-write update.

An update rewrites the pages on the path to each changed entry and nothing else, so its cost depends on the height of
the tree (2 levels to about 2 000 objects, 3 to 100 000), not on the number of objects. Pages are rewritten in place;
the disk's transaction and the anchor's two roots make that safe.

Opened pages are kept in memory, by reference: what was authentic once stays so.

Does not promise: that a root is the newest; the anchor is asked for that. Nor to hide the shape of the tree: the disk
sees how many pages there are, how many entries each has, which are read, and which change together. A new entry goes
where its key belongs, so that its key decides which leaf is written.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil
from typing import cast

from tee_sim.secure.storage.directory_pages import NEW, Node, PageRef, RootInfo, open_page, seal_page
from tee_sim.shared.blobs import BlobStore, page_name
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.rng import Rng

LEAF_ENTRIES = 44
INNER_ENTRIES = 64
"""Most entries of a page. A leaf of 44 is as much as fits in the size class of 16 KiB, also in a root. Measured by
`python -m bench.experiments.storage_pages`, 20 000 entries, leaves of 16 to 90, each as much as fits in its class: the
bytes written for one change grow from 20 to 36 kB, and a full scan costs a third less; below 33 the scan gets dearer,
above 44 the change. Inner pages of 128 only add bytes; of 32 they save few and need a level more from about 16 000
objects on."""

CACHED_PAGES = 4096
"""Opened pages kept, about 10 KB each. More than the 3 400 of a store of 100 000 objects."""

PREFETCH_PAGES = 32
"""Leaves asked for in one read of a scan: 32 of at most 16 KiB fit in a frame."""

_AFTER_ANY_ID = b"\xff" * 65
"""Longer and higher than any object id: the end of a prefix's range."""


@dataclass(slots=True, kw_only=True)
class Update:
    """A new version of the tree that is not on the disk yet."""

    root: PageRef
    info: RootInfo
    puts: dict[bytes, bytes]
    freed: frozenset[int]
    nodes: dict[PageRef, Node]


class Tree:
    """One version of the directory, read through `blobs`.

    Raises, from every method that reads: TeeError CORRUPT_OBJECT for a page that is missing, old or damaged, and what
    the disk raises.
    """

    def __init__(
        self, blobs: BlobStore, device_id: bytes, rng: Rng, *, leaf: int = LEAF_ENTRIES, inner: int = INNER_ENTRIES
    ) -> None:
        self._blobs = blobs
        self._device_id = device_id
        self._rng = rng
        self._most = (leaf, inner)
        self._cache: OrderedDict[int, tuple[PageRef, Node]] = OrderedDict()
        self.root = PageRef(0, b"", b"")
        self.info = RootInfo()

    def make_empty(self) -> Update:
        """The tree of a new store."""
        return self._seal_tree([], RootInfo(), set())

    def open(self, root: PageRef) -> None:
        """Start from this root."""
        (blob,) = self._blobs.read([page_name(0)])
        node, info = open_page(root, blob, self._device_id)
        self.root, self.info = root, info
        self._cache.clear()
        self._remember(root, node)

    def adopt(self, update: Update) -> None:
        """Make an update the current version, once it is durable."""
        self.root, self.info = update.root, update.info
        for number in update.freed:
            self._cache.pop(number, None)
        for ref, node in update.nodes.items():
            self._remember(ref, node)

    def lookup(self, key: bytes) -> bytes | None:
        """Return the entry of a key, or None."""
        node = self._node(self.root)
        while node.level:
            node = self._node(node.items[_position(node, key)])
        at = bisect_left(node.keys, key)
        found = at < len(node.keys) and node.keys[at] == key
        return cast("bytes", node.items[at]) if found else None

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Return keys and entries below a prefix, in bytewise order. Goes on behind the last key after an update."""
        low, root = prefix, None
        while root != self.root:
            root = self.root
            for key, entry in self._scan(self._load([root])[0], low, prefix + _AFTER_ANY_ID):
                yield key, entry
                low = key + b"\0"
                if root is not self.root:
                    break

    def leaves(self, prefix: bytes) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """Return keys and entries below a prefix, leaf by leaf; nothing is updated meanwhile."""
        return self._leaves(self._load([self.root])[0], prefix, prefix + _AFTER_ANY_ID)

    def _scan(self, node: Node, low: bytes, high: bytes) -> Iterator[tuple[bytes, bytes]]:
        for keys, entries in self._leaves(node, low, high):
            yield from zip(keys, entries, strict=True)

    def _leaves(self, node: Node, low: bytes, high: bytes) -> Iterator[tuple[list[bytes], list[bytes]]]:
        end = bisect_right(node.keys, high)
        if node.level == 0:
            start = bisect_left(node.keys, low)
            yield node.keys[start:end], node.items[start:end]
            return
        refs = node.items[_position(node, low) : max(end, 1)]
        for start in range(0, len(refs), PREFETCH_PAGES):
            for child in self._load(refs[start : start + PREFETCH_PAGES]):
                yield from self._leaves(child, low, high)

    def page_numbers(self) -> Iterator[int]:
        """All pages of this version."""
        waiting = [self.root]
        while waiting:
            ref = waiting.pop()
            yield ref.number
            node = self._load([ref])[0]
            waiting += node.items if node.level else []

    def update(self, changes: dict[bytes, bytes | None], info: RootInfo) -> Update:
        """Return the tree with entries set (bytes) or removed (None). Nothing is written."""
        freed: set[int] = set()
        nodes = self._apply(self._load([self.root])[0], sorted(changes.items()), freed)
        return self._seal_tree(nodes, info.copy(), freed)

    def _apply(self, node: Node, changes: Sequence[tuple[bytes, bytes | None]], freed: set[int]) -> list[Node]:
        """Return the new nodes, none or several, that replace `node`."""
        if node.level == 0:
            merged = dict(zip(node.keys, node.items, strict=True))
            merged |= {key: entry for key, entry in changes if entry is not None}
            for key, entry in changes:
                if entry is None:
                    merged.pop(key, None)
            keys = sorted(merged)
            return self._cut(Node(0, keys, [merged[key] for key in keys], node.number), freed)
        new = Node(node.level, [], [], node.number)
        start = 0
        for i, ref in enumerate(node.items):
            is_last = i + 1 == len(node.keys)
            end = len(changes) if is_last else bisect_left(changes, (node.keys[i + 1],), lo=start)
            if start == end:
                new.keys.append(node.keys[i])
                new.items.append(ref)
            else:
                children = self._apply(self._load([ref])[0], changes[start:end], freed)
                new.keys += [child.keys[0] for child in children]
                new.items += children
            start = end
        self._merge_small_children(new, freed)
        return self._cut(new, freed)

    def _merge_small_children(self, node: Node, freed: set[int]) -> None:
        """Join a changed child that has become small with a neighbour, if both fit in three quarters of a page."""
        most = self._most[node.level > 1]
        i = 0
        while i < len(node.items):
            child = node.items[i]
            if not isinstance(child, Node) or len(child.keys) >= most // 4 or len(node.items) == 1:
                i += 1
                continue
            left = max(i - 1, 0)
            pair = [item if isinstance(item, Node) else self._load([item])[0] for item in node.items[left : left + 2]]
            if sum(len(p.keys) for p in pair) > most * 3 // 4:
                i += 1
                continue
            first, second = pair
            freed.add(second.number)
            joined = Node(first.level, first.keys + second.keys, first.items + second.items, first.number)
            node.keys[left : left + 2] = [joined.keys[0]]
            node.items[left : left + 2] = [joined]
            i = left

    def _cut(self, node: Node, freed: set[int]) -> list[Node]:
        """Split a node that is too large into even parts; the first keeps the page number."""
        count = len(node.keys)
        if not count:
            freed.add(node.number)
        parts = ceil(count / self._most[node.level > 0])
        bounds = [count * i // parts for i in range(parts + 1)] if parts else []
        return [
            Node(node.level, node.keys[a:b], node.items[a:b], NEW if a else node.number) for a, b in pairwise(bounds)
        ]

    def _seal_tree(self, nodes: list[Node], info: RootInfo, freed: set[int]) -> Update:
        """Grow or shrink to one root, page 0, then seal everything that is new."""
        if len(nodes) > 1:
            nodes[0].number = NEW
        while len(nodes) > 1:
            nodes = self._cut(Node(nodes[0].level + 1, [n.keys[0] for n in nodes], [*nodes]), freed)
        root = nodes[0] if nodes else Node(0, [], [])
        while root.level and len(root.keys) == 1:
            child = root.items[0] if isinstance(root.items[0], Node) else self._load([root.items[0]])[0]
            freed.add(child.number)
            root = Node(child.level, list(child.keys), list(child.items))
        root.number = 0
        freed -= {0, NEW}
        puts: dict[bytes, bytes] = {}
        sealed: dict[PageRef, Node] = {}
        ref = self._seal(root, info, puts, sealed)
        return Update(root=ref, info=info, puts=puts, freed=frozenset(freed), nodes=sealed)

    def _seal(self, node: Node, info: RootInfo, puts: dict[bytes, bytes], sealed: dict[PageRef, Node]) -> PageRef:
        """Seal a node after its children; a new one gets the next page number."""
        node.items = [self._seal(item, info, puts, sealed) if isinstance(item, Node) else item for item in node.items]
        if node.number == NEW:
            node.number = info.next_page
            info.next_page += 1
        ref, puts[page_name(node.number)] = seal_page(node, info, self._device_id, self._rng)
        sealed[ref] = node
        return ref

    def _node(self, ref: PageRef) -> Node:
        return self._cached(ref) or self._load([ref])[0]

    def _load(self, refs: Sequence[PageRef]) -> list[Node]:
        missing = sorted(ref for ref in refs if self._cached(ref) is None)
        fresh: dict[PageRef, Node] = {}
        for ref, blob in zip(missing, self._blobs.read([page_name(ref.number) for ref in missing]), strict=True):
            fresh[ref] = open_page(ref, blob, self._device_id)[0]
        nodes = [fresh.get(ref) or cast("Node", self._cached(ref)) for ref in refs]
        for ref, node in fresh.items():
            self._remember(ref, node)
        return nodes

    def _cached(self, ref: PageRef) -> Node | None:
        known = self._cache.get(ref.number)
        return known[1] if known is not None and (known[0] is ref or known[0] == ref) else None

    def _remember(self, ref: PageRef, node: Node) -> None:
        self._cache[ref.number] = (ref, node)
        self._cache.move_to_end(ref.number)
        if len(self._cache) > CACHED_PAGES:
            self._cache.popitem(last=False)


def _position(node: Node, key: bytes) -> int:
    """Index of the child that has this key if any has."""
    return max(bisect_right(node.keys, key) - 1, 0)
