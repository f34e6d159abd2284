"""What a calibration is put together from: each part is wrong in silence if it is wrong."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.calibration import face_scores as faces
from bench.calibration import finger_scores
from bench.calibration import impostors as drawn_again
from bench.calibration import ladder as ladders
from bench.calibration.finger_scores import ScoreMatrix
from bench.calibration.fingerprint_data import FingerSet, UsableSets
from bench.calibration.halves import halves
from bench.calibration.impostors import Impostors, PairScores
from bench.calibration.rate_points import fitted
from bench.calibration.splits import Split, splits, tried_pairs
from bench.calibration.tables import finger_tables, site_views
from bench.calibration.tally import Tally, at_most
from bench.load import FaceRows
from bioguard.errors import InputRefused
from bioguard.match.fingerprint.cohort import SCALES, CohortScale
from bioguard.match.fingerprint.prepared import prepare_all
from bioguard.match.fingerprint.projection import projection
from bioguard.match.thresholds import builtin_profile
from bioguard.records.modality import Modality
from bioguard.records.scores import Score
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation
from tests.bench.test_calibrate import comparisons

NAMES = [str(k) for k in range(24)]


def two_sets() -> ScoreMatrix:
    """Normal scores of 24 fingers with three views, twelve a set; across sets they are lower by three."""
    people = np.repeat(np.arange(24), 3)
    upper = np.triu(np.random.default_rng(1).standard_normal((72, 72)), 1).astype(np.float32)
    sets = people // 12
    return ScoreMatrix(upper + upper.T - 3 * (sets[:, None] != sets), people, sets, 0)


def unit_rows(people: int, shared: float) -> FaceRows:
    """Two views of each person; those with odd numbers share a direction."""
    population = FacePopulation(EDGEFACE_XS, 3)
    subjects = np.tile(np.arange(people), 2)
    rows = np.concatenate([population.embeddings(0, people, view) for view in range(2)])
    rows = rows + np.float32(shared) * (subjects % 2)[:, None]
    return FaceRows((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), subjects, subjects)


def test_each_extractor_of_two_people_weighs_one_and_drawn_people_weigh_all_there_is() -> None:
    one = comparisons(12, 3)
    twice = one.joined(replace(one, extractor=one.extractor + 1))
    assert twice.pair_weights().sum() == pytest.approx(2 * one.pair_weights().sum())
    person = np.arange(12, dtype=np.float64)
    assert Impostors.of(one).share_above(-100, person) == pytest.approx(1)


def test_a_rate_beyond_what_was_kept_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn_again, "KEEP_ALL", 0)
    monkeypatch.setattr(drawn_again, "KEPT_SHARE", 0.1)
    impostors = Impostors.of(comparisons(40, 3))
    assert [impostors.reaches(rate) for rate in (0.1, 0.05)] == [False, True]


def test_a_rate_needs_five_pairs_of_people_and_one_in_a_hundred() -> None:
    assert fitted(Impostors.of(comparisons(30, 3)), draws=20).points[-1].rate == 1e-2  # 3 pairs at 1e-3
    assert fitted(Impostors.of(comparisons(1100, 1)), draws=2).points[-1].rate == 1e-4  # 6 at 1e-5


def test_a_table_rises_and_goes_on_as_steeply_as_the_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Impostors, "drawn", lambda _, rates, **__: np.full((5, len(rates)), 10.0))
    fit = fitted(Impostors.of(comparisons(40, 3)))
    last, tenth = fit.points[-1], fit.points[-2]
    assert [p.threshold for p in fit.points] == pytest.approx([10, 10.000001, 10.000002, 10.000003], abs=1e-9)
    assert fit.next_threshold - last.threshold == pytest.approx(last.point - tenth.point)
    assert last.point - tenth.point > 0.5


def test_a_table_of_two_sets_holds_within_one() -> None:
    matrix = two_sets()
    (table,) = finger_tables(Score.LIKELIHOOD_RATIO, NAMES, [matrix], [], [])
    pairs = matrix.pairs(NAMES)
    assert table.points[0].threshold >= Impostors.of(pairs.only(pairs.within)).threshold(0.1) > 1


def test_nobody_who_is_enrolled_is_tried() -> None:
    matrix = two_sets()
    found = list(splits(matrix, 5, 3, count=2))
    assert len(found) == 4
    for split in found:
        enrolled = matrix.people[split.chosen]
        assert len(set(enrolled[:, 0].tolist())) == 5
        assert (enrolled == enrolled[:, :1]).all()
        assert set(matrix.people[split.tried]) == set(range(24)[enrolled[0, 0] // 12 * 12 :][:12]) - set(enrolled.flat)


@pytest.mark.parametrize(("score", "views"), [(Score.LIKELIHOOD_RATIO, 3), (Score.PROTECTED, 1)])
def test_the_cohort_rung_holds_against_what_a_device_does(
    monkeypatch: pytest.MonkeyPatch, score: Score, views: int
) -> None:
    held = set()

    def watched(names: list[str], matrix: ScoreMatrix, split: Split, scale: CohortScale | None = None) -> PairScores:
        if scale is not None:
            held.add((split.chosen.shape, scale))
        return tried_pairs(names, matrix, split, scale)

    monkeypatch.setattr(ladders, "tried_pairs", watched)
    ladders.ladder(score, builtin_profile(Modality.FINGERPRINT), NAMES, [two_sets()], lambda pairs: pairs)
    assert held == {((5, views), SCALES[score])}


@pytest.mark.parametrize("views", [(3, 3, 3, 3), (3, 3, 3, 3, 2)])
def test_a_site_is_five_people_with_three_views(views: tuple[int, ...]) -> None:
    with pytest.raises(InputRefused, match=f"{len(views)} people with {min(views)} views each"):
        site_views(np.repeat(np.arange(len(views)), views))


def test_no_false_match_bounds_the_ratio_by_the_rule_of_three() -> None:
    tally = Tally(12, [1e-2])
    tally.add(comparisons(12, 3), {1e-2: 100.0})
    (row,) = tally.rows()
    assert (row["ratio"], row["interval_95"]) == (0, [0, at_most(66, 1e-2)])


def test_each_half_of_faces_is_tried_by_the_table_of_the_other() -> None:
    """Odd people share a direction that even ones do not."""
    found = halves(unit_rows(160, 0.03), Score.COSINE, lambda _: None)
    assert found["even people"]["safe"][0]["ratio"] < 0.1
    assert found["odd people"]["safe"][0]["ratio"] > 10


def test_scores_that_were_thinned_out_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = unit_rows(200, 0.0)
    whole = faces.face_scores(rows.rows, rows.subjects, lambda _: None).impostors
    monkeypatch.setattr(faces, "KEPT", 2000)
    few = faces.face_scores(rows.rows, rows.subjects, lambda _: None).impostors
    assert few.scores.size < 5000 < whole.scores.size
    for rate in (0.1, 0.01):
        threshold = whole.threshold(rate)
        assert few.threshold(rate) == pytest.approx(threshold, abs=5e-3)
        assert few.above(threshold)[0] == pytest.approx(whole.above(threshold)[0], rel=0.1)


def test_models_are_learned_from_others_without_the_database_that_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped models were trained through extractors of their own: what scores d1 saw no finger of d1."""
    fitted: list[list[str]] = []
    prepared: list[tuple[str, int]] = []

    def part(database: str) -> Any:
        return SimpleNamespace(source=SimpleNamespace(database=database, extractor="rect", name=f"rect/{database}"))

    def discriminants(parts: Any) -> str:
        return ",".join(p.source.database for p in parts)

    def evidence_of(one: Any, using: str) -> Any:
        assert one.source.database not in using.split(",")
        return one.source.database, None

    def prepare(templates: Any, using: Any) -> Any:
        prepared.append((using, len(templates)))
        return prepare_all(templates, projection())

    def fit(evidence: Any) -> Any:
        fitted.append([one[0] for one in evidence])
        return np.zeros(8)

    monkeypatch.setattr(finger_scores, "train", lambda learned: ([part(d) for d in learned], projection()))
    monkeypatch.setattr(finger_scores, "discriminants", discriminants)
    monkeypatch.setattr(finger_scores, "evidence_of", evidence_of)
    monkeypatch.setattr(finger_scores, "prepare_all", prepare)
    monkeypatch.setattr(finger_scores, "fit_score", fit)
    prints = FingerPopulation(1).impressions(0, 2, 2)
    sets = [FingerSet(f"nbis/{d}", "nbis", d, prints, np.zeros(2, np.int64)) for d in ("d1", "d9")]
    data = UsableSets(sets, [["d1/1"] * 2, ["d9/1"] * 2], b"")
    _, blocks = finger_scores.unseen_blocks(data, ["d1", "d2", "d3"])  # type: ignore[list-item]
    assert [len(block.prepared) for block in blocks] == [4, 2]
    assert fitted == [["d2", "d3"], ["d1", "d2", "d3"]]
    assert prepared == [("d2,d3", 4), ("d1,d2,d3", 2)]


def test_no_threshold_lies_below_those_of_another_profile() -> None:
    """A table of an extractor whose fingers were easy does not promise a rate that harder ones were seen to break."""
    impostors = Impostors.of(comparisons(24, 3))
    plain = fitted(impostors, draws=50)
    high = fitted(impostors, least=lambda rate: 1.5 if rate > 0.01 else 9.0, draws=50)
    for one, other in zip(plain.points, high.points, strict=True):
        assert other.threshold == other.high >= max(one.threshold, 1.5 if one.rate > 0.01 else 9.0)
        assert other.false_matches <= one.false_matches
        assert other.point == one.point
    assert high.next_threshold >= 9.0
    profile = builtin_profile(Modality.FINGERPRINT)
    matrix = replace(two_sets(), scores=two_sets().scores - 5)
    table = finger_tables(Score.LIKELIHOOD_RATIO, NAMES, [matrix], (), (), profile)[0]
    pooled = profile.table(Score.LIKELIHOOD_RATIO)
    assert pooled is not None
    known = {p.rate: p.threshold for p in pooled.points}
    assert [p.threshold for p in table.points[:3]] == [known[p.rate] for p in table.points[:3]]
