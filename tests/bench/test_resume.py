"""Matrices that a stopped run kept: taken up by the same code only, and by no other in silence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench import matchers, resume
from bench.resume import Partial
from bioguard.match import FingerprintGallery

MADE = np.arange(6, dtype=np.float32).reshape(2, 3)


def _asked(
    root: Path, make: Callable[[], np.ndarray] = lambda: pytest.fail("made again")
) -> tuple[np.ndarray, list[str]]:
    words: list[str] = []
    return Partial(root, words.append).array([b"a", b"bc"], make), words


def test_what_is_kept_is_taken_up(tmp_path: Path) -> None:
    root = tmp_path / "partial"
    assert np.array_equal(_asked(root, lambda: MADE)[0], MADE)
    found, words = _asked(root)
    assert (found.tolist(), words) == (MADE.tolist(), [])
    other = Partial(root).array([b"ab", b"c"], lambda: MADE + 1)  # the same bytes, parted otherwise
    assert np.array_equal(other, MADE + 1)
    Partial(root).done()
    assert not root.exists()


@pytest.mark.parametrize("changed", ["comparator", "source", "matchers"])
def test_what_another_comparator_made_is_not_taken_up(
    tmp_path: Path, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "partial"
    with monkeypatch.context() as old:
        if changed == "comparator":
            real = FingerprintGallery.scores
            old.setattr(FingerprintGallery, "scores", lambda *args: real(*args) + 7)
        elif changed == "matchers":
            (tmp_path / "matchers.py").write_bytes(Path(matchers.__file__).read_bytes() + b"# older")
            old.setattr(matchers, "__file__", str(tmp_path / "matchers.py"))
        else:
            old.setattr(resume, "source_digest", lambda: "older")
        _asked(root, lambda: MADE + 7)
    found, words = _asked(root, lambda: MADE)
    assert np.array_equal(found, MADE)
    assert words == [f"{root}: what is kept there was made by other code: it is not used, those sets begin anew"]
    assert _asked(root)[1] == []


def test_what_is_damaged_is_not_taken_up(tmp_path: Path) -> None:
    root = tmp_path / "partial"
    _asked(root, lambda: MADE)
    (path,) = root.glob("*/*.npy")
    for content in (path.read_bytes()[:-3], b"", b"\x93NUMPY"):
        path.write_bytes(content)
        found, words = _asked(root, lambda: MADE)
        assert (found.tolist(), words) == (MADE.tolist(), [f"{path}: damaged: it is not used, its set begins anew"])
