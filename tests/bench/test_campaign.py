"""All-pairs campaigns: the counts are those of a plain loop, in any order, interrupted or on a cluster."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from bench import campaign
from bench.metrics.rates import Scores
from bioguard.match import CodeGallery

PEOPLE = 2500
BLOCK = 600
SIDE = 5


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

    def stop_after_four(blocks: int) -> None:
        finished.append(blocks)
        if sum(finished) == 5:
            raise StopError

    with pytest.raises(StopError):
        campaign.run(people=PEOPLE, seed=4, block=BLOCK, state=state, advance=stop_after_four)
    again: list[int] = []
    total = campaign.run(people=PEOPLE, seed=4, block=BLOCK, state=state, advance=again.append)
    assert again[0] == 4  # the fifth block was counted but not yet written: it is made again
    assert len(again) == 1 + SIDE**2 - 4
    assert np.array_equal(total, whole)


def test_state_of_another_run_is_not_taken_up(tmp_path: Path) -> None:
    state = tmp_path / "state.npz"
    campaign.run(people=200, seed=1, state=state)
    told: list[int] = []
    other = campaign.run(people=200, seed=2, state=state, advance=told.append)
    assert told == [0, 1]
    assert not np.array_equal(other, campaign.run(people=200, seed=1))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cluster_counts_the_same_with_a_worker_killed(whole: campaign.Counts) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the cluster extra")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1", silence_logs=50
    ) as cluster:
        with distributed.Client(cluster, set_as_default=False) as client:
            victims = list(client.run(os.getpid).values())
        finished: list[int] = []

        def kill_one(blocks: int) -> None:
            finished.append(blocks)
            if sum(finished) == 3:
                os.kill(victims[0], signal.SIGKILL)

        total = campaign.run(people=PEOPLE, seed=4, block=BLOCK, scheduler=cluster.scheduler_address, advance=kill_one)
        with distributed.Client(cluster, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            survivors = set(client.run(os.getpid).values())
    assert victims[0] not in survivors
    assert sum(finished) == SIDE**2
    assert np.array_equal(total, whole)
