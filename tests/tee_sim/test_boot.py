"""Boots: the same keys within one, new ones after; a boot ends where clocks disagree; no old name brings one back."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tee_sim.secure.boot_keys import (
    BOOT_OBJECT,
    CORE_UUID,
    READINGS,
    SLACK_MS,
    TIGHT_MS,
    BootRecord,
    begin_boot,
    count_start,
    shared_keys,
)
from tee_sim.shared.clock import FakeClock
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.rng import OsRng, RandomnessKind

A, B = b"A" * 16, b"B" * 16
SYSTEM, SEEDED = RandomnessKind.SYSTEM, RandomnessKind.SEEDED


class Store:
    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.writes = 0

    def get(self, object_id: bytes):
        if object_id not in self.rows:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such object")
        return type("Stored", (), {"body": self.rows[object_id]})()

    def find(self, object_id: bytes):
        return self.get(object_id) if object_id in self.rows else None

    def transaction(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def put(self, object_id: bytes, body: bytes, *, kind: str) -> None:
        assert kind in {"boot", "starts"}
        self.rows[object_id] = body
        self.writes += 1


class Host:
    """The host's clocks, with a store that starts are made on."""

    def __init__(self) -> None:
        self.store, self.clock = Store(), FakeClock(wall_ms=1_800_000_000_000, boot_ms=500_000)

    def start(self, name: bytes | None = A) -> BootRecord:
        return begin_boot(self.store, name, self.clock, OsRng())[0]

    def push(self, ms: int) -> None:
        """What a time namespace does to a process: its boot clock is another, the wall clock is not."""
        self.clock._boot_ms += ms

    def boot_ms(self, name: bytes = A) -> int:
        return begin_boot(self.store, name, self.clock, OsRng())[1].boot_ms()


def test_a_boot_goes_on_and_its_time_counts_from_its_beginning() -> None:
    host = Host()
    first = host.start()
    assert (host.boot_ms(), host.store.writes) == (0, 1)
    host.clock.advance(70_000)
    assert host.start() == first
    assert (host.boot_ms(), host.store.writes) == (70_000, 1)


def test_another_name_is_another_boot_and_the_old_name_brings_nothing_back() -> None:
    host, secrets = Host(), []
    for name in (A, B, A):
        secrets.append(host.start(name).secret)
        assert host.boot_ms(name) == 0
        host.clock.advance(40_000)
    assert len(set(secrets)) == 3


def test_a_start_without_a_name_is_a_boot_of_its_own_and_stores_nothing() -> None:
    host = Host()
    assert host.start(None).secret != host.start(None).secret
    assert host.store.rows == {}


@pytest.mark.parametrize("disturb", [
    lambda host: host.push(SLACK_MS + 1),
    lambda host: host.push(80_000),
    lambda host: host.push(-SLACK_MS - 500_000),
    lambda host: host.clock.set_wall_ms(host.clock.wall_ms() - SLACK_MS - 1),
    lambda host: host.clock.set_wall_ms(0),
])  # fmt: skip
def test_where_the_clocks_disagree_a_boot_ends(disturb) -> None:
    host = Host()
    first = host.start()
    host.clock.advance(10_000)
    disturb(host)
    assert host.start().secret != first.secret
    assert host.boot_ms() == 0
    second = host.start()
    host.clock.advance(30_000)
    assert (host.start(), host.boot_ms()) == (second, 30_000)


def test_a_step_of_the_wall_clock_forward_ends_nothing_and_gives_no_room() -> None:
    host = Host()
    first = host.start()
    host.clock.set_wall_ms(host.clock.wall_ms() + 3_600_000)
    assert host.start().secret == first.secret
    host.push(3_600_000)
    assert host.start().secret != first.secret


def test_small_steps_do_not_add_up() -> None:
    host = Host()
    first, gained = host.start(), 0
    while host.start().secret == first.secret:
        host.push(50)
        gained += 50
    assert gained <= 2 * SLACK_MS + 50


@given(st.lists(st.tuples(st.integers(0, 60_000), st.integers(-90_000, 90_000)), max_size=12))
def test_no_sequence_of_pushes_makes_a_boot_older_than_it_is(steps: list[tuple[int, int]]) -> None:
    """Each step: real time passes, then the process starts with its boot clock pushed by so much."""
    host, real_ms, began = Host(), 0, {}
    base = host.clock.boot_ms()
    for passed, push in steps:
        real_ms += passed
        host.clock = FakeClock(wall_ms=1_800_000_000_000 + real_ms, boot_ms=base + real_ms + push)
        boot, clock = begin_boot(host.store, A, host.clock, OsRng())
        born = began.setdefault(boot.secret, real_ms)
        assert clock.boot_ms() <= real_ms - born + 2 * SLACK_MS


class Stopped(FakeClock):
    """The clocks of a process that is stopped between any two looks at them."""

    looks = 0

    def boot_ms(self) -> int:
        self.looks += 1
        self._wall_ms += TIGHT_MS + 1
        self._boot_ms += TIGHT_MS + 1
        return super().boot_ms()


def test_clocks_that_cannot_be_read_together_are_not_used() -> None:
    clock = Stopped()
    with pytest.raises(TeeError, match="could not be read together") as caught:
        begin_boot(Store(), A, clock, OsRng())
    assert (caught.value.result, clock.looks) == (TeeResult.TIME_NOT_SET, 2 * READINGS)


def test_other_errors_of_the_store_and_what_is_no_boot_are_not_swallowed() -> None:
    host = Host()
    host.store.rows[BOOT_OBJECT] = A
    with pytest.raises(TeeError) as caught:
        host.start()
    assert caught.value.result is TeeResult.BAD_FORMAT

    def broken(object_id: bytes):
        raise TeeError(TeeResult.CORRUPT_OBJECT, "damaged")

    host.store.get = broken
    with pytest.raises(TeeError, match="damaged"):
        host.start()


def test_shared_keys_differ_by_name_by_boot_and_by_randomness() -> None:
    boot = Host().start()
    keys = [
        key
        for one in (boot, replace(boot, secret=bytes(32)))
        for kind in (SYSTEM, SEEDED)
        for key in shared_keys(["x", "y"], one, kind).values()
    ]
    assert len(set(keys)) == 8
    assert {len(k) for k in keys} == {32}
    assert shared_keys(["x"], boot, SYSTEM)["x"] == shared_keys(["y", "x"], boot, SYSTEM)["x"]
    assert shared_keys([], boot, SYSTEM) == {}


def test_starts_are_counted_in_the_store() -> None:
    store = Store()
    assert [count_start(store) for _ in range(3)] == [1, 2, 3]
    assert store.writes == 3


def test_no_application_can_have_the_cores_namespace() -> None:
    with pytest.raises(TeeError, match="the nil uuid belongs to the core"):
        Manifest(uuid=CORE_UUID.bytes, name="x", entry="a:B", code=())
    assert UUID(int=0) == CORE_UUID
