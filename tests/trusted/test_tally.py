"""The tally of a sensor in parts: what changes with a record, what a decision writes, what is left of the erased."""

from random import Random

import pytest

from bioguard.trusted.kept_objects import KeptStore
from bioguard.trusted.sensor import tally as tallies
from bioguard.trusted.sensor.exposure import Exposures, packed_keys
from bioguard.trusted.sensor.tally import (
    Part,
    Tally,
    TallyHead,
    put_records,
    put_tally,
    read_tally,
    recount,
    tally_object,
)
from tee_sim.secure.storage import TaStore
from tests.tee_sim.storage.conftest import TA, World

SENSOR, OTHER = 1, 2
MOST = 4


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> TaStore:
    monkeypatch.setattr(tallies, "MOST_KEYS", MOST)
    return World().open(create=True).namespace(TA)


def change(store: TaStore, erased: tuple[bytes, ...] = (), stored: bytes | None = None) -> None:
    with store.transaction() as transaction:
        recount(store, transaction, SENSOR, erased=erased, stored=stored)


def versions(store: TaStore) -> dict[bytes, int]:
    return {header.object_id: header.version for header in store.headers()}


def written(store: TaStore, before: dict[bytes, int]) -> set[bytes]:
    return {object_id for object_id, _ in versions(store).items() - before.items()}


def check(store: TaStore, truth: dict[bytes, int]) -> None:
    """truth: count of each record."""
    tally = read_tally(store, SENSOR)
    assert {key: tally.exposures.count(key) for key in truth} == truth
    assert len(tally.exposures) == len(truth)
    assert all(0 < part.keys <= MOST for part in tally.parts)
    keys = {one.header.object_id[2:]: one.body for one in store.load(kind="tallykeys")}
    assert {int.from_bytes(number, "big"): len(body) // 8 for number, body in keys.items()} == {
        part.number: part.keys for part in tally.parts
    }, "no part is left beside the tally"
    assert sorted(b"".join(keys.values())) == sorted(b"".join(key[:8] for key in truth)), "of the erased nothing"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_and_goes_is_counted_once_in_one_part(store: TaStore, seed: int) -> None:
    random, truth = Random(seed), dict[bytes, int]()
    for turn in range(120):
        leaning = random.random() < (0.65 if turn < 70 else 0.25)
        before = versions(store)
        if leaning or not truth:
            new = random.randbytes(16)
            change(store, stored=new)
            truth[new] = 0
            assert len(written(store, before)) <= 3, "the head, a part, and the second half of it"
        elif turn % 2:
            gone = tuple(random.sample(sorted(truth), min(len(truth), random.randint(1, 3))))
            change(store, erased=gone)
            truth = {key: count for key, count in truth.items() if key not in gone}
        else:
            near = random.choice(sorted(truth))
            tally = read_tally(store, SENSOR)
            with store.transaction() as transaction:
                put_tally(transaction, SENSOR, tally.with_counts(tally.exposures.after(near=[near])))
            truth[near] += 1
            assert written(store, before) == {tally_object(SENSOR)}, "a decision writes the head alone"
        check(store, truth)


def test_several_changes_in_one_transaction_are_all_there(store: TaStore) -> None:
    ids = [bytes([n]) * 16 for n in range(20)]
    with store.transaction() as transaction:
        put_records(transaction, SENSOR, Tally(), Exposures(tuple(int.from_bytes(i[:8], "big") for i in ids[:18]),
                    bytes(18)), ids[:18])  # fmt: skip
    change(store, erased=tuple(ids[:18:2]), stored=ids[18])
    check(store, dict.fromkeys([*ids[1:18:2], ids[18]], 0))
    change(store, erased=(*ids[1:18:2], ids[18]))
    check(store, {})
    assert not list(store.load(kind="tallykeys"))
    change(store, stored=ids[19])
    check(store, {ids[19]: 0})


def test_changes_that_follow_in_one_transaction_are_all_there(store: TaStore) -> None:
    ids = [bytes([n]) * 16 for n in range(12)]
    kept = KeptStore(store)
    for erased, stored in (((), ids[:9]), (tuple(ids[:8]), ids[9:])):
        with kept.transaction() as transaction:
            for record_id in stored:
                recount(kept, transaction, SENSOR, stored=record_id)
            recount(kept, transaction, SENSOR, erased=erased)
    check(store, dict.fromkeys(ids[8:], 0))


def test_the_sensors_do_not_mix(store: TaStore) -> None:
    for sensor, key in ((SENSOR, 1), (OTHER, 2)):
        with store.transaction() as transaction:
            recount(store, transaction, sensor, stored=bytes([key]) * 16)
    assert [read_tally(store, sensor).keys[0] >> 56 for sensor in (SENSOR, OTHER)] == [1, 2]


@pytest.mark.parametrize(
    ("parts", "bodies"),
    [
        ((Part(0, 2),), {0: (1,)}),
        ((Part(0, 1),), {0: (1, 2)}),
        ((Part(0, 1), Part(1, 1)), {0: (1,)}),
        ((Part(1, 1), Part(0, 1)), {0: (1,), 1: (2,)}),
        ((), {0: (1, 2)}),
        ((Part(0, 1), Part(1, 2)), {0: (1,), 1: (2,)}),
    ],
)
def test_parts_that_are_not_those_of_the_head_are_refused(
    store: TaStore, parts: tuple[Part, ...], bodies: dict[int, tuple[int, ...]]
) -> None:
    with store.transaction() as transaction:
        put_tally(transaction, SENSOR, Tally(counts=bytes(2), parts=parts))
        for number, keys in bodies.items():
            object_id = tally_object(SENSOR) + number.to_bytes(2, "big")
            transaction.put(object_id, packed_keys(keys), kind="tallykeys")
    with pytest.raises(ValueError, match=r"exposure|parts"):
        read_tally(store, SENSOR)


def test_a_decision_writes_a_byte_a_record_and_its_parts() -> None:
    head = TallyHead(search=Tally().search, counts=bytes(10_000), parts=bytes(4 * 14))
    assert len(head.to_bytes()) < 10_000 + 4 * 14 + 20
