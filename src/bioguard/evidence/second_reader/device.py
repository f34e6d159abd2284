"""A device's directory: every file, every row, every object."""

import os
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2

from bioguard.evidence.second_reader.directory import Anchor, Entry, Tree, open_anchor, size_class
from bioguard.evidence.second_reader.disk import Disk, Row
from bioguard.evidence.second_reader.flaws import Unreadable, demand, zeros
from bioguard.evidence.second_reader.keys import Ladder, mac, opened
from bioguard.evidence.second_reader.rpmb import read_chip
from bioguard.evidence.second_reader.small_files import FORMS, check_small_file

_RESERVE_BYTES = 1 << 20
_MODE = 0o600
_SCENARIOS = ("scenario.toml", "faults.scenario")
_ASIDE = ".damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One object, opened.

    Attributes:
        application: UUID. object_id, kind, owner, digest, ids: of the sealed header; empty where there is none.
        name: of its row.
        body: its content, CBOR.
        ciphertext: what stands on the disk for it, tag and all.
        key, nonce: that it is sealed with.
    """

    name: bytes
    application: bytes
    object_id: bytes
    kind: str
    owner: bytes
    digest: bytes
    ids: bytes
    body: bytes
    ciphertext: bytes
    key: bytes
    nonce: bytes

    def fields(self) -> Any:
        """Its body as plain values. Raises Unreadable."""
        try:
            return cbor2.loads(self.body)
        except (ValueError, EOFError) as error:
            raise Unreadable("a body is no CBOR") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All that a device's directory holds.

    Attributes:
        objects: of the store, in the order of the directory.
        pages: of the directory: the key of each, and what it seals.
        files: name -> bytes of each file of the directory.
        counter: RPMB writes.
    """

    objects: tuple[StoredObject, ...]
    pages: tuple[tuple[bytes, bytes], ...]
    files: dict[str, int]
    counter: int

    def census(self) -> Counter[tuple[str, str]]:
        """How many objects there are of each owner (hex) and kind."""
        return Counter((o.owner.hex(), o.kind) for o in self.objects)

    def sealed(self) -> tuple[tuple[bytes, bytes], ...]:
        """The key of each object and page, and the ciphertext that is under it."""
        return (*((o.key, o.ciphertext) for o in self.objects), *self.pages)

    def owned(self, owner: bytes) -> tuple[StoredObject, ...]:
        """The objects of one owner."""
        return tuple(o for o in self.objects if o.owner == owner)


def read_device(directory: Path, fuses: str | None = None) -> Contents:
    """Open a device that is at rest, and account for every byte of it.

    Args:
        fuses: text of other fuses than its own, to show that they do not open it.

    Raises:
        Unreadable: something is not as the published formats say, or nothing accounts for it.
    """
    files = _files(directory)
    ladder = Ladder.of(fuses if fuses is not None else files["fuses.simulated"].decode("ascii"))
    for name in FORMS.keys() & files.keys():
        check_small_file(name, files[name])
    chip = read_chip(files["rpmb.img"])
    demand(chip.key == ladder.rpmb_key(), "the RPMB is of another device")
    demand(set(chip.blocks) <= {0}, "the RPMB holds a block that nothing accounts for")
    disk = Disk.read(directory / "storage.db")
    demand(disk.anchor is None and 0 in chip.blocks, "the store has no anchor in its RPMB")
    objects, pages = _objects(disk, ladder, open_anchor(chip.blocks[0], ladder))
    return Contents(
        objects=objects, pages=pages, files={name: len(data) for name, data in files.items()}, counter=chip.counter
    )


