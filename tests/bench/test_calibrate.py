"""Calibration: thresholds on the strict side of what people vary, from the data alone; labels that hold elsewhere."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from bench.__main__ import cli
from bench.calibration.face_scores import face_scores, vectors_of
from bench.calibration.finger_scores import full_scores, shipped_blocks
from bench.calibration.impostors import Impostors, PairScores, threshold_at
from bench.calibration.ladder import RATES, ladder
from bench.calibration.rate_points import SEED, fitted
from bench.calibration.sensors import SENSORS
from bench.calibration.splits import splits, tried_pairs
from bench.calibration.tables import counted_threshold, site_shift, table_of
from bench.calibration.tally import Tally
from bioguard.errors import InputRefused
from bioguard.formats import write_iso2005
from bioguard.match.thresholds import builtin_profile, threshold_for_fmr
from bioguard.records.comparison_profile import ComparisonProfile, RatePoint, ScoreTable
from bioguard.records.modality import Modality
from bioguard.records.scores import Basis, Score
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation

SENSOR = {sensor.name: sensor for sensor in SENSORS}


def comparisons(people: int, views: int, seed: int = 5, like: tuple[int, int] | None = None) -> PairScores:
    """Normal scores of all pairs; genuine ones and those of the pair `like` are higher by five."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), views)
    i, j = np.triu_indices(who.size, 1)
    scores = rng.standard_normal(i.size).astype(np.float32)
    alike = who[i] == who[j]
    if like is not None:
        alike |= (who[i] == like[0]) & (who[j] == like[1])
    zeros = np.zeros(i.size, np.int64)
    return PairScores(
        [f"p{k}" for k in range(people)],
        scores + 5 * alike.astype(np.float32),
        who[i],
        who[j],
        zeros,
        zeros == 0,
        zeros,
    )


def test_a_threshold_lies_just_above_the_score_that_is_too_much() -> None:
    scores = np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 0], np.float32)
    for rate, above in ((0.1, 1), (0.3, 3), (0.35, 3), (0.05, 0)):
        assert np.count_nonzero(scores >= threshold_at(scores, np.ones(10), rate)) == above
    assert threshold_at(scores[:4], np.ones(4), 0.3, total=10) == threshold_at(scores, np.ones(10), 0.3)


@pytest.mark.parametrize("score", [0.0, 1e-3, -1e-3, 1.0, 40.0])
def test_a_score_that_many_share_is_below_the_threshold_also_where_a_profile_rounds_it(score: float) -> None:
    scores = np.full(100, score, np.float32)
    point = RatePoint.of(0.1, threshold_at(scores, np.ones(100), 0.1), Basis.SYNTHETIC)
    assert not (scores >= np.float32(point.threshold)).any()


def test_a_score_that_is_too_much_in_a_draw_does_not_match_at_its_threshold() -> None:
    coarse = comparisons(12, 3)
    impostors = Impostors.of(replace(coarse, scores=np.round(coarse.scores)))
    assert not np.isin(impostors.drawn([0.05], draws=50, seed=1), impostors.scores).any()


def test_a_tail_of_equal_scores_is_refused_and_no_line_goes_on_below_it() -> None:
    """A failed capture under many names: two in a hundred score 9, and a line by the others gives 5e-3 at 3."""
    pairs = comparisons(40, 3)
    for every, message in (
        (50, "126 pairs of people score exactly 9: a rate of 0.01 has no threshold"),
        (1, "780 pairs of people score exactly 9: a rate of 0.1 has no threshold"),
    ):
        tied = np.where(np.arange(len(pairs)) % every == 0, np.float32(9), pairs.scores)
        with pytest.raises(InputRefused) as caught:
            fitted(Impostors.of(replace(pairs, scores=tied)), draws=20)
        assert (caught.value.code, caught.value.message) == ("bench.calibration", message)


