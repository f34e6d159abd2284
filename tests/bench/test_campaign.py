"""All-pairs campaigns: the counts are those of a plain loop, in any order, interrupted or on a cluster."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bench import campaign
from bench import cluster as cluster_of_dask
from bench.metrics.rates import Scores
from bioguard.errors import InputRefused
from bioguard.match import CodeGallery

PEOPLE = 1000
BLOCK = 250
SIDE = 4


@pytest.fixture(scope="module")
def whole() -> campaign.Counts:
    return campaign.run(people=PEOPLE, seed=4, block=BLOCK)


def test_counts_are_those_of_the_distances() -> None:
    people = 300
    counts = campaign.run(people=people, seed=2)
    rows, columns = campaign._codes(2, people, campaign.BLOCK, 0, 0), campaign._codes(2, people, campaign.BLOCK, 0, 1)
    distances = CodeGallery(rows).distances(columns).astype(np.int64)
    same = np.eye(people, dtype=bool)
    assert np.array_equal(counts[0], np.bincount(distances[same], minlength=1025))
    assert np.array_equal(counts[1], np.bincount(distances[~same], minlength=1025))
    figures = campaign.figures(counts)
    scores = Scores(-distances[same], -distances[~same])
    for target in ("0.01", "0.001"):
        point, found = scores.at_fmr(float(target)), figures["fnmr_at_fmr"][target]
        assert found["false_non_matches"] == point.false_non_matches
        assert found["false_matches"] == point.false_matches
    assert figures["fnmr_at_fmr"]["1e-05"] == "not measurable"


def test_everybody_meets_everybody(whole: campaign.Counts) -> None:
    assert whole.sum(axis=1).tolist() == [PEOPLE, PEOPLE**2 - PEOPLE]


def test_an_interrupted_run_goes_on(whole: campaign.Counts, tmp_path: Path) -> None:
    state = tmp_path / "state.npz"

    class StopError(Exception):
        pass

    finished = []

    def stop_after_five(blocks: int) -> None:
        finished.append(blocks)
        if sum(finished) == 5:
            raise StopError

    with pytest.raises(StopError):
        campaign.run(people=PEOPLE, seed=4, block=BLOCK, state=state, advance=stop_after_five)
    again: list[int] = []
    total = campaign.run(people=PEOPLE, seed=4, block=BLOCK, state=state, advance=again.append)
    assert again[0] == 5
    assert len(again) == 1 + SIDE**2 - 5
    assert np.array_equal(total, whole)


def _told(state: Path, **job: int) -> tuple[list[int], list[str], campaign.Counts]:
    blocks: list[int] = []
    words: list[str] = []
    counts = campaign.run(**{"people": 64, "seed": 1, **job}, state=state, advance=blocks.append, say=words.append)
    return blocks, words, counts


def test_state_of_another_run_is_not_taken_up(tmp_path: Path) -> None:
    state = tmp_path / "state.npz"
    campaign.run(people=64, seed=1, state=state)
    blocks, words, other = _told(state, seed=2)
    assert (blocks, words) == ([0, 1], ["state.npz is of another run: its counts are not used, the run begins anew"])
    assert not np.array_equal(other, campaign.run(people=64, seed=1))


def test_counts_of_another_comparator_are_not_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that was repaired between two halves would give figures of neither."""
    state = tmp_path / "state.npz"
    right = campaign.run(people=64, seed=1)
    real = CodeGallery.histogram
    with monkeypatch.context() as broken:
        broken.setattr(CodeGallery, "histogram", lambda *args, **options: np.roll(real(*args, **options), 7))
        wrong = campaign.run(people=64, seed=1, state=state)
    assert not np.array_equal(wrong, right)
    blocks, words, again = _told(state)
    assert blocks == [0, 1]
    assert words == ["state.npz was counted by other code: its 1 blocks are not used, the run begins anew"]
    assert np.array_equal(again, right)
    with monkeypatch.context() as other:
        other.setattr(campaign, "source_digest", lambda: "another kernel")
        assert _told(state)[1] == words
    assert _told(state)[0] == [0, 1]


@pytest.mark.parametrize("how", ["cut", "empty", "an array", "no total", "more than its blocks"])
def test_a_damaged_state_is_not_taken_up(tmp_path: Path, how: str) -> None:
    state = tmp_path / "state.npz"
    right = campaign.run(people=64, seed=1, state=state)
    with np.load(state) as file:
        arrays = dict(file)
    if how == "no total":
        del arrays["total"]
    if how == "more than its blocks":
        arrays["total"][1, 500] += 1
    np.savez(state, **arrays)
    if how in ("cut", "empty"):
        state.write_bytes(state.read_bytes()[: {"cut": 200, "empty": 0}[how]])
    if how == "an array":
        with state.open("wb") as raw:
            np.save(raw, arrays["total"])
    blocks, words, counts = _told(state)
    assert (blocks, words) == ([0, 1], ["state.npz is damaged: its counts are not used, the run begins anew"])
    assert np.array_equal(counts, right)


