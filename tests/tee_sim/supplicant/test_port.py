"""The secure world's end of the supplicant: answers of the wrong kind, and large transactions."""

from collections.abc import Callable
from typing import cast

import pytest

from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import RequestNote, Service
from tee_sim.secure.supplicant_client import RemoteBlobStore, RemoteRpmb
from tee_sim.shared.blobs import Changes, carry_out, page_name
from tee_sim.shared.codec import encode
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_FRAME_BYTES
from tee_sim.shared.rpmb_frames import FRAME_BYTES, Frame, Request, RpmbResult
from tee_sim.shared.storage_requests import Operation
from tee_sim.shared.wire import StorageReply, pack
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium

NONE = page_name(99)
P1, P2 = page_name(1), page_name(2)
NO_NAMES = (b"", b"b", b"aa", b"p", b"p" + bytes(7), b"p" + bytes(9), b"o" + bytes(31), b"o" + bytes(33), bytes(33))


class Answer:
    """A port that says one thing."""

    def __init__(self, reply: object) -> None:
        self.reply = reply

    def call(self, operation: int, request: list[object]) -> object:
        if isinstance(self.reply, TeeError):
            raise self.reply
        return self.reply


def refused(call: Callable[[], object]) -> TeeResult:
    with pytest.raises(TeeError) as caught:
        call()
    return caught.value.result


@pytest.mark.parametrize("result", [r for r in TeeResult if r])
def test_a_supplicant_has_five_results_and_no_other(result: TeeResult) -> None:
    known = {
        TeeResult.STORAGE_NO_SPACE,
        TeeResult.STORAGE_NOT_AVAILABLE,
        TeeResult.STORAGE_READ_ONLY,
        TeeResult.BUSY,
        TeeResult.CORRUPT_OBJECT,
    }
    blobs = RemoteBlobStore(Answer(TeeError(result, "whatever")))
    assert refused(lambda: blobs.read([b"a"])) == (result if result in known else TeeResult.STORAGE_NOT_AVAILABLE)


READ_REPLIES = [[], [None, None], [1], ["text"], [[b"x"]], {}, b"x", None]


@pytest.mark.parametrize("reply", READ_REPLIES)
def test_replies_of_the_wrong_type_to_a_read(reply: object) -> None:
    blobs = RemoteBlobStore(Answer(reply))
    assert refused(lambda: blobs.read([b"a"])) == TeeResult.BAD_FORMAT


@pytest.mark.parametrize("names", [[P2, P1], [P1, P1], [b"a"], [b""], [P1[:-1]], [P1, P2, NONE], [1]])
def test_names_out_of_order_or_bounds(names: list[object]) -> None:
    blobs = RemoteBlobStore(Answer(names))
    assert refused(lambda: blobs.scan(b"a", 2)) == TeeResult.BAD_FORMAT


COMMITTED: list[object] = [
    [], [[]], [[], [], []], [None, [b"x"]], [[], None], [[], []], [[], [None, None]], [[], [1]], [[], [[b"x"]]], None,
]  # fmt: skip
FRAME = bytes(FRAME_BYTES)


@pytest.mark.parametrize("reply", [*COMMITTED, [[FRAME], [b"x"]], [[FRAME, FRAME], [b"x"]]])
def test_a_commit_is_answered_with_what_was_asked_for(reply: object) -> None:
    blobs = RemoteBlobStore(Answer(reply))
    assert refused(lambda: blobs.commit_around(None, Changes({b"a": b"x"}), [b"a"], ())) == TeeResult.BAD_FORMAT


@pytest.mark.parametrize(
    "reply",
    [*COMMITTED, [[], [b"x"]], [[FRAME] * 3, [b"x"]], [[FRAME, FRAME], []], [[FRAME[1:]], []], [[1], []], [[None], []]],
)
def test_a_commit_between_two_writes_of_the_rpmb_is_answered_with_their_answers(reply: object) -> None:
    blobs = RemoteBlobStore(Answer(reply))
    around = (FRAME * 2, FRAME * 2)
    assert refused(lambda: blobs.commit_around(None, Changes({b"a": b"x"}), [b"a"], around)) == TeeResult.BAD_FORMAT


