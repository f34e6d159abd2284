"""Intervals over people: what they rest on, how they read, and who is drawn together."""

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import norm, t

from bench.accuracy import figures
from bench.load import FingerprintSet
from bench.metrics.comparisons import Comparisons, pairs_of, people_of, scores_of
from bench.metrics.resampling import (
    Basis,
    Drawings,
    differences,
    drawings,
    intervals_of,
    rate_intervals,
    rule_of_3,
    subject_intervals,
)
from bench.shared_subjects import Shared, identities, shared_lines
from bench.wording import over_people
from bioguard.simulate.people import FingerPopulation


def _set(name: str, people: int, seed: int, *, gap: float = 4.0, spread: float = 1.0) -> Comparisons:
    rng = np.random.default_rng(seed)
    subjects = np.arange(people).repeat(4)
    scores = rng.normal(0, spread, (subjects.size,) * 2) + np.where(subjects[:, None] == subjects, gap, 0)
    scores[:, :] = np.triu(scores) + np.triu(scores, 1).T
    names = [f"{p}_{i}.iso" for p in range(people) for i in range(4)]
    return Comparisons(name, scores.astype(np.float32), subjects, names)


def test_no_error_is_no_interval_of_zero_to_zero() -> None:
    found = figures([_set("good", 10, 1, gap=20)], seed=1, replicates=20)
    assert found["eer"] == 0
    assert found["eer_interval_95"] == [0, pytest.approx(0.2589, abs=1e-4)]  # 1 - 0.05 ** (1 / 10)
    point = found["fnmr_at_fmr"]["1e-2"]
    assert point["subject_interval_95"] == found["eer_interval_95"]
    assert (found["eer_interval_basis"], point["subject_interval_basis"]) == ("rule of 3 over people",) * 2
    words = "0 errors; the bootstrap says nothing; rule of 3 over people: at most 26 %"
    assert over_people(found, "eer_interval") == over_people(point, "subject_interval") == words
    assert over_people(found, "eer_interval", brief=True) == "0 errors: <= 26 %"


def test_people_with_one_sample_do_not_count_in_the_rule_of_3() -> None:
    one = _set("few", 12, 1, gap=20)
    kept = np.flatnonzero((one.subjects < 5) | (np.arange(48) % 4 == 0))
    fewer = Comparisons("few", one.scores[np.ix_(kept, kept)], one.subjects[kept], [one.samples[i] for i in kept])
    assert figures([fewer], seed=1, replicates=20)["eer_interval_95"] == [0, pytest.approx(1 - 0.05**0.2)]


def test_nothing_but_errors_has_a_lower_end_only() -> None:
    found = rate_intervals(lambda w: np.array([1.0]), 10, at_zero=10, seed=1, replicates=20)
    assert found == [type(found[0])(1 - rule_of_3(10), 1.0, Basis.RULE_OF_3)]
    assert over_people({"x_95": [found[0].low, 1.0], "x_basis": found[0].basis}, "x").endswith("at least 74 %")


def test_one_person_has_no_interval() -> None:
    found = rate_intervals(lambda w: np.array([0.5]), 1, at_zero=1, seed=1, replicates=20)
    assert found[0].basis is Basis.NONE
    assert np.isnan(found[0].low)


def test_ends_lie_on_the_odds_of_the_spread() -> None:
    """For a mean of people the spread of the draws is known: their standard deviation over the root of their number."""
    rates = np.random.default_rng(2).normal(0.2, 0.05, 50)
    found = rate_intervals(lambda w: np.array([w @ rates / w.sum()]), 50, at_zero=50, seed=1, replicates=2000)[0]
    rate = rates.mean()
    reach = t.ppf(0.975, 49) * rates.std() / np.sqrt(50) / (rate * (1 - rate))
    odds = np.log(rate / (1 - rate))
    ends = 1 / (1 + np.exp(reach - odds)), 1 / (1 + np.exp(-odds - reach))
    assert (found.low, found.high) == pytest.approx(ends, rel=0.02)


def test_where_one_person_makes_the_errors_the_interval_has_the_freedom_of_one() -> None:
    rates = np.where(np.arange(40) == 3, 0.8, 0.01)
    found = rate_intervals(lambda w: np.array([w @ rates / w.sum()]), 40, at_zero=40, seed=1, replicates=400)[0]
    rate = rates.mean()
    assert found.high > 4 * rate
    assert found.low < rate / 4


def test_the_freedom_is_that_of_the_errors_kurtosis() -> None:
    """Four of forty err alike: of a share p the kurtosis is 1 / (p (1 - p)) - 3, and the freedom 2 n / (k - 1)."""
    rates = np.where(np.arange(40) % 10 == 0, 0.5, 0.0)
    drawn = drawings(lambda w: np.array([w @ rates / w.sum()]), 40, seed=1, replicates=200)
    (found,) = intervals_of(drawn, at_zero=40)
    low, high = np.quantile(drawn.drawn, [0.1587, 0.8413])
    reach = t.ppf(0.975, 80 / (1 / (0.1 * 0.9) - 3 - 1)) * (high - low) / 2 / (0.05 * 0.95)
    assert (logit(found.low), logit(found.high)) == pytest.approx((logit(0.05) - reach, logit(0.05) + reach), rel=1e-9)


def test_a_difference_is_narrower_when_the_same_people_are_drawn() -> None:
    rng = np.random.default_rng(3)
    a = rng.uniform(0, 0.4, 40)
    b = a + rng.normal(0.05, 0.01, 40)
    ((point, low, high),) = differences(lambda w: np.array([w @ (b - a) / w.sum()]), 40, seed=1, replicates=1000)
    assert low < point < high
    assert point == pytest.approx((b - a).mean())
    assert high - low == pytest.approx(2 * norm.ppf(0.975) * (b - a).std() / np.sqrt(40), rel=0.15)


