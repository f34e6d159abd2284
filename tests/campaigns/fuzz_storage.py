"""Fuzz targets of storage: every decoder of it that reads bytes of the normal world, over a small store."""

import random
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.rpmb_chip.file_medium import FileMedium
from tee_sim.normal.supplicant import SqliteBlobs
from tee_sim.normal.supplicant.service import Service
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.rpmb_client import RpmbClient
from tee_sim.secure.storage import ObjectStore, verify
from tee_sim.secure.supplicant_client import RemoteBlobStore, RemoteRpmb
from tee_sim.shared.blobs import Changes, page_name
from tee_sim.shared.codec import decode, encode
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.storage_requests import Operation, parse_rpmb, parse_rpmb_reply
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium
from tests.campaigns.mutation import mutate

HUK, DEVICE_ID, TA = bytes(range(32)), bytes(range(16)), UUID(int=1)
CONTENT = {bytes((i,)) * 3: bytes((i,)) * 40 * i for i in range(60)}


@dataclass
class Corpus:
    """What passes between the worlds, and lies on the disk, while a small store is made, changed and read."""

    requests: dict[int, list[bytes]] = field(default_factory=dict)
    replies: dict[int, list[bytes]] = field(default_factory=dict)
    frames: list[bytes] = field(default_factory=list)
    disk: MemoryBlobs = field(default_factory=MemoryBlobs)
    medium: MemoryMedium = field(default_factory=MemoryMedium)
    image: bytes = b""
    database: bytes = b""

    @classmethod
    def record(cls, directory: Path) -> "Corpus":
        """Play a small store over a recording port."""
        corpus = cls()
        service = Service(corpus.disk, RpmbDevice(corpus.medium))

        class Port:
            def call(self, operation: int, request: list[object]) -> object:
                reply = service.handle(operation, request)
                corpus.requests.setdefault(operation, []).append(encode(request))
                corpus.replies.setdefault(operation, []).append(encode(reply))
                return reply

        store = _opened(Port(), create=True)
        with store.namespace(TA).transaction() as change:
            for object_id, body in CONTENT.items():
                change.put(object_id, body, kind="k", owner=object_id, commitment=bytes(32))
        store = _opened(Port())
        verify(store)
        corpus.requests[Operation.STAGE] = [b"\x81\x82\x41a\x41b"]
        corpus.replies[Operation.STAGE] = [b"\x80"]
        corpus.frames = [parse_rpmb(decode(request))[0] for request in corpus.requests[Operation.RPMB]]
        file = _MemoryFile()
        medium = FileMedium(file)
        client = RpmbClient(RpmbDevice(medium), b"k" * 32, SeededRng(b"fuzz"))
        client.program_key()
        for i in range(4):
            client.write(i, [bytes((i,)) * 256] * 3)
        corpus.image = bytes(file.raw)
        path = directory / "seed.db"
        with closing(SqliteBlobs(path)) as blobs:
            blobs.commit(Changes(dict(corpus.disk.rows)))
        corpus.database = path.read_bytes()
        return corpus


class _MemoryFile:
    """`RawFile` in memory."""

    writable = True

    def __init__(self, raw: bytes = b"") -> None:
        self.raw = bytearray(raw)

    def pread(self, size: int, offset: int) -> bytes:
        return bytes(self.raw[offset : offset + size])

    def pwrite(self, raw: bytes, offset: int) -> None:
        self.raw.extend(bytes(max(0, offset + len(raw) - len(self.raw))))
        self.raw[offset : offset + len(raw)] = raw

    def sync(self) -> None: ...
    def close(self) -> None: ...


class _Replaced:
    """A port that answers the `at`-th message with other bytes."""

    def __init__(self, corpus: Corpus, at: int, reply: bytes) -> None:
        disk, medium = MemoryBlobs(), MemoryMedium()
        disk.rows = dict(corpus.disk.rows)
        medium.key, medium.counter, medium.blocks = corpus.medium.key, corpus.medium.counter, [*corpus.medium.blocks]
        self._service = Service(disk, RpmbDevice(medium))
        self._left, self._reply = at, reply

    def call(self, operation: int, request: list[object]) -> object:
        answer = self._service.handle(operation, request)
        self._left -= 1
        return decode(self._reply) if self._left == 0 else answer