class Cluster:
    """A real scheduler and two workers, started elsewhere: what they import is what is installed, not this checkout."""

    def __init__(self, folder: Path, name: str = "scheduler") -> None:
        self.folder, self.processes = folder, []
        port = folder / name
        self.scheduler = self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(port))
        self._wait(port.exists)
        self.address = json.loads(port.read_text("utf-8"))["address"]

    def work(self, count: int = 2) -> list[subprocess.Popen[bytes]]:
        line = ("worker", self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--death-timeout", "20")
        return [self._start(*line) for _ in range(count)]

    def _start(self, *line: str) -> subprocess.Popen[bytes]:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        program = [sys.executable, "-P", "-m", "distributed.cli.dask_" + line[0], "--host", "127.0.0.1", *line[1:]]
        with (self.folder / f"log{len(self.processes)}").open("wb") as log:
            process = subprocess.Popen(program, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def _wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + 60
        while not done():
            assert time.monotonic() < until, [p.read_text("utf-8") for p in self.folder.glob("log*")]
            time.sleep(0.05)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="needs the cluster extra")
    (tmp_path / "elsewhere").mkdir()
    started = Cluster(tmp_path / "elsewhere")
    yield started
    started.stop()


DASK_WARNS = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)  # fmt: skip


@pytest.mark.slow
@DASK_WARNS
def test_a_cluster_without_this_checkout_counts_the_same(
    whole: campaign.Counts, cluster: Cluster, tmp_path: Path
) -> None:
    """A worker is killed on the way; then the scheduler is, and what is counted is kept."""
    probe = "import importlib.util as u; raise SystemExit(bool(u.find_spec('bench')))"
    elsewhere = {"cwd": cluster.folder, "env": {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}}
    assert subprocess.run([sys.executable, "-P", "-c", probe], check=False, **elsewhere).returncode == 0
    workers, finished = cluster.work(), []

    def kill_one(blocks: int) -> None:
        finished.append(blocks)
        if sum(finished) == 3:
            workers[0].kill()

    total = campaign.run(people=PEOPLE, seed=4, block=BLOCK, scheduler=cluster.address, advance=kill_one)
    assert workers[0].wait() == -signal.SIGKILL
    assert sum(finished) == SIDE**2
    assert np.array_equal(total, whole)

    state, counted = tmp_path / "state.npz", []

    def kill_the_scheduler(blocks: int) -> None:
        counted.append(blocks)
        if sum(counted) == 2:
            cluster.scheduler.kill()
            cluster.scheduler.wait()

    with pytest.raises(InputRefused) as caught:
        campaign.run(
            people=PEOPLE, seed=4, block=BLOCK, scheduler=cluster.address, advance=kill_the_scheduler, state=state
        )
    assert (caught.value.code, caught.value.message) == (
        "bench.scheduler_lost", f"scheduler lost; {sum(counted)} of {SIDE**2} blocks kept",
    )  # fmt: skip
    assert "run the same command again" in caught.value.hint
    again: list[int] = []
    assert np.array_equal(campaign.run(people=PEOPLE, seed=4, block=BLOCK, state=state, advance=again.append), whole)
    assert again[0] == sum(counted) < SIDE**2


class Workers:
    """What a client says of its workers."""

    def __init__(self, digests: dict[str, str] | Exception) -> None:
        self._digests = digests

    def wait_for_workers(self, count: int, timeout: float) -> None:
        assert (count, timeout) == (1, cluster_of_dask.CONNECT_SECONDS)

    def run(self, function: Callable[[], str]) -> dict[str, str]:
        assert function is cluster_of_dask.code_digest
        if isinstance(self._digests, Exception):
            raise self._digests
        return self._digests


def test_a_worker_with_other_code_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_of_dask, "code_digest", lambda: "ours")
    cluster_of_dask._refuse_other_code(Workers({"tcp://a": "ours", "tcp://b": "ours"}))
    for digests, message in (
        ({"tcp://a": "ours", "tcp://c": "older", "tcp://b": "older"}, "tcp://b has other code, 2 of 3 workers do"),
        (ModuleNotFoundError("No module named 'bioguard'"), "a worker cannot count: ModuleNotFoundError: No module"),
    ):
        with pytest.raises(InputRefused, match=message) as caught:
            cluster_of_dask._refuse_other_code(Workers(digests))
        assert caught.value.code == "bench.worker"


@DASK_WARNS
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1:notaport"])
def test_a_wrong_address_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the cluster extra")
    monkeypatch.setattr("bench.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(InputRefused) as caught:
        campaign.run(people=20, seed=4, scheduler=address)
    assert (caught.value.code, caught.value.message) == (
        "bench.scheduler", f"no scheduler answers at {address}; 0 of 1 blocks kept",
    )  # fmt: skip


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputRefused) as caught:
        campaign.run(people=20, seed=4, scheduler="tcp://127.0.0.1:1")
    assert (caught.value.code, caught.value.hint) == ("bench.cluster", "pip install 'bioguard[cluster]'")
