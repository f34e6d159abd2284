"""A short form of `python -m bench.fuzz_storage`, and proof that it can fail."""

import random
from pathlib import Path

import pytest

from bench import fuzz_storage
from bench.fuzz_storage import Corpus, attempt, mutate, targets
from tee_sim.storage import ta_store

ATTEMPTS = 150
NAMES = (
    "requests", "store over replies", "pages and rows", "rpmb device", "rpmb client", "rpmb image", "database file",
)  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus.record(tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize("name", NAMES)
def test_decoder_ends_with_a_value_or_our_error(corpus: Corpus, tmp_path: Path, name: str) -> None:
    found = targets(corpus, tmp_path, random.Random(3))
    assert tuple(found) == NAMES
    refused = sum(not attempt(found[name]) for _ in range(ATTEMPTS))
    assert refused > ATTEMPTS // 4


def test_a_store_that_believes_its_rows_is_found(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzz_storage._use(fuzz_storage._opened(fuzz_storage._Replaced(corpus, 0, b"")))
    monkeypatch.setattr(ta_store, "open_body", lambda *_: b"whatever")
    with pytest.raises(AssertionError, match="a wrong answer"):
        fuzz_storage._use(fuzz_storage._opened(fuzz_storage._Replaced(corpus, 0, b"")))


def test_mutations_are_repeatable_and_change_things() -> None:
    seeds = [bytes(range(100)), b"x" * 50]
    one, two = ([mutate(random.Random(i), seeds) for i in range(50)] for _ in range(2))
    assert one == two
    assert sum(raw in seeds for raw in one) < 10
