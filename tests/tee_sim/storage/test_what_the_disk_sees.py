"""What an application chooses changes nothing that the normal world sees of its store.

Two applications do the same things in the same order: as many objects, of the same size classes, put, erased and read
at the same times. Everything else they choose differs. The messages to the disk must then be the same but for keyed
names and for ciphertext of the same length.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore, TaStore, object_sealer
from tee_sim.secure.storage.directory_pages import DirectoryEntry, Node, PageRef, RootInfo, open_page, seal_page
from tee_sim.secure.storage.size_classes import pad, padded_size
from tee_sim.secure.supplicant_client import RemoteBlobStore, RemoteRpmb
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.storage_requests import Operation
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium
from tests.tee_sim.storage.conftest import TA

OBJECTS = 6
CLASSES = [(0, 256), (257, 384), (385, 512), (513, 768), (4097, 6144)]


@dataclass(frozen=True)
class Choice:
    """All that an application says of one object, but for the class of its size and when it says it."""

    object_id: bytes
    kind: str
    owner: bytes
    commitment: bytes
    ids: bytes
    body_seed: int

    def body(self, size_class: int, version: int) -> bytes:
        low, high = CLASSES[size_class]
        size = low + (self.body_seed * 7 + version) % (high - low + 1)
        return bytes((self.body_seed * version + i) % 251 for i in range(size))


CHOICES = st.builds(
    Choice,
    object_id=st.binary(max_size=64),
    kind=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=16),
    owner=st.binary(max_size=32),
    commitment=st.sampled_from([b"", b"c" * 32, bytes(32)]),
    ids=st.integers(0, 4).map(lambda n: b"idididid" * n),
    body_seed=st.integers(0, 10**6),
)
APPLICATIONS = st.tuples(
    st.lists(CHOICES, min_size=OBJECTS, max_size=OBJECTS, unique_by=lambda c: c.object_id),
    st.integers(0, 1000),
)
"""Choices, and how it turns the order of what it does in one transaction or one question round."""

WHICH = st.integers(0, OBJECTS - 1)
STEPS = st.one_of(
    st.tuples(st.just("put"), st.dictionaries(WHICH, st.integers(0, len(CLASSES) - 1), min_size=1)),
    st.tuples(st.just("erase"), st.sets(WHICH, min_size=1)),
    st.tuples(st.just("get"), WHICH),
    st.tuples(st.just("fetch"), st.sets(WHICH, min_size=1)),
    st.tuples(st.just("load"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)


@dataclass
class Seen:
    """One device, and the messages that its normal world was sent and answered."""

    choices: list[Choice]
    turn: int
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    medium: MemoryMedium = field(default_factory=MemoryMedium)
    messages: list[tuple[int, list[object], object]] = field(default_factory=list)
    stored: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._service = Service(self.blobs, RpmbDevice(self.medium))
        self._ladder = KeyLadder(bytes(range(32)), bytes(16))
        self.store = self.open(create=True)

    def call(self, operation: int, request: list[object]) -> object:
        answer = self._service.handle(operation, request)
        self.messages.append((operation, request, answer))
        return answer

    def open(self, *, create: bool = False) -> TaStore:
        rng = SeededRng(str(len(self.messages)).encode())
        store = ObjectStore.open(RemoteBlobStore(self), RemoteRpmb(self), self._ladder, rng, create=create)
        return store.namespace(TA)

    def row(self, which: int) -> bytes:
        key = self._ladder.derive("object names")
        return b"o" + hmac.digest(key, TA.bytes + self.choices[which].object_id, "sha256")

    def _turned(self, which: set[int]) -> list[int]:
        order = sorted(which)
        at = self.turn % len(order)
        return order[at:] + order[:at]

    def play(self, step: str, what: Any) -> None:
        if step == "restart":
            self.store = self.open()
        elif step == "load":
            assert {o.header.object_id: o.body for o in self.store.load()} == {
                self.choices[which].object_id: body for which, body in self.stored.items()
            }
        elif step == "get":
            found = self.store.find(self.choices[what].object_id)
            assert (found.body if found else None) == self.stored.get(what)
        elif step == "fetch":
            self.store.fetch([self.choices[which].object_id for which in self._turned(what)])
        elif step == "put":
            with self.store.transaction() as change:
                for which in self._turned(set(what)):
                    choice = self.choices[which]
                    self.stored[which] = choice.body(what[which], len(self.messages))
                    change.put(
                        choice.object_id, self.stored[which], kind=choice.kind, owner=choice.owner,
                        commitment=choice.commitment, ids=choice.ids,
                    )  # fmt: skip
        elif there := what & set(self.stored):
            with self.store.transaction() as change:
                for which in self._turned(there):
                    change.erase(self.choices[which].object_id)
                    del self.stored[which]

    def shape(self) -> list[object]:
        """The messages, with each object under its number, and ciphertext told by its length."""
        numbers = {self.row(which): which for which in range(OBJECTS)}

        def named(name: bytes) -> tuple[str, int]:
            return ("o", numbers[name]) if name in numbers else ("p", int.from_bytes(name[1:], "big"))

        def told(blob: bytes | None) -> int:
            return -1 if blob is None else len(blob)

        shapes: list[object] = []
        for operation, request, answer in self.messages:
            match Operation(operation), request, answer:
                case Operation.READ, names, list(blobs):
                    assert names == sorted(names)  # type: ignore[type-var]
                    shapes.append(("read", sorted(zip(map(named, names), map(told, blobs), strict=True))))  # type: ignore[arg-type]
                case Operation.COMMIT, [puts, deletes, reserved, names, list(around)], [list(answers), list(blobs)]:
                    assert all(part == sorted(part) for part in (puts, deletes, names))  # type: ignore[call-overload]
                    put = sorted((named(name), len(blob)) for name, blob in puts)  # type: ignore[attr-defined]
                    read = sorted(zip(map(named, names), map(told, blobs), strict=True))  # type: ignore[call-overload]
                    writes = [*map(len, around)], [*map(len, answers)]
                    shapes.append(("commit", put, sorted(map(named, deletes)), reserved, read, writes))  # type: ignore[call-overload]
                case Operation.RPMB, [bytes(frames), count], [bytes(reply)]:
                    shapes.append(("rpmb", len(frames), count, len(reply)))
                case _:
                    raise AssertionError("a message that this test does not know")
        return shapes


@settings(deadline=None)
@given(APPLICATIONS, APPLICATIONS, st.lists(STEPS, min_size=1, max_size=12))
def test_what_an_application_chooses_is_not_seen(
    one: tuple[list[Choice], int], other: tuple[list[Choice], int], steps: list[tuple[str, Any]]
) -> None:
    seen = Seen(*one), Seen(*other)
    for step, what in steps:
        for device in seen:
            device.play(step, what)
    assert seen[0].shape() == seen[1].shape()


def test_it_would_be_seen_here() -> None:
    """The comparison has eyes: another class, another object, another time."""
    choices = [Choice(bytes((i,)), "k", b"", b"", b"", i) for i in range(OBJECTS)]
    programs: list[list[tuple[str, Any]]] = [
        [("put", {0: 0}), ("restart", None), ("get", 0)],
        [("put", {0: 1}), ("restart", None), ("get", 0)],
        [("put", {1: 0}), ("restart", None), ("get", 1)],
        [("put", {0: 0}), ("restart", None)],
        [("put", {0: 0}), ("get", 0), ("restart", None)],
    ]
    shapes = []
    for program in programs:
        device = Seen(choices, 0)
        for step, what in program:
            device.play(step, what)
        shapes.append(device.shape())
    assert shapes[3] == shapes[4], "what was written is not read again"
    assert len({str(shape) for shape in shapes}) == len(programs) - 1


def test_equal_bodies_differ_on_the_disk() -> None:
    body = bytes(range(256)) * 4
    choices = [Choice(bytes((i,)), "k", b"o", b"", b"", 0) for i in range(OBJECTS)]
    device = Seen(choices, 0)
    rows: list[bytes] = []
    for _ in range(3):
        with device.store.transaction() as change:
            for choice in choices:
                change.put(choice.object_id, body, kind="k", owner=b"o")
        rows += [device.blobs.rows[device.row(which)] for which in range(OBJECTS)]
    blocks = [row[at : at + 16] for row in rows for at in range(40, len(row) - 15)]
    assert len({len(row) for row in rows}) == 1
    assert len(set(blocks)) == len(blocks), "no 16 bytes of nonces and ciphertext occur twice, at any place"
    fillers = [row[8:40] for row in rows]
    assert len(set(fillers)) == len(fillers), "an absent digest is another one for each object and version"


def test_size_classes() -> None:
    classes = [padded_size(n) for n in range(1, 5000)]
    assert sorted(set(classes)) == [256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144]
    assert all(size <= known for size, known in enumerate(classes, start=1))
    assert all(padded_size(known) == known for known in classes), "each class is the smallest that fits"
    assert padded_size(0) == 256
    assert padded_size(768 << 10) == 768 << 10, "the largest body is a class"


def test_a_page_tells_how_many_entries_it_has_and_nothing_else() -> None:
    sizes = set()
    for length in (0, 1, 30, 64):
        device = Seen([], 0)
        lengths = []
        for i in range(200):
            key = i.to_bytes(2, "big").ljust(length, b"x")[: max(length, 2)]
            device.store.put(key, b"", kind="k" * (length // 4), owner=b"o" * (length // 2))
            lengths.append({name: len(blob) for name, blob in device.blobs.rows.items() if name[:1] == b"p"})
        sizes.add(str(lengths))
    assert len(sizes) == 1


def test_padding_that_we_would_not_have_written_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Seen([], 0)
    for padded, why in (
        (lambda body: pad(body)[:-1] + b"\1", "something behind the body"),
        (lambda body: pad(body) + bytes(128), "a larger class"),
        (lambda body: body, "no padding"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(object_sealer, "pad", padded)
            device.store.put(b"id", b"body", kind="k")
        device.store = device.open()
        with pytest.raises(TeeError) as caught:
            device.store.get(b"id")
        assert caught.value.result is TeeResult.CORRUPT_OBJECT, why


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-1] + b"\1", lambda raw: raw[:-1], lambda raw: raw + bytes(128)])
def test_a_page_that_we_would_not_have_written_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    node = Node(0, [b"key"], [DirectoryEntry(1, 0, bytes(60), b"header").to_bytes()], 7)
    rng = SeededRng(b"page")
    ref, blob = seal_page(node, RootInfo(), bytes(16), rng)
    assert open_page(ref, blob, bytes(16))[0] == node
    associated = b"tee_sim page v2" + bytes(16) + (7).to_bytes(8, "big")
    raw = AESGCM(ref.key).decrypt(bytes(12), blob[32:], associated)
    sealed = AESGCM(ref.key).encrypt(bytes(12), spoil(raw), associated)
    digest = hashlib.sha256(sealed).digest()
    with pytest.raises(TeeError, match="directory page has a wrong size"):
        open_page(PageRef(7, ref.key, digest), digest + sealed, bytes(16))
