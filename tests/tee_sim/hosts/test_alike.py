"""What an application is given behind a pipe behaves as what it is given in the core's own process.

The same steps are played through both; what each step came to, and what the store holds afterwards, must be equal.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tee_sim.normal.client import Context
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import NO_PARAMS
from tee_sim.shared.reserve import Reserve
from tee_sim.testing.in_process import InProcessTee
from tests.tee_sim.hosts import player
from tests.tee_sim.hosts.player import PEER, Player, Step
from tests.tee_sim.hosts.threads import ThreadedTee

MEMORY = Path("/dev/shm")
ONE, OTHER = player.manifest(1, calls=(PEER,)), player.manifest(2)

IDS = st.sampled_from([b"a", b"bb", b"ccc", b"d" * 64, b"", b"e" * 65])
SIZES_BYTES = st.sampled_from([0, 1, 200, 90_000, 100_001])
KINDS = st.sampled_from(["", "k", "old", "new", "k" * 16, "k" * 17, "\n"])
OWNERS = st.sampled_from([b"", b"owner", bytes(33)])
PUTS = st.tuples(
    st.just("put"),
    IDS,
    SIZES_BYTES,
    KINDS | st.just("k"),
    OWNERS | st.just(b""),
)
READS = st.one_of(
    st.tuples(st.just("get"), IDS),
    st.tuples(st.just("find"), IDS),
    st.tuples(st.just("fetch"), st.lists(IDS, max_size=5)),
    st.just(("headers",)),
    st.tuples(st.just("load"), st.none() | KINDS, st.integers(0, 4)),
    st.just(("two_walks",)),
    st.just(("state",)),
)
OTHERS = st.one_of(
    st.tuples(
        st.just("derive"),
        st.sampled_from(["", "label", "l" * 64]),
        st.binary(max_size=9),
        st.sampled_from([1, 32, 8160]),
    ),
    st.tuples(st.just("statement"), st.sampled_from(["two", "four", ""]), IDS, st.just(0)),
    st.tuples(st.just("check"), st.sampled_from(["one", "two", "three", ""]), st.binary(max_size=70)),
    st.tuples(st.just("digest"), st.binary(max_size=9)),
    st.just(("time",)),
    st.tuples(st.just("random"), st.sampled_from([1, 32, 5000])),
    st.just(("ask_peer", 1)),
)
INSIDE = st.lists(PUTS | PUTS | READS | st.tuples(st.just("erase"), IDS) | st.just(("nest",)) | OTHERS, max_size=7)
TRANSACTIONS = st.tuples(st.just("transact"), st.sampled_from(list(Reserve)), INSIDE, st.booleans())
STEPS = st.lists(TRANSACTIONS | TRANSACTIONS | READS | OTHERS, max_size=8)
OF_THE_PEER = st.lists(
    READS | INSIDE.map(lambda steps: ("transact", Reserve.NONE, [("put", b"peer", 3, "k"), *steps], False)), max_size=3
)
"""Not a transaction without changes: while its caller has one open, it is refused at its beginning in the core's own
process, and not at all behind a pipe, where the core is not asked for nothing."""


@contextmanager
def world(kind: type[InProcessTee], folder: Path) -> Iterator[InProcessTee]:
    with ExitStack() as stack:
        storage = Supplicant(folder)
        stack.callback(storage.close)
        tee = kind([ONE, OTHER], storage)
        if isinstance(tee, ThreadedTee):
            stack.callback(tee.close)
        yield tee


def played(kind: type[InProcessTee], calls: list[list[Step]], of_peer: list[Step]) -> list[Any]:
    """What came of the calls, each of them a list of steps, and what is stored at the end."""
    outcomes: list[Any] = []
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name, world(kind, Path(name)) as tee:
        for steps in calls:
            Player.todo[:], Player.done[:] = [steps, of_peer], []
            try:
                with Context(tee).open_session(ONE.ta_uuid) as session:
                    session.invoke(0, NO_PARAMS)
            except TeeError as error:
                outcomes.append((error.result, error.origin))
            outcomes.append(list(Player.done))
        Player.todo[:], Player.done[:] = [[("headers",), ("load", None, 99)]], []
        for owner in (ONE, OTHER):
            with Context(tee).open_session(owner.ta_uuid) as session:
                session.invoke(0, NO_PARAMS)
        return [*outcomes, list(Player.done)]


def alike(calls: list[list[Step]], of_peer: list[Step] | None = None) -> list[Any]:
    """Both, compared."""
    direct = played(InProcessTee, calls, of_peer or [])
    assert played(ThreadedTee, calls, of_peer or []) == direct
    return direct


PUT_A = ("put", b"a", 0, "old")
PUT_B = ("put", b"bb", 1, "b")
NEW_A = ("put", b"a", 0, "new")


def transact(*steps: Step, fails: bool = False) -> Step:
    return ("transact", Reserve.NONE, list(steps), fails)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=3), OF_THE_PEER)
@example([[transact(PUT_A)], [("get", b"a"), transact(NEW_A, ("erase", b"bb"), ("get", b"a"))]], [])
def test_the_same_steps_come_to_the_same(calls: list[list[Step]], of_peer: list[Step]) -> None:
    alike(calls, of_peer)


@pytest.mark.parametrize("read", [("get", b"a"), ("find", b"a"), ("fetch", [b"a"])])
def test_a_transaction_reads_what_it_wrote_after_it_went_to_the_core(read: Step) -> None:
    """What was read before it is kept to the end of the call; what it writes is newer."""
    before = [[transact(PUT_A, PUT_B)]]
    erasing = [("erase", b"bb"), ("find", b"bb"), ("find", b"a")]
    alike([*before, [read, ("find", b"bb"), transact(NEW_A, *erasing), ("find", b"a"), ("find", b"bb")]])
    alike([*before, [read, transact(("erase", b"a"), ("find", b"a"), NEW_A, ("find", b"a")), ("find", b"a")]])
    alike([*before, [("find", b"ccc"), transact(("erase", b"a"), ("put", b"ccc", 1, "k"), ("find", b"ccc"))]])
    alike([*before, [read, transact(NEW_A, ("erase", b"bb"), fails=True), ("find", b"a"), ("find", b"bb")]])


@pytest.mark.parametrize(
    "steps",
    [
        [("leave_open",)],
        [transact(PUT_A), ("leave_open",)],
        [("leave_open",), ("headers",)],
        [transact(PUT_A, ("leave_open",))],
        [transact(PUT_A, ("panic",))],
        [("panic",)],
    ],
)
def test_what_is_left_open_is_a_panic_in_both(steps: list[Step]) -> None:
    outcomes = alike([[transact(PUT_B)], steps, [("headers",), transact(NEW_A)]])
    assert (
        any(outcome[0] is TeeResult.TARGET_DEAD for outcome in outcomes if isinstance(outcome, tuple))
        or steps[0][0] == "transact"
    )


@pytest.mark.parametrize("inside", [True, False])
def test_a_peer_that_writes_meets_the_transaction_of_its_caller(inside: bool) -> None:
    of_peer = [transact(("put", b"peer", 1, "k")), ("headers",)]
    steps = [transact(PUT_A, ("ask_peer", 1), PUT_B)] if inside else [transact(PUT_A), ("ask_peer", 1)]
    outcomes = alike([steps], of_peer)
    refused = ("transact", TeeResult.BAD_STATE) in [done[:2] for done in outcomes[0]]
    assert refused is inside


def test_too_many_objects_are_refused_and_nothing_is_stored() -> None:
    """In the core's own process at the object too many, behind a pipe at the end."""
    assert alike([[("fill", 11), ("headers",)]])[0] == [
        ("fill", TeeResult.STORAGE_NO_SPACE, Origin.TEE),
        ("headers", []),
    ]
    assert len(alike([[("fill", 10), ("headers",)]])[0][1][1]) == 10