def test_the_same_subjects_twice_are_drawn_once() -> None:
    """The same set twice has the intervals of it once: a second extractor does not bring new people."""
    one = _set("rect/x/DB", 20, 4, gap=2)
    two = Comparisons("sa/x/DB", one.scores, one.subjects, one.samples)
    who = identities([one, two], Shared.FOUND)
    assert people_of([one, two], who)[1] == 20
    both, alone = scores_of([one, two]), scores_of([one])
    tied = subject_intervals(pairs_of([one, two], both, who), [0.05], seed=1)
    assert tied == subject_intervals(pairs_of([one], alone), [0.05], seed=1)
    apart = subject_intervals(pairs_of([one, two], both), [0.05], seed=1)
    assert apart.eer.high - apart.eer.low < 0.85 * (tied.eer.high - tied.eer.low)
    assert figures([one, two], seed=1, replicates=20, who=who)["people"] == 20
    assert shared_lines([one, two], who) == [
        "sa/x/DB: 20 of 20 subjects are those of rect/x/DB; where sets are pooled they are drawn together, "
        "and the two sets are not compared with each other"
    ]


@pytest.mark.parametrize(
    ("names", "how", "people"),
    [
        (("rect/x/DB", "sa/x/DB"), Shared.FOUND, 10),
        (("rect/x/DB", "sa/x/DB"), Shared.NONE, 20),
        (("rect/x/DB", "sa/y/DB"), Shared.FOUND, 20),
        (("rect/u/x/DB", "sa/v/x/DB"), Shared.FOUND, 20),
        (("rect/x/DB", "sa/sa/x/DB"), Shared.FOUND, 20),
        (("x/DB", "y/DB"), Shared.FOUND, 20),  # two databases of one extractor, FVC2002 and FVC2004
        (("x/DB", "y/DB"), Shared.NAMED, 10),
    ],
)
def test_scores_are_of_the_same_subjects_by_path_or_as_the_lab_says(
    names: tuple[str, str], how: Shared, people: int
) -> None:
    sets = [_set(name, 10, 5) for name in names]
    assert people_of(sets, identities(sets, how))[1] == people


def test_the_same_path_with_other_samples_is_not_the_same_subjects() -> None:
    one, two = _set("rect/x/DB", 10, 5), _set("sa/x/DB", 10, 5)
    renamed = Comparisons(two.name, two.scores, two.subjects, [name.replace("_", "_1") for name in two.samples])
    assert people_of([one, renamed], identities([one, renamed], Shared.FOUND))[1] == 20


def test_a_wrong_tie_does_not_make_an_interval_narrower() -> None:
    """Other people of the same names, as all databases of FVC have them: half as many are drawn, each with two."""
    wider = []
    for seed in range(7):
        sets = [_set(name, 20, seed + first, gap=2) for name, first in (("rect/x/DB", 0), ("sa/x/DB", 100))]
        who, scores = identities(sets, Shared.FOUND), scores_of(sets)
        tied, apart = (subject_intervals(pairs_of(sets, scores, known), [0.05], seed=1).eer for known in (who, None))
        wider.append((tied.high - tied.low) / (apart.high - apart.low))
    assert np.median(wider) > 1


def _fingers(name: str, people: range, first: int) -> tuple[Comparisons, FingerprintSet]:
    population = FingerPopulation(7)
    templates = [population.impression(p, 2, first + i) for p in people for i in range(2)]
    files = [f"{101 + k}_{i + 1}.iso" for k in range(len(people)) for i in range(2)]
    fingers = [file[:3] for file in files]
    held = FingerprintSet(name, files, fingers, templates)
    return Comparisons(name, np.zeros((len(files),) * 2, np.float32), held.subjects, files), held


def test_fingers_are_the_same_if_they_match_whatever_their_path_says() -> None:
    rect, again, others = _fingers("a", range(6), 0), _fingers("b", range(6), 2), _fingers("rect/x/a", range(6, 12), 0)
    sets, held = ([pair[i] for pair in (rect, again, others)] for i in (0, 1))
    who = identities(sets, Shared.FOUND, held)  # type: ignore[arg-type]
    assert who["a"] == who["b"] == [f"a/{k}" for k in range(101, 107)]
    assert who["rect/x/a"] == [f"rect/x/a/{k}" for k in range(101, 107)]
    other_names = FingerprintSet(
        "b", [f"x{f}" for f in held[1].files], [f"x{f}" for f in held[1].fingers], held[1].templates
    )  # type: ignore[union-attr]
    renamed = Comparisons("b", sets[1].scores, sets[1].subjects, other_names.files)  # type: ignore[union-attr]
    assert people_of([sets[0], renamed], identities([sets[0], renamed], Shared.FOUND, [held[0], other_names]))[1] == 12  # type: ignore[list-item]
    few = FingerprintSet("b", held[1].files, [f"{k}" for k in range(9)] + [*held[1].fingers[9:]], held[1].templates)
    sets[1] = Comparisons(
        "b", np.zeros((12, 12), np.float32), few.subjects, [f"{k}_{i}" for i, k in enumerate(few.fingers)]
    )
    assert people_of(sets[:2], identities(sets[:2], Shared.FOUND, [held[0], few]))[1] == 6 + 11  # two of eleven match


def test_draws_that_all_come_to_the_same_are_no_interval() -> None:
    """50 to 50 % stood beside an EER of scores that never vary."""
    same = Drawings(np.array([0.5]), np.full((20, 1), 0.5), np.full((4, 1), 0.5))
    (found,) = intervals_of(same, at_zero=10)
    assert (np.isnan(found.low), np.isnan(found.high), found.basis) == (True, True, Basis.NONE)