def test_points_that_count_the_same_have_no_line_between_them() -> None:
    """A division by nothing would be a shift of nothing."""
    count = {0.1: (0.0, 90), 0.05: (0.1, 90), 0.01: (0.5, 9), 0.001: (0.6, 20)}
    points = tuple(
        RatePoint.of(rate, at, Basis.SYNTHETIC, false_matches=hits, impostors=1000)
        for rate, (at, hits) in count.items()
    )
    table = ScoreTable(score=Score.COSINE, points=points)
    assert counted_threshold(table, 0.09) == 0
    assert counted_threshold(table, 0.009) == pytest.approx(0.5)
    with pytest.raises(InputRefused, match="tells no false matches that were counted"):
        counted_threshold(replace(table, points=points[:2]), 0.05)


def test_one_finger_under_two_names_is_found_and_left_out() -> None:
    pairs = comparisons(12, 4, like=(3, 7))
    assert [(one, other) for one, other, _ in pairs.same_fingers()] == [("p3", "p7")]
    left = pairs.without(pairs.same_fingers())
    assert len(pairs) - len(left) == 16
    assert np.array_equal(left.genuine, pairs.genuine)
    assert comparisons(12, 4).same_fingers() == []
    assert comparisons(40, 1, like=(3, 7)).same_fingers() == []  # one comparison says nothing


def test_a_person_with_many_samples_does_not_rule_the_rates() -> None:
    """p0 has 40 samples and everybody's impostor; without weights the threshold would be his."""
    rng = np.random.default_rng(1)
    who = np.concatenate([np.zeros(40, np.int64), np.repeat(np.arange(1, 30), 2)])
    i, j = np.triu_indices(who.size, 1)
    scores = rng.standard_normal(i.size).astype(np.float32) + 2 * ((who[i] == 0) & (who[j] != 0)).astype(np.float32)
    zeros = np.zeros(i.size, np.int64)
    pairs = PairScores([str(k) for k in range(30)], scores, who[i], who[j], zeros, zeros == 0, zeros)
    threshold = Impostors.of(pairs).threshold(0.05)
    raw = np.sort(scores[who[i] != who[j]])[-int(0.05 * np.count_nonzero(who[i] != who[j]))]
    assert threshold < raw - 0.3
    assert Impostors.of(pairs).share_above(threshold) == pytest.approx(0.05, abs=2e-3)


def test_the_same_finger_through_two_extractors_is_drawn_once() -> None:
    one = comparisons(12, 3)
    twice = one.joined(replace(one, extractor=one.extractor + 1))
    alone, both = Impostors.of(one), Impostors.of(twice)
    assert both.people == alone.people == 12
    assert np.array_equal(both.drawn([0.05], draws=50, seed=1), alone.drawn([0.05], draws=50, seed=1))


def test_the_strict_end_is_taken_and_the_line_below_is_no_flatter_than_the_counts() -> None:
    pairs = comparisons(40, 3)
    fit = fitted(Impostors.of(pairs), draws=200)
    assert [p.rate for p in fit.points] == [1e-1, 5e-2, 1e-2, 1e-3]
    drawn = Impostors.of(pairs).drawn([p.rate for p in fit.points], draws=200, seed=SEED)
    for p, values in zip(fit.points, drawn.T, strict=True):
        assert p.low < p.point < p.threshold
        assert p.threshold == pytest.approx(np.quantile(values, 0.975))
    last, tenth = fit.points[-1], fit.points[-2]
    assert fit.next_rate == pytest.approx(1e-4)
    assert fit.next_threshold - last.threshold >= max(last.point - tenth.point, last.threshold - tenth.threshold) - 1e-9
    table = table_of(Score.LIKELIHOOD_RATIO, fit)
    assert [p.basis for p in table.points] == [*[Basis.MEASURED] * 4, Basis.EXTRAPOLATED]
    for p in fit.points[:3]:
        assert counted_threshold(table, p.rate) == pytest.approx(p.point, abs=0.05)