def test_whoever_is_at_the_disk_stops_where_a_step_fails() -> None:
    """The chip has no key: a write is refused, and the transaction not begun."""
    disk, medium, notes = MemoryBlobs(), MemoryMedium(), list[RequestNote]()
    port = Direct(Service(disk, RpmbDevice(medium), log=notes.append))
    write = Frame(type=Request.WRITE, block_count=1).to_bytes() + Frame(type=Request.READ_RESULT).to_bytes()
    done = RemoteBlobStore(port).commit_around(None, Changes({page_name(1): b"x"}), [page_name(1)], (write, write))
    assert (len(done.answers), done.found, disk.rows) == (1, [], {})
    assert Frame.from_bytes(done.answers[0]).result == RpmbResult.NO_KEY
    assert [note.operation for note in notes] == [Operation.COMMIT]


def test_what_does_not_fit_in_the_answer_to_a_commit_is_read() -> None:
    notes: list[RequestNote] = []
    port = Direct(Service(MemoryBlobs(), RpmbDevice(MemoryMedium()), log=notes.append))
    puts = {page_name(i): bytes((i,)) * 300_000 for i in range(3)}
    puts |= {page_name(i): b"" for i in range(3, 60)}
    names = [*puts, NONE]
    assert RemoteBlobStore(port).commit_around(None, Changes(puts), names, ()).found == [*puts.values(), None]
    assert [note.operation for note in notes] == [Operation.COMMIT, Operation.READ]
    assert port.largest < MAX_FRAME_BYTES


def test_a_commit_that_reads_nothing_back_is_answered_with_nothing() -> None:
    assert refused(lambda: RemoteBlobStore(Answer([b"x"])).commit(Changes())) == TeeResult.BAD_FORMAT


@pytest.mark.parametrize("reply", [[bytes(511)], [bytes(1024)], [b""]])
def test_rpmb_answers_have_the_length_asked_for(reply: object) -> None:
    assert refused(lambda: RemoteRpmb(Answer(reply)).transfer(bytes(512), 1)) == TeeResult.COMMUNICATION


class Direct:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.largest = 0

    def call(self, operation: int, request: list[object]) -> object:
        reply = self.service.handle(operation, request)
        self.largest = max(self.largest, len(encode(request)), len(encode(reply)))
        return reply