def test_more_walks_than_may_be_open_are_refused_and_end_with_the_call() -> None:
    steps: list[Step] = [transact(*(("put", bytes([65 + i]), 90_000, "k") for i in range(6)))]
    outcomes = alike([steps, [("load", None, 1)] * 20, [("load", None, 9), ("two_walks",)]])
    assert len(outcomes[1]) == 20


def test_a_walk_that_goes_on_in_another_call_is_a_panic_and_no_end_of_the_process(tmp_path: Path) -> None:
    big: Step = transact(*(("put", bytes([65 + i]), 90_000, "k") for i in range(6)))
    with world(ThreadedTee, tmp_path) as tee, Context(tee).open_session(ONE.ta_uuid) as session:
        Player.todo[:], Player.done[:] = [[big], [("walk_and_leave",)], [("go_on",)]], []
        for command in (0, 1):
            session.invoke(command, NO_PARAMS)
        with pytest.raises(TeeError, match="panicked"):
            session.invoke(2, NO_PARAMS)
        assert isinstance(tee, ThreadedTee)
        assert all(pipe.alive for pipe in tee.pipes[ONE.name])


@pytest.mark.parametrize("reserve", list(Reserve))
def test_a_reserve_above_the_manifest_s_is_denied_in_both(reserve: Reserve) -> None:
    said = alike([[("transact", reserve, [PUT_A], False), ("find", b"a")]])
    denied = ("transact", TeeResult.ACCESS_DENIED)
    assert (said[0][0][:2] == denied) is (reserve is Reserve.ALL), "the manifest of a player states anchored"
    assert (said[0][-1] == ("find", None)) is (reserve is Reserve.ALL)