def _opened(port: object, *, create: bool = False) -> ObjectStore:
    return ObjectStore.open(
        RemoteBlobStore(port),  # type: ignore[arg-type]
        RemoteRpmb(port),  # type: ignore[arg-type]
        KeyLadder(HUK, DEVICE_ID),
        SeededRng(b"fuzz"),
        create=create,
    )


def _use(store: ObjectStore) -> None:
    """Read and write; what is read must be what was stored."""
    mine = store.namespace(TA)
    for stored in mine.load():
        if CONTENT[stored.header.object_id] != stored.body:
            raise AssertionError("a wrong answer")
    mine.put(b"new", b"body", kind="k")
    if len(mine) != len(CONTENT) + 1:
        raise AssertionError("an object is missing")


def targets(corpus: Corpus, directory: Path, rng: random.Random) -> dict[str, Callable[[], None]]:
    """Name of each decoder -> one attempt on it."""
    replies = [reply for found in corpus.replies.values() for reply in found]

    def requests() -> None:
        operation = rng.choice(list(Operation))
        request = decode(mutate(rng, corpus.requests[operation]))
        Service(MemoryBlobs(), RpmbDevice(MemoryMedium())).handle(operation, request)

    def store_over_replies() -> None:
        _use(_opened(_Replaced(corpus, rng.randint(1, 12), mutate(rng, replies))))

    def pages_and_rows() -> None:
        port = _Replaced(corpus, 0, b"")
        rows = port._service._blobs.rows  # type: ignore[attr-defined]
        name = rng.choice([page_name(0), *rows])
        rows[name] = mutate(rng, [rows[name], *rng.sample(list(rows.values()), 3)])
        _use(_opened(port))

    def rpmb_device() -> None:
        RpmbDevice(corpus.medium).transfer(mutate(rng, corpus.frames), rng.randrange(4))

    def rpmb_client() -> None:
        answer = mutate(rng, [parse_rpmb_reply(decode(reply)) for reply in corpus.replies[Operation.RPMB]])

        class Transport:
            def transfer(self, request: bytes, reply_frames: int) -> bytes:
                return answer

        client = RpmbClient(Transport(), b"k" * 32, SeededRng(rng.randbytes(4)))
        rng.choice((client.read_counter, lambda: client.read(0, 1), lambda: client.write(0, [bytes(256)])))()
        raise AssertionError("a made-up answer was believed")

    def rpmb_image() -> None:
        medium = FileMedium(_MemoryFile(mutate(rng, [corpus.image])))
        with suppress(OSError):
            for i in range(min(medium.block_count, 8)):
                if medium.read_block(i) not in {bytes(256), *(bytes((n,)) * 256 for n in range(4))}:
                    raise AssertionError("a block that was never written")

    def database() -> None:
        path = directory / "fuzz.db"
        path.write_bytes(mutate(rng, [corpus.database]))
        with closing(SqliteBlobs(path)) as blobs:
            names = blobs.scan(b"", 10)
            blobs.read([*names, *list(corpus.disk.rows)[:10]])
            blobs.commit(Changes({page_name(1): bytes(99)}, tuple(names[:1])))

    return {
        "supplicant requests": requests, "store over replies": store_over_replies, "pages and rows": pages_and_rows,
        "rpmb device": rpmb_device, "rpmb client": rpmb_client, "rpmb image": rpmb_image, "database file": database,
    }  # fmt: skip


def _maker(name: str) -> Callable[[Path, random.Random], Callable[[], None]]:
    return lambda directory, rng: targets(Corpus.record(directory), directory, rng)[name]


MAKERS = {
    name: _maker(name)
    for name in (
        "supplicant requests", "store over replies", "pages and rows", "rpmb device", "rpmb client", "rpmb image",
        "database file",
    )
}  # fmt: skip
