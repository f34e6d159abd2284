"""An extractor has one name and one digest, and no other has them."""

import itertools

import pytest

from bioguard.errors import InputRefused
from bioguard.records.extractor import ExtractorIdentity

NBIS = ExtractorIdentity(name="nbis", version="0.1.3+v1", weights_sha256=bytes(32))
LEADER = ExtractorIdentity(name="leader", version="1", weights_sha256=bytes(range(32)))


def test_bytes_and_model() -> None:
    for identity in (NBIS, LEADER):
        assert ExtractorIdentity.from_bytes(identity.to_bytes()) == identity
        assert len(identity.digest) == 16
    assert NBIS.model == "nbis 0.1.3+v1"
    assert LEADER.model == "leader 1 00010203"


def test_whatever_differs_is_another_extractor() -> None:
    made = [
        ExtractorIdentity(name=name, version=version, weights_sha256=weights)
        for name, version, weights in itertools.product(("a", "ab"), ("1", "b1"), (bytes(32), b"\1" * 32))
    ]
    assert len({identity.digest for identity in made}) == len({identity.model for identity in made}) == len(made)


@pytest.mark.parametrize(
    ("name", "version", "weights"),
    [
        ("", "1", bytes(32)),
        ("Nbis", "1", bytes(32)),
        ("a" * 33, "1", bytes(32)),
        ("a b", "1", bytes(32)),
        ("a", "", bytes(32)),
        ("a", "1 2", bytes(32)),
        ("a", "1" * 33, bytes(32)),
        ("a", "1\n", bytes(32)),
        ("a" * 32, "1" * 32, bytes(32)),
        ("a" * 32, "1" * 23, b"1" * 32),
        ("a", "1", bytes(31)),
        ("a", "1", b""),
    ],
)
def test_names_that_mean_two_things_are_refused(name: str, version: str, weights: bytes) -> None:
    with pytest.raises(InputRefused, match="does not name itself") as refused:
        ExtractorIdentity(name=name, version=version, weights_sha256=weights)
    assert refused.value.code == "extractor.identity"
