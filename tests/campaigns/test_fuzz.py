"""A short form of `python -m tests.campaigns.fuzz`, and proof that it can fail."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.trusted.biometric.vault import Vault
from tee_sim.secure.core import Core
from tee_sim.secure.hosts.native_functions import NativeFunctions
from tee_sim.secure.hosts.questions import Answers
from tee_sim.secure.storage import object_sealer
from tee_sim.shared.object_header import TAG_BYTES
from tee_sim.shared.ta_api import TaEnv
from tests.campaigns import fuzz_hosts, fuzz_storage, fuzz_worlds
from tests.campaigns.fuzz import MAKERS, attempt, run
from tests.campaigns.fuzz_storage import Corpus
from tests.campaigns.mutation import mutate

pytestmark = pytest.mark.usefixtures("fast_pins")
ATTEMPTS = {"requests to TAs": 400}
ALWAYS = 150


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return Corpus.record(tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize("name", MAKERS)
def test_decoder_ends_with_a_value_or_our_error(tmp_path: Path, name: str) -> None:
    target = MAKERS[name](tmp_path, random.Random(3))
    count = ATTEMPTS.get(name, ALWAYS)
    refused = sum(not attempt(target) for _ in range(count))
    assert refused > count // 4


def test_an_application_that_panics_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(*_: object) -> None:
        raise IndexError

    target = fuzz_worlds.MAKERS["requests to TAs"](tmp_path, random.Random(3))
    attempt(target)
    monkeypatch.setattr(Vault, "user", careless)
    with pytest.raises(AssertionError, match="ended its application"):
        list(map(attempt, [target] * 200))


def test_a_core_that_leaves_a_transaction_open_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = fuzz_hosts.MAKERS["messages of a host"](tmp_path, random.Random(3))
    monkeypatch.setattr(Core, "_run", lambda _core, _instance, call, *_: call())
    with pytest.raises(AssertionError, match="the core is in the middle of something"):
        list(map(attempt, [target] * 200))


def test_a_core_that_answers_from_another_s_store_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = []

    def confused(self: Answers, env: TaEnv, native: NativeFunctions | None) -> None:
        stores.append(env.store)
        made(self, replace(env, store=stores[0]), native)

    made = Answers.__init__
    monkeypatch.setattr(Answers, "__init__", confused)
    target = fuzz_hosts.MAKERS["messages of a host"](tmp_path, random.Random(3))
    with pytest.raises(AssertionError, match="the neighbor has changed"):
        attempt(target)


def test_the_line_and_a_violation_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("rpmb image", 0.05, 1).startswith("rpmb image ")
    monkeypatch.setitem(MAKERS, "rpmb image", lambda _directory, _rng: lambda: 1 // 0)
    with pytest.raises(AssertionError, match="seed 1, attempt 0: ZeroDivisionError"):
        run("rpmb image", 1, 1)


def test_a_store_that_believes_its_rows_is_found(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzz_storage._use(fuzz_storage._opened(fuzz_storage._Replaced(corpus, 0, b"")))
    monkeypatch.setattr(object_sealer, "open_body", lambda *sealed: bytes(len(sealed[-1]) - TAG_BYTES))
    with pytest.raises(AssertionError, match="a wrong answer"):
        fuzz_storage._use(fuzz_storage._opened(fuzz_storage._Replaced(corpus, 0, b"")))


def test_mutations_are_repeatable_and_change_things() -> None:
    seeds = [bytes(range(100)), b"x" * 50]
    one, two = ([mutate(random.Random(i), seeds) for i in range(50)] for _ in range(2))
    assert one == two
    assert sum(raw in seeds for raw in one) < 10
