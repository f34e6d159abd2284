"""Protected codes: they match under their key, and tell nothing without it."""

import numpy as np
import pytest

from bioguard.errors import InputRefused
from bioguard.match.fingerprint import prepare
from bioguard.match.fingerprint.parameters import PROTECTED
from bioguard.match.protected.finger_codes import FingerCoder, protected_scores
from tests.match.fingerprint.fingers import impression, moved, shuffled, template

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
PEOPLE = range(20)


def codes(key: bytes, number: int, epoch: int = 0) -> list[bytes]:
    coder = FingerCoder(key, epoch=epoch)
    return [coder.encode(impression(p, number)) for p in PEOPLE]


def test_same_finger_matches_under_one_key() -> None:
    table = np.stack([protected_scores(c, codes(KEY, 1)) for c in codes(KEY, 0)])
    assert np.mean(table.argmax(axis=1) == np.arange(len(PEOPLE))) >= 0.9


@pytest.mark.parametrize(("key", "epoch"), [(OTHER, 0), (KEY, 1)])
def test_another_key_or_epoch_matches_nothing(key: bytes, epoch: int) -> None:
    """The same print under two keys scores like two fingers: nothing links the codes."""
    mine, theirs = codes(KEY, 0), codes(key, 0, epoch)
    table = np.stack([protected_scores(c, theirs) for c in mine])
    own, cross = np.diag(table), table[~np.eye(len(PEOPLE), dtype=bool)]
    assert abs(own.mean() - cross.mean()) < 3 * cross.std() / np.sqrt(len(own)) + 0.01


def test_neither_order_nor_place_is_in_a_code() -> None:
    coder, print_ = FingerCoder(KEY), impression(1)
    code = coder.encode(print_)
    assert coder.encode(shuffled(print_, 4)) == code
    assert coder.encode(moved(print_, 0, 100, -30)) == coder.encode(moved(print_, 0, 0, 0))
    rows = [code[i : i + 32] for i in range(0, len(code), 32)]
    assert rows == sorted(rows)
    assert len(code) == 32 * int(prepare(print_).codes.any(axis=1).sum())


def test_self_score_and_symmetry() -> None:
    a, b = codes(KEY, 0)[:2]
    assert protected_scores(a, [a])[0] == pytest.approx(1, abs=1e-4)
    assert protected_scores(a, [b])[0] == pytest.approx(protected_scores(b, [a])[0], abs=0.02)


def test_empty_prints_match_nothing() -> None:
    empty = FingerCoder(KEY).encode(template([], [], []))
    assert empty == b""
    assert protected_scores(empty, [empty, codes(KEY, 0)[0]]).tolist() == [PROTECTED.lowest] * 2


@pytest.mark.parametrize("broken", [b"x", bytes(33), bytes(32 * 256)])
def test_broken_codes_are_refused(broken: bytes) -> None:
    with pytest.raises(InputRefused, match="not a protected fingerprint code"):
        protected_scores(broken, [])
    with pytest.raises(InputRefused, match="not a protected fingerprint code"):
        protected_scores(bytes(32), [broken])


def test_a_short_key_is_refused() -> None:
    with pytest.raises(InputRefused, match="an epoch secret has 32 bytes"):
        FingerCoder(b"short")
