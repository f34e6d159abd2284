"""The generator against its published known answers, and the address scheme."""

import numpy as np
import pytest

from bioguard.errors import InputRefused
from bioguard.simulate.people.counter_rng import normals, philox4x32, uniforms, words

PI = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((0xFFFFFFFF,) * 4, 2**64 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (PI, 0x299F31D0A4093822, "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_known_answers(counter: tuple[int, ...], key: int, expected: str) -> None:
    """kat_vectors of Random123, philox4x32 with 10 rounds."""
    out = philox4x32(np.array(counter, np.uint64)[:, None], key)[:, 0]
    assert " ".join(f"{int(word):08x}" for word in out) == expected


def test_an_address_decides_not_the_order_or_company() -> None:
    many = words(9, 3, np.arange(50), 4, 11)
    assert many.shape == (50, 11)
    for person in (0, 17, 49):
        assert np.array_equal(words(9, 3, person, 4, 11)[0], many[person])
    assert np.array_equal(words(9, 3, 7, np.arange(6), 5)[4], words(9, 3, 7, 4, 5)[0])


def test_every_part_of_the_address_counts() -> None:
    base = words(1, 2, 3, 4, 8)
    others = [words(2, 2, 3, 4, 8), words(1, 3, 3, 4, 8), words(1, 2, 4, 4, 8), words(1, 2, 3, 5, 8)]
    others.append(words(1 + 2**32, 2, 3, 4, 8))
    assert not any(np.array_equal(base, other) for other in others)
    assert len(np.unique(np.concatenate([base, *others]))) == 48


def test_normals_are_normal() -> None:
    z = normals(1, 1, np.arange(2000), 0, 101)
    assert z.shape == (2000, 101)
    assert abs(z.mean()) < 0.01
    assert z.std() == pytest.approx(1, abs=0.005)
    assert np.mean(z > 1.959964) == pytest.approx(0.025, abs=0.001)
    assert abs(np.corrcoef(z[:, 0], z[:, 1])[0, 1]) < 0.08


def test_uniforms_stay_inside() -> None:
    u = uniforms(5, 1, np.arange(1000), 0, 64)
    assert 0 < u.min() < 1e-4 < 1 - 1e-4 < u.max() < 1
    assert np.histogram(u, 10, (0, 1))[0].std() < 300


@pytest.mark.parametrize(
    ("seed", "person", "item", "message"),
    [
        (-1, 0, 0, "seed is out of range"),
        (2**64, 0, 0, "seed is out of range"),
        (0, -1, 0, "person or sample number is out of range"),
        (0, 2**32, 0, "person or sample number is out of range"),
        (0, 0, 2**32, "person or sample number is out of range"),
    ],
)
def test_refusals(seed: int, person: int, item: int, message: str) -> None:
    with pytest.raises(InputRefused) as caught:
        words(seed, 0, person, item, 4)
    assert caught.value.message == message
