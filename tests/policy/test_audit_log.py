"""The log against a model of a dozen lines: appends, failed transactions, pruning, restarts."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bioguard.proofs.merkle import root_hash
from bioguard.records.audit_events import Cause, Event
from bioguard.records.consent import DAY_MS, MAX_MS
from bioguard.records.modality import Modality
from bioguard.trusted.policy.audit_log import LOG_DAYS, AuditLog, Chunk, LogClock, LoggedStore
from tee_sim.shared.clock import FakeClock
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.rng import SeededRng


class MemoryStore:
    """`tee_sim.shared.ta_api.Store` over a dict."""

    def __init__(self) -> None:
        self.objects: dict[bytes, SimpleNamespace] = {}

    @contextmanager
    def transaction(self, _reserve: Reserve = Reserve.NONE) -> Iterator["MemoryStore"]:
        before = dict(self.objects)
        try:
            yield self
        except BaseException:
            self.objects = before
            raise

    def put(self, object_id: bytes, body: bytes, *, kind: str, owner: bytes = b"", commitment: bytes = b"") -> object:
        header = SimpleNamespace(object_id=object_id, version=1, kind=kind, owner=owner, commitment=commitment)
        self.objects[object_id] = SimpleNamespace(header=header, body=body)
        return header

    def erase(self, object_id: bytes) -> None:
        del self.objects[object_id]

    def get(self, object_id: bytes) -> SimpleNamespace:
        if object_id not in self.objects:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such object")
        return self.objects[object_id]

    def fetch(self, object_ids):
        """Nothing is far away here."""

    def find(self, object_id: bytes) -> SimpleNamespace | None:
        return self.objects.get(object_id)

    def headers(self) -> Iterator[object]:
        return iter([o.header for o in self.objects.values()])

    def load(self, *, kind: str | None = None) -> Iterator[SimpleNamespace]:
        return iter([o for o in self.objects.values() if kind in (None, o.header.kind)])

    def state(self) -> tuple[int, bytes]:
        return 0, bytes(32)


class LogMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store, self.clock = MemoryStore(), FakeClock()
        self.journal = AuditLog(self.store, self.clock, SeededRng(b"log"))  # type: ignore[arg-type]
        self.model: list[tuple[Event, int, int]] = []  # event, number, wall time
        self.pruned = 0

    @rule(count=st.integers(1, 40))
    def append(self, count: int) -> None:
        for i in range(count):
            self.journal.note(Event.STARTED, number=i)
            self.model.append((Event.STARTED, i, self.clock.wall_ms()))
        self.journal.flush()

    @rule()
    def a_failed_transaction_leaves_no_entry(self) -> None:
        self.journal.note(Event.STARTED, number=7)
        with pytest.raises(RuntimeError), self.journal.transaction():
            raise RuntimeError

    @rule(days=st.integers(0, 40))
    def wait(self, days: int) -> None:
        self.clock.advance(days * DAY_MS)

    @rule()
    def restart(self) -> None:
        self.journal = AuditLog(self.store, self.clock, SeededRng(b"again"))  # type: ignore[arg-type]

    def _due(self, end_ms: int) -> bool:
        return end_ms <= self.journal.now_ms()

    @rule()
    def prune(self) -> None:
        old = [i for i, (_, _, at) in enumerate(self.model) if at < self.clock.wall_ms() - LOG_DAYS * DAY_MS]
        fresh = [i for i in old if i >= self.pruned]
        assert self.journal.prune(self._due) == len(fresh)
        if fresh:
            self.pruned = fresh[-1] + 1
            self.model.append((Event.LOG_PRUNED, self.pruned, self.clock.wall_ms()))

    @invariant()
    def the_log_is_the_model(self) -> None:
        items = []
        while page := self.journal.read(len(items), 4):
            items += page
        assert len(items) == len(self.model) == self.journal.head.size
        assert root_hash([i.leaf for i in items]) == self.journal.head.frontier.root()
        for number, (item, (event, value, at)) in enumerate(zip(items, self.model, strict=True)):
            assert (item.entry is None) == (number < self.pruned)
            if item.entry:
                assert (item.entry.sequence, item.entry.event, item.entry.number) == (number, event, value)
                assert item.entry.wall_ms == at
                assert item.entry.leaf() == item.leaf


LogMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestLog = LogMachine.TestCase


def started(store: MemoryStore, clock: FakeClock) -> AuditLog:
    return AuditLog(store, clock, SeededRng(b""))  # type: ignore[arg-type]


def logged(journal: AuditLog) -> int:
    journal.note(Event.STARTED, number=1)
    journal.flush()
    return journal.now_ms()


def test_time_does_not_go_back_and_goes_on_where_the_wall_clock_is_set_back() -> None:
    store, clock = MemoryStore(), FakeClock()
    journal = started(store, clock)
    at = logged(journal)
    clock.set_wall_ms(1000)
    assert journal.now_ms() == at
    clock.advance(5_000)
    assert journal.now_ms() == at + 5_000
    clock = FakeClock(wall_ms=1000, boot_ms=clock.boot_ms() + 70_000)
    assert started(store, clock).now_ms() == at + 75_000


def test_what_was_seen_ahead_is_kept_even_if_nothing_was_logged_then() -> None:
    clock = FakeClock()
    journal = started(MemoryStore(), clock)
    clock.set_wall_ms(clock.wall_ms() + DAY_MS)
    ahead = journal.now_ms()
    clock.set_wall_ms(1000)
    assert journal.now_ms() == ahead == logged(journal)


@pytest.mark.parametrize("boot_ms", [0, 10, 59_999])
def test_after_a_reboot_time_goes_on_by_what_has_passed_since_it(boot_ms: int) -> None:
    """At least so much has passed since the log was written; how long the device was off nobody knows."""
    store = MemoryStore()
    at = logged(started(store, FakeClock(boot_ms=60_000)))
    assert started(store, FakeClock(wall_ms=0, boot_ms=boot_ms)).now_ms() == at + boot_ms


@given(st.lists(st.tuples(st.sampled_from(["pass", "set", "log", "reboot", "restart"]), st.integers(0, 10**10))))
def test_no_sequence_takes_time_back_or_slows_it_within_a_boot(steps: list[tuple[str, int]]) -> None:
    store, clock = MemoryStore(), FakeClock()
    journal, last = started(store, clock), 0
    for step, value in steps:
        passed = 0
        if step == "pass":
            clock.advance(value)
            passed = value
        elif step == "set":
            clock.set_wall_ms(value * 1000)
        elif step == "log":
            logged(journal)
        elif step == "reboot":
            logged(journal)
            clock = FakeClock(wall_ms=value * 1000, boot_ms=0)
            journal = started(store, clock)
        else:
            logged(journal)
            journal = started(store, clock)
        now = journal.now_ms()
        assert now >= min(last + passed, MAX_MS)
        last = now


def test_the_applications_clock_is_the_journals() -> None:
    clock = FakeClock()
    journal = started(MemoryStore(), clock)
    given_to_it = LogClock(clock, journal)
    at = logged(journal)
    clock.set_wall_ms(0)
    assert (given_to_it.wall_ms(), given_to_it.boot_ms()) == (at, clock.boot_ms())


def test_what_is_noted_inside_a_transaction_is_written_with_it_and_fails_with_it() -> None:
    store = MemoryStore()
    log = AuditLog(store, FakeClock(), SeededRng(b""))  # type: ignore[arg-type]
    logged_store = LoggedStore(store, log)  # type: ignore[arg-type]
    who, record, digest = b"u" * 16, b"i" * 16, b"d" * 32
    with logged_store.transaction() as transaction:
        transaction.put(b"R" + record, b"sealed", kind="face", owner=who, commitment=digest)
        log.record_stored(who, Modality.FACE, record, digest, Cause.MODEL_STATED)
    log.record_erased(who, Modality.FACE, record, digest, Cause.REQUESTED)
    with pytest.raises(RuntimeError), logged_store.transaction():
        raise RuntimeError
    log.flush()
    with logged_store.transaction() as transaction:
        transaction.erase(b"R" + record)
        log.record_erased(who, Modality.FACE, record, digest, Cause.BY_OPERATOR)
    entries = [item.entry for item in log.read(0, 4)]
    assert [(e.event, e.cause) for e in entries if e] == [
        (Event.RECORD_STORED, Cause.MODEL_STATED),
        (Event.RECORD_ERASED, Cause.BY_OPERATOR),
    ]
    assert all(e and (e.subject, e.record_id, e.digest) == (who, record, digest) for e in entries)


class PowerCut(Exception):
    """The power was cut."""


class CutStore(MemoryStore):
    """Loses power before or right after its commit number `left`, counted from 0."""

    left, stored = -1, False

    @contextmanager
    def transaction(self, reserve: Reserve = Reserve.NONE) -> Iterator["MemoryStore"]:
        self.left -= 1
        if self.left == -1 and not self.stored:
            raise PowerCut
        with super().transaction(reserve) as transaction:
            yield transaction
        if self.left == -1:
            raise PowerCut


class FullStore(MemoryStore):
    """Has no room while `full`: told at the end of a transaction."""

    full = False

    @contextmanager
    def transaction(self, reserve: Reserve = Reserve.NONE) -> Iterator["MemoryStore"]:
        with super().transaction(reserve) as transaction:
            yield transaction
            if self.full:
                raise TeeError(TeeResult.STORAGE_NO_SPACE, "full")


@pytest.mark.parametrize("entries", [0, 3, 31, 32])
def test_what_a_commit_did_not_take_is_in_no_later_chunk(entries: int) -> None:
    store, clock = FullStore(), FakeClock()
    journal = started(store, clock)
    for _ in range(entries):
        logged(journal)
    store.full = True
    for _ in range(2):
        with suppress(TeeError):
            logged(journal)
        journal.doubt()
    store.full = False
    for _ in range(2):
        logged(journal)
    for log in (journal, started(store, clock)):
        items = [log.read(number, 1)[0] for number in range(log.head.size)]
        assert root_hash([item.leaf for item in items]) == log.head.frontier.root()
        assert len(items) == entries + 2
    assert sum(len(Chunk.from_bytes(o.body).items) for i, o in store.objects.items() if i[:1] == b"L") == entries + 2


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("cut_at", range(3))
@pytest.mark.parametrize("entries", [1, 31, 32, 33, 70])
def test_a_power_cut_leaves_no_pruning_without_its_entry(entries: int, cut_at: int, stored: bool) -> None:
    store, clock = CutStore(), FakeClock()
    journal = started(store, clock)
    for _ in range(entries):
        logged(journal)
    clock.advance(LOG_DAYS * DAY_MS + 1)
    store.left, store.stored = cut_at, stored
    with suppress(PowerCut):
        journal.prune(lambda end_ms: end_ms <= clock.wall_ms())
    store.left = -1
    journal = started(store, clock)
    items = [journal.read(number, 1)[0] for number in range(journal.head.size)]
    gone = sum(item.entry is None for item in items)
    reported = [item.entry.number for item in items if item.entry and item.entry.event is Event.LOG_PRUNED]
    assert gone == journal.head.first_body
    assert reported == ([gone] if gone else [])
    assert root_hash([item.leaf for item in items]) == journal.head.frontier.root()


@pytest.mark.parametrize(("age_ms", "pruned"), [(29 * DAY_MS, 0), (30 * DAY_MS, 0), (30 * DAY_MS + 1, 1)])
def test_a_body_is_pruned_right_after_thirty_days(age_ms: int, pruned: int) -> None:
    clock = FakeClock()
    journal = AuditLog(MemoryStore(), clock, SeededRng(b""))  # type: ignore[arg-type]
    journal.note(Event.STARTED, number=1)
    journal.flush()
    clock.advance(age_ms)
    assert journal.prune(lambda end_ms: end_ms <= journal.now_ms()) == pruned