class Chip:
    """Answers this to everything."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def transfer(self, request: bytes, reply_frames: int) -> bytes:
        return self.answer


@pytest.mark.parametrize("answer", [b"", bytes(FRAME_BYTES - 1), Frame(result=RpmbResult.GENERAL_FAILURE).to_bytes()])
def test_nothing_is_written_after_what_is_no_result_of_the_chip(answer: bytes) -> None:
    done = carry_out(Chip(answer), (FRAME, FRAME), lambda: pytest.fail("the transaction was begun"), [])
    assert done == ([answer], [])


def test_what_is_read_back_fits_into_one_message_with_two_answers_of_the_rpmb() -> None:
    service = Service(MemoryBlobs(), Chip(FRAME))
    fitting = set()
    for spare in range(0, 8 * FRAME_BYTES, 64):
        puts = {P1: bytes(1 << 19), P2: bytes(MAX_FRAME_BYTES - (1 << 19) - spare)}
        for put in puts.items():
            service.handle(Operation.STAGE, [[*put]])
        answers, found = service.handle(Operation.COMMIT, [[], [], False, [*puts], [FRAME, FRAME]])
        assert answers == [FRAME, FRAME]
        assert len(pack(StorageReply(result=TeeResult.SUCCESS, reply=[answers, found]))) <= MAX_FRAME_BYTES
        fitting.add(len(cast("list[object]", found)))
    assert fitting == {1, 2}


def test_large_transactions_and_reads_go_in_parts_and_commit_once() -> None:
    notes: list[RequestNote] = []
    disk = MemoryBlobs()
    port = Direct(Service(disk, RpmbDevice(MemoryMedium()), log=notes.append))
    blobs = RemoteBlobStore(port)
    puts = {page_name(i): bytes((i,)) * 200_000 for i in range(20)}
    gone = page_name(30)
    disk.rows[gone] = b"x"
    blobs.commit(Changes(puts, (gone,)))
    assert disk.rows == puts
    assert blobs.read([*puts, NONE]) == [*puts.values(), None]
    kinds = [note.operation for note in notes]
    assert kinds.count(Operation.COMMIT) == 1
    assert kinds.count(Operation.STAGE) == 3
    assert kinds.count(Operation.READ) >= 4
    assert port.largest < MAX_FRAME_BYTES
    with pytest.raises(TeeError, match="blob is larger than a message"):
        blobs.commit(Changes({page_name(0): bytes(MAX_FRAME_BYTES)}))


@pytest.mark.parametrize(
    ("operation", "request_", "result"),
    [
        (0, [], TeeResult.NOT_SUPPORTED),
        (6, [], TeeResult.NOT_SUPPORTED),
        (Operation.READ, [b""], TeeResult.BAD_FORMAT),
        (Operation.READ, [b"a"] * 1025, TeeResult.BAD_FORMAT),
        (Operation.SCAN, [b"", 0], TeeResult.BAD_FORMAT),
        (Operation.SCAN, [b"", 4097], TeeResult.BAD_FORMAT),
        (Operation.COMMIT, [[[b"a", b""], [b"a", b""]], [], False, [], []], TeeResult.BAD_FORMAT),
        (Operation.COMMIT, [[[b"a", b""]], [b"a"], False, [], []], TeeResult.BAD_FORMAT),
        (Operation.COMMIT, [[], [b"a", b"a"], False, [], []], TeeResult.BAD_FORMAT),
        (Operation.COMMIT, [[], [], False, [b""], []], TeeResult.BAD_FORMAT),
        (Operation.COMMIT, [[], [], False, [b"a"] * 1025, []], TeeResult.BAD_FORMAT),
        (Operation.COMMIT, [[], [], 0, [], []], TeeResult.BAD_FORMAT),
        (Operation.COMMIT, [[], [], False, []], TeeResult.BAD_FORMAT),
        (Operation.COMMIT, [[], [], False, [], [bytes(512)]], TeeResult.BAD_FORMAT),
        (Operation.COMMIT, [[], [], False, [], [bytes(512), 1]], TeeResult.BAD_FORMAT),
        (Operation.COMMIT, [[], [], False, [], [b"", b""]], TeeResult.COMMUNICATION),
        (Operation.STAGE, [[NONE, b"", [1, "k"]]], TeeResult.BAD_FORMAT),
        (Operation.STAGE, [[NONE]], TeeResult.BAD_FORMAT),
        (Operation.STAGE, [[NONE, "text"]], TeeResult.BAD_FORMAT),
        *((Operation.READ, [name], TeeResult.BAD_FORMAT) for name in NO_NAMES),
        *((Operation.STAGE, [[name, b""]], TeeResult.BAD_FORMAT) for name in NO_NAMES),
        *((Operation.COMMIT, [[], [name], False, [], []], TeeResult.BAD_FORMAT) for name in NO_NAMES),
        (Operation.RPMB, [bytes(511), 1], TeeResult.COMMUNICATION),
        (Operation.RPMB, [bytes(512), 65], TeeResult.COMMUNICATION),
    ],
)
def test_bad_requests_are_refused_and_noted(operation: int, request_: object, result: TeeResult) -> None:
    notes: list[RequestNote] = []
    service = Service(MemoryBlobs(), RpmbDevice(MemoryMedium()), log=notes.append)
    assert refused(lambda: service.handle(operation, request_)) == result
    assert [note.result for note in notes] == ([] if result == TeeResult.NOT_SUPPORTED else [result])