def _files(directory: Path) -> dict[str, bytes]:
    """Every file by name: plain, known, of the mode it should have, nothing beside its content. Raises Unreadable."""
    found: dict[str, bytes] = {}
    _bare(directory)
    owner = (directory.stat().st_uid, directory.stat().st_gid)
    for path in sorted(directory.iterdir()):
        demand(path.name != "caches", "caches are there: only starts that are no evidence keep them")
        demand(stat.S_ISREG(path.lstat().st_mode), f"{path.name} is no plain file")
        seen = path.lstat()
        demand(seen.st_mode & 0o077 == 0, f"{path.name} can be read by others")
        demand(stat.S_IMODE(seen.st_mode) == _MODE, f"{path.name} has another mode")
        demand(seen.st_nlink == 1, f"{path.name} has another link")
        demand((seen.st_uid, seen.st_gid) == owner, f"{path.name} has another owner")
        _bare(path)
        demand(path.name not in _SCENARIOS, f"{path.name} is there: a device with scripted faults is not read")
        demand(not path.name.endswith(_ASIDE), f"{path.name} was put aside: nothing accounts for what it holds")
        demand(path.name in _KNOWN, f"{path.name} is not a file of a device")
        found[path.name] = path.read_bytes()
    demand({"fuses.simulated", "storage.db", "rpmb.img"} <= set(found), "a file of the device is missing")
    for name in ("lock", "storage.db-journal"):
        demand(not found.get(name), f"{name} is not empty")
    zeros(found.get("storage.reserve", b""), "storage.reserve")
    demand(len(found.get("storage.reserve", b"")) in (0, _RESERVE_BYTES), "storage.reserve has another size")
    return found


def _bare(path: Path) -> None:
    """No extended attribute but what the host itself sets. Raises Unreadable."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:  # a file system that has none
        return
    ours = [name for name in names if not name.startswith(("security.", "system."))]
    demand(not ours, f"{path.name} has the attribute {ours[:1]}")


_KNOWN = frozenset(
    (*FORMS, "fuses.simulated", "lock", "storage.db", "storage.db-journal", "storage.reserve", "rpmb.img")
)


def _objects(
    disk: Disk, ladder: Ladder, anchor: Anchor
) -> tuple[tuple[StoredObject, ...], tuple[tuple[bytes, bytes], ...]]:
    tree = Tree(disk, ladder)
    entries = tree.entries(anchor)
    demand(tree.seen == set(disk.pages), "a page of storage.db belongs to no directory")
    names = {mac(ladder.derive(b"object names"), entry.key): entry for entry in entries}
    demand(set(names) == set(disk.objects), f"{len(disk.objects)} rows stand for {len(names)} objects")
    demand(len({row.ciphertext for row in disk.objects.values()}) == len(disk.objects), "two rows hold the same bytes")
    found = {entry.key: _object(name, entry, disk.objects[name], ladder, anchor) for name, entry in names.items()}
    _drawn([one.key for one in found.values()], "the key of an object")
    _drawn([one.nonce for one in found.values()], "the nonce of an object")
    _drawn([entry.nonce for entry in entries], "the nonce of a wrapped key")
    _drawn(tree.keys, "the key of a page")
    return tuple(found[entry.key] for entry in entries), tuple(zip(tree.keys, tree.sealed, strict=True))


def _drawn(values: list[bytes], what: str) -> None:
    """Keys and nonces are random and used once: none occurs twice, or is of a few bytes that repeat."""
    demand(len(set(values)) == len(values), f"{what} is used twice")
    demand(all(len(set(value)) > len(value) // 3 for value in values), f"{what} is not random")


def _object(name: bytes, entry: Entry, row: Row, ladder: Ladder, anchor: Anchor) -> StoredObject:
    what = f"an object of {entry.application.hex()}"
    try:
        application, object_id, version, kind, owner, digest, ids = cbor2.loads(entry.header)
    except (ValueError, TypeError, EOFError) as error:
        raise Unreadable(f"the header of {what} has another form") from error
    demand(application + object_id == entry.key, f"the header of {what} is another's")
    demand(row.version == version <= anchor.epoch, f"{what} has another version")
    visible = digest or mac(ladder.derive(b"absent digests"), entry.header)
    demand(row.digest == visible, f"{what} has another digest")
    demand(entry.generation in anchor.salts, f"{what} is of a generation whose salt is gone")
    wrap_key = ladder.wrap_key(application, anchor.salts[entry.generation])
    about = ladder.device_id + entry.header
    key = opened(wrap_key, entry.nonce, entry.wrapped, b"tee_sim wrap v2" + about, f"the key of {what}")
    padded = opened(key, row.nonce, row.ciphertext, b"tee_sim object v2" + about, what)
    demand(len(padded) == size_class(entry.size), f"{what} has another size")
    zeros(padded[entry.size :], f"the end of {what}")
    return StoredObject(
        name=name, application=application, object_id=object_id, kind=kind, owner=owner, digest=digest, ids=ids,
        body=padded[: entry.size], ciphertext=row.ciphertext, key=key, nonce=row.nonce,
    )  # fmt: skip