def test_within_a_set_is_a_floor() -> None:
    """Across databases impostors are easier: pooling must not lower what holds within one."""
    pairs = comparisons(40, 3)
    easier = replace(pairs, scores=pairs.scores - 3, within=~pairs.within)
    pooled = pairs.joined(easier).joined(easier)
    floor = Impostors.of(pairs)
    with_floor = fitted(Impostors.of(pooled), floor, draws=100)
    assert all(p.threshold >= floor.threshold(p.rate) for p in with_floor.points)
    assert fitted(Impostors.of(pooled), draws=100).points[0].threshold < floor.threshold(0.1)


def test_a_site_shifts_upward_only() -> None:
    table = table_of(Score.LIKELIHOOD_RATIO, fitted(Impostors.of(comparisons(40, 3)), draws=100))
    local = comparisons(5, 3, seed=9)
    assert site_shift(table, Impostors.of(replace(local, scores=local.scores - 2))) == 0.0
    up = site_shift(table, Impostors.of(replace(local, scores=local.scores + 1)))
    assert up == pytest.approx(1.0, abs=0.7)


@pytest.mark.parametrize(
    ("people", "views", "message"),
    [
        (1, 9, "0 people: a table of rates needs 10 at least"),
        (6, 8, "6 people: a table of rates needs 10 at least"),
        (10, 1, "45 impostor comparisons of 10 people: rates of 0.1 and 0.05 cannot be measured"),
    ],
)
def test_too_little_is_refused(people: int, views: int, message: str) -> None:
    with pytest.raises(InputRefused) as caught:
        fitted(Impostors.of(comparisons(people, views)), draws=20)
    assert (caught.value.code, caught.value.message) == ("bench.calibration", message)


def test_few_people_give_a_table_that_is_extrapolated_early() -> None:
    fit = fitted(Impostors.of(comparisons(11, 2)), draws=50)
    assert [p.rate for p in fit.points] == [1e-1, 5e-2]
    assert fit.next_rate == pytest.approx(5e-3)


def _calibrate(*line: object) -> Any:
    return CliRunner().invoke(cli, ["calibrate", *(str(part) for part in line)])


def _prints(root: Path, people: int, views: int, seed: int = 1) -> Path:
    root.mkdir(parents=True)
    population = FingerPopulation(seed)
    for person in range(people):
        for touch, template in enumerate(population.impressions(person, 2, views), 1):
            (root / f"{person + 1}_{touch}.iso").write_bytes(write_iso2005([template]))
    return root


