"""Buffers given back by the garbage collector in the middle of an allocation do not overlap live ones."""

import gc
from collections.abc import Iterator

import pytest

from tee_sim.secure.keys import KeyLadder


@pytest.fixture
def eager_collector() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("eager_collector")
def test_keys_stay_right_while_old_ladders_are_collected() -> None:
    expected = KeyLadder(bytes(32), bytes(16)).derive("x")
    for i in range(1500):
        ladder = KeyLadder(bytes(32), bytes(16))
        cycle = [KeyLadder(bytes([i % 255 + 1]) * 32, bytes(16))]
        cycle.append(cycle)  # type: ignore[arg-type]
        assert ladder.derive("x") == expected