def test_it_is_the_core_that_denies_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is taken over asks all the same."""
    monkeypatch.setattr("tee_sim.secure.hosts.asked_store.refuse_more_than", lambda *_: None)
    for inside in ([PUT_A], [PUT_A, ("headers",), ("erase", b"a")]):  # one TRANSACT, and BEGIN with what follows
        said = played(ThreadedTee, [[("transact", Reserve.ALL, inside, False)]], [])
        assert said[0] == [("transact", TeeResult.ACCESS_DENIED, said[0][0][2])]
        assert said[-1][0] == ("headers", []), "nothing was stored"
    monkeypatch.setattr("tee_sim.secure.storage.ta_store.refuse_more_than", lambda *_: None)
    said = played(ThreadedTee, [[("transact", Reserve.ALL, [PUT_A], False)]], [])
    assert said[0][-1] == ("transact", None), "and without it nobody does"


def test_a_peer_that_draws_in_a_transaction_of_its_own_draws_nothing_where_its_caller_has_one_open() -> None:
    of_peer: list[Step] = [("transact", Reserve.NONE, [("put", b"peer", 3, "k"), ("random", 5000)], False)]
    alike(
        [[("transact", Reserve.NONE, [("put", b"a", 1, "k", b"", b""), ("ask_peer", 1)], True), ("random", 32)]],
        of_peer,
    )


KNOWN = ("put_known", b"a", 2)


@pytest.mark.parametrize(
    "steps",
    [
        [KNOWN, ("statement", "one", b"a", 0), ("get", b"a")],
        [KNOWN, ("statement", "two", b"a", 0), ("statement", "one", b"b", 0)],
        [
            ("put_known", b"c", 1),
            ("statement", "three", b"c", 0),
            ("put_known", b"c", 1),
            ("statement", "three", b"c", 0),
        ],
        [("digest", b"message"), ("grind", 61)],
        [KNOWN, transact(("erase", b"a"), ("statement", "one", b"a", 0)), ("get", b"a")],
        [transact(("put_drawn", b"a"), ("statement", "one", b"a", 0)), ("statement", "one", b"a", 0)],
        [
            KNOWN,
            transact(("put_drawn", b"a"), ("statement", "one", b"a", 0), fails=True),
            ("statement", "one", b"a", 0),
        ],
        [transact(("put", b"x", 0, "k", b"", bytes(5)), ("put", b"x", 0, "k", b"", b"", b"1234567")), ("get", b"x")],
        [transact(("put", b"x", 0, "k", b"", b"", bytes(40)))],
    ],
)
def test_what_the_core_makes_is_the_same_in_both(steps: list[Step]) -> None:
    outcomes = alike([[*steps, ("random", 8)], [("headers",)]])
    assert all(isinstance(outcome, list) for outcome in outcomes), "no call ended otherwise"
    assert outcomes[0][-1][0] == "random"


@pytest.mark.parametrize("kind", [InProcessTee, ThreadedTee])
def test_salts_are_the_system_s_on_a_seeded_device(kind: type[InProcessTee]) -> None:
    one, other = (played(kind, [[("salt", 16), ("random", 16), ("salt", 0)]], [])[0] for _ in range(2))
    assert (len(one[0][1]), one[1], one[2]) == (16, other[1], ("salt", b""))
    assert one[0] != other[0]


def test_a_digest_is_put_behind_a_pipe() -> None:
    said = played(ThreadedTee, [[("put_digest", b"d"), ("put_digest", b"d"), ("put_digest", b"e")]], [])
    assert said[0] == [("put_digest", True)] * 3


@pytest.mark.parametrize("kind", [InProcessTee, ThreadedTee])
@pytest.mark.parametrize(
    "step",
    [
        transact(("put", b"x", 0, "k", b"", bytes(32))),
        transact(("put", b"x", 0, "k", b"", bytes(32)), ("headers",)),
        transact(("put", b"x", 0, "k", b"", b"", b"12345678")),
        transact(
            ("put", b"y", 90_000, "k"), ("put", b"x", 90_000, "k", b"", b"", b"12345678"), ("put", b"z", 90_000, "k")
        ),
        ("statement", "one", b"a", 7),
        ("statement", "three", b"a", 0),
        ("statement", "one", b"k", 0),
        ("grind", 65),
    ],
)
def test_what_the_core_has_not_made_is_a_panic_and_nothing_is_stored(kind: type[InProcessTee], step: Step) -> None:
    before: list[Step] = [KNOWN, transact(("put", b"k", 0, "k"))]
    outcomes = played(kind, [before, [step], [("headers",)]], [])
    assert outcomes[1] == (TeeResult.TARGET_DEAD, Origin.TEE)
    assert [header[0] for header in outcomes[3][0][1]] == [b"a", b"k"]


def test_an_application_that_catches_the_error_ends_all_the_same() -> None:
    """In the core's own process it could go on: what it has done is remembered to the end of the call."""
    said = played(InProcessTee, [[("swallow",), KNOWN], [("headers",)]], [])
    assert said[0] == (TeeResult.TARGET_DEAD, Origin.TEE)