def sha256_after(options: bytes, prints: Path, parent: str) -> bytes:
    inputs = hashlib.sha256(options)
    for path in sorted(prints.iterdir(), key=lambda p: tuple(map(int, p.stem.split("_")))):
        inputs.update(f"{parent}{path.name}".encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return inputs.digest()


def test_a_profile_of_a_labs_fingers_and_a_site_of_it(tmp_path: Path) -> None:
    prints = _prints(tmp_path / "prints" / "gate-a", 12, 3)
    for touch, template in enumerate(FingerPopulation(1).impressions(11, 2, 3, first=3), 1):
        (prints / f"13_{touch}.iso").write_bytes(write_iso2005([template]))  # finger 12 came twice
    out = tmp_path / "acme.profile"
    done = _calibrate("--fingerprints", prints.parent, "--model", "acme 4.2", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    profile = ComparisonProfile.from_bytes(out.read_bytes())
    assert (profile.name, profile.model, profile.modality) == ("acme", "acme 4.2", Modality.FINGERPRINT)
    assert profile.data.description == "gate-a; left out as probably one finger: gate-a/12 and gate-a/13"
    assert "gate-a/12 and gate-a/13 score like one finger" in " ".join(done.stderr.split())
    assert "fvc" not in profile.data.description.lower()
    assert (profile.data.people, profile.data.samples, profile.data.impostors) == (13, 39, 78 * 9 - 9)
    assert profile.data.sha256 == sha256_after(b"", prints, "gate-a/")
    assert {(t.score, t.cohort) for t in profile.tables} >= {(Score.LIKELIHOOD_RATIO, 0), (Score.PROTECTED, 0)}
    for table in profile.tables:
        assert all(p.false_matches <= 1.1 * p.rate * p.impostors + 1 for p in table.points), table
        assert table.points[2].threshold < (3 if table.score is Score.LIKELIHOOD_RATIO else 0.7)  # finger 12 is out
    said = json.loads(done.stdout)
    assert said["sha256"] == profile.digest.hex()
    assert {p["basis"] for t in said["tables"] for p in t["points"]} == {"measured", "extrapolated"}

    site = _prints(tmp_path / "site", 5, 3, seed=2)
    shifted = _calibrate("--fingerprints", site, "--site-of", out, "--out", tmp_path / "door.profile")
    assert shifted.exit_code == 0, shifted.output
    door = ComparisonProfile.from_bytes((tmp_path / "door.profile").read_bytes())
    assert (door.model, door.tables, door.data) == (profile.model, profile.tables, profile.data)
    assert {(s.score, s.subjects, s.views) for s in door.site} == {
        (Score.LIKELIHOOD_RATIO, 5, 3), (Score.PROTECTED, 5, 3),
    }  # fmt: skip
    assert all(s.shift >= 0 for s in door.site)

    lenient = _calibrate("--fingerprints", site, "--site-of", out, "--out", tmp_path / "x.profile", "--lenient")
    assert lenient.exit_code == 0, lenient.output
    other = ComparisonProfile.from_bytes((tmp_path / "x.profile").read_bytes())
    assert other.site == tuple(replace(s, data_sha256=sha256_after(b"lenient=True\0", site, "./")) for s in door.site)
    (tmp_path / "x.profile").unlink()
    for finger in (11, 12):  # finger 12 came three times: more than a name given twice
        for touch, template in enumerate(FingerPopulation(1).impressions(finger - 1, 2, 3, first=6), 1):
            (prints / f"{finger + 3}_{touch}.iso").write_bytes(write_iso2005([template]))
    twice = _prints(tmp_path / "twice", 5, 4, seed=2)
    for path in twice.glob("5_*.iso"):
        path.write_bytes((twice / f"4_{5 - int(path.stem[-1])}.iso").read_bytes())

    faces = tmp_path / "faces.profile"
    faces.write_bytes(builtin_profile(Modality.FACE, 512).to_bytes())
    refusals = (
        (
            ("--fingerprints", prints.parent, "--out", tmp_path / "x.profile"),
            "4 pairs of 15 fingers score like one; left out as probably one finger: gate-a/11 and gate-a/14, "
            "gate-a/12 and gate-a/13, gate-a/12 and gate-a/15, gate-a/13 and gate-a/15",
        ),
        (
            ("--fingerprints", twice, "--site-of", out, "--out", tmp_path / "x.profile"),
            "./4 and ./5 score like one finger",
        ),
        (
            ("--fingerprints", site, "--site-of", faces, "--out", tmp_path / "x.profile"),
            "'edgeface-xs-512' is a profile of faces, the data are fingerprints",
        ),
        (
            ("--fingerprints", prints.parent, "--leave-one-database-out", "--out", tmp_path / "x.profile"),
            "two databases besides the one that is left out are needed",
        ),
        (("--fingerprints", site, "--out", tmp_path / "x.profile"), "5 people: a table of rates needs 10 at least"),
        (
            ("--fingerprints", _prints(tmp_path / "one", 1, 4), "--out", tmp_path / "x.profile"),
            "all 4 samples are of one finger",
        ),
        (
            ("--fingerprints", _prints(tmp_path / "few", 4, 3), "--site-of", out, "--out", tmp_path / "x.profile"),
            "4 people with 3 views each: a site needs 5 with 3",
        ),
        (
            ("--fingerprints", site, "--site-of", out, "--model", "other", "--out", tmp_path / "x.profile"),
            "'acme' is of the model 'acme 4.2', not 'other'",
        ),
    )
    for line, message in refusals:
        refused = _calibrate(*line)
        assert isinstance(refused.exception, InputRefused), refused.output
        assert (refused.exception.code, refused.exception.message) == ("bench.calibration", message)
    assert not (tmp_path / "x.profile").exists()


def _faces(path: Path, first: int, people: int, offset: float, views: int = 2) -> NDArray[np.float32]:
    """Embeddings of a model that is not centered: everybody shares a direction."""
    population = FacePopulation(EDGEFACE_XS, 3)
    rows = np.concatenate([population.embeddings(first, people, view) for view in range(views)]) + np.float32(offset)
    np.savez(path, embeddings=rows, labels=np.tile(np.arange(people), views))
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def test_a_model_that_is_not_centered_is_honest_with_its_own_profile(tmp_path: Path) -> None:
    _faces(tmp_path / "own.npz", 0, 200, 0.06)
    other = _faces(tmp_path / "other.npz", 1000, 200, 0.06)
    done = _calibrate("--faces", tmp_path / "own.npz", "--model", "relu-512", "--out", tmp_path / "relu.profile")
    assert done.exit_code == 0, done.output
    own = ComparisonProfile.from_bytes((tmp_path / "relu.profile").read_bytes())
    assert (own.model, own.dimension, own.centered, own.data.people) == ("relu-512", 512, False, 200)
    builtin = builtin_profile(Modality.FACE, 512)
    for score in (Score.COSINE, Score.SCALAR):
        strangers = face_scores(vectors_of(other, score), np.tile(np.arange(200), 2), lambda _: None).impostors
        for rate in (1e-2, 1e-3):
            assert strangers.share_above(threshold_for_fmr(rate, profile=builtin, score=score)) > 0.3
            assert strangers.share_above(threshold_for_fmr(rate, profile=own, score=score)) < 1.5 * rate


def test_a_site_of_faces_shifts_every_score_upward_and_never_down(tmp_path: Path) -> None:
    _faces(tmp_path / "gäste.npz", 0, 60, 0.0)
    _faces(tmp_path / "like.npz", 1000, 40, 0.0, views=3)
    _faces(tmp_path / "lit.npz", 1000, 40, 0.03, views=3)
    _faces(tmp_path / "four.npz", 1000, 4, 0.0, views=3)
    done = _calibrate("--faces", tmp_path / "gäste.npz", "--model", "m", "--out", tmp_path / "m.profile")
    assert done.exit_code == 0, done.output
    own = ComparisonProfile.from_bytes((tmp_path / "m.profile").read_bytes())
    assert own.data.description == "g?ste.npz; 60 subjects, 120 samples"
    base = replace(own, tables=(*own.tables, replace(own.tables[0], cohort=5)))  # somebody else's: one shift a score
    (tmp_path / "base.profile").write_bytes(base.to_bytes())
    for name, least, most in (("like", 0.0, 0.02), ("lit", 0.2, 0.4)):
        site = tmp_path / f"{name}.profile"
        shifted = _calibrate("--faces", tmp_path / f"{name}.npz", "--site-of", tmp_path / "base.profile", "--out", site)
        assert shifted.exit_code == 0, shifted.output
        door = ComparisonProfile.from_bytes(site.read_bytes())
        assert (door.tables, door.data, door.model) == (base.tables, base.data, "m")
        assert [(s.score, s.subjects, s.views) for s in door.site] == [(Score.COSINE, 40, 3), (Score.SCALAR, 40, 3)]
        assert {s.data_sha256 for s in door.site} == {hashlib.sha256((tmp_path / f"{name}.npz").read_bytes()).digest()}
        assert all(least <= s.shift <= most for s in door.site), door.site
    line = ("--faces", tmp_path / "four.npz", "--site-of", tmp_path / "base.profile", "--out", tmp_path / "x.profile")
    refused = _calibrate(*line)
    assert isinstance(refused.exception, InputRefused)
    assert refused.exception.message == "4 people with 3 views each: a site needs 5 with 3"


def test_labels_hold_on_a_sensor_whose_prints_resemble_each_other() -> None:
    """The short form of `python -m bench rates`: the fault, and what each rung does about it."""
    profile = builtin_profile(Modality.FINGERPRINT)
    names, blocks = shipped_blocks(SENSOR["one-class-dense"].data(7, people=50))
    rungs = ladder(Score.LIKELIHOOD_RATIO, profile, names, full_scores(blocks, lambda _: None), lambda pairs: pairs)
    ratio = {name: [row["ratio"] for row in rows] for name, rows in rungs.items()}
    assert min(ratio["counted"][:2]) > 3
    assert rungs["counted"][0]["interval_95"][0] > 1.5
    for rung, most in (("safe", 3.0), ("claim", 3.0), ("site", 1.5), ("cohort", 1.5)):
        assert max(ratio[rung][:2]) <= most, rung
    missed = [rungs[rung][1]["fnmr"] for rung in ("counted", "safe", "cohort", "site")]
    assert missed == sorted(missed)  # the price, rung by rung


def test_the_cohort_rung_never_counts_what_the_safe_table_refuses() -> None:
    """As a device: a table of normalized scores that lets everything pass leaves the safe table to decide."""
    score = Score.LIKELIHOOD_RATIO
    profile = builtin_profile(Modality.FINGERPRINT)
    lax = tuple(
        replace(t, points=(RatePoint.of(0.1, -900, Basis.SYNTHETIC), RatePoint.of(1e-3, -800, Basis.SYNTHETIC)))
        if t.cohort
        else t
        for t in profile.tables
    )
    names, blocks = shipped_blocks(SENSOR["one-class-dense"].data(7, people=14))
    matrices = full_scores(blocks, lambda _: None)
    found = ladder(score, replace(profile, tables=lax), names, matrices, lambda pairs: pairs)
    safe = Tally(len(names), RATES)
    for split in splits(matrices[0], 5, 3):
        pairs = tried_pairs(names, matrices[0], split)
        safe.add(pairs, {rate: threshold_for_fmr(rate, profile=profile, score=score) for rate in RATES})
    told = [(row["ratio"], row["fnmr"]) for row in safe.rows()]
    assert [(row["ratio"], row["fnmr"]) for row in found["cohort"]] == told
    assert told[0][0] > 1


def test_rates_names_every_source_rung_and_price(tmp_path: Path) -> None:
    _faces(tmp_path / "faces.npz", 0, 160, 0.0)
    line = ["rates", "--sensor", "few-minutiae", "--faces", str(tmp_path / "faces.npz"), "--out", str(tmp_path)]
    done = CliRunner().invoke(cli, line)
    assert done.exit_code == 0, done.output
    said = json.loads((tmp_path / "rates.json").read_text("utf-8"))
    assert said["profile"] == builtin_profile(Modality.FINGERPRINT).digest.hex()
    sources = said["sources"]
    assert list(sources["few-minutiae"]["rungs"]) == ["claim", "cohort", "counted", "safe", "site"]
    halves = [name for name in sources if name.startswith("faces.npz, cosine")]
    assert halves == ["faces.npz, cosine, even people", "faces.npz, cosine, odd people"]
    for source in sources.values():
        for rows in source["rungs"].values():
            for row in rows:
                low, high = row["interval_95"]
                assert low <= row["ratio"] <= high or row["ratio"] == 0 or not row["measurable"]
                assert row["measurable"] == (row["impostors"] >= 3 / row["rate"] - 1e-6)
                assert 0 <= row["fnmr"] <= 1
    for name in halves:
        counted, safe = (sources[name]["rungs"][rung][0]["ratio"] for rung in ("counted", "safe"))
        assert safe < counted < 2
    assert "x" in done.stdout
    assert "not measurable" in done.stdout
