"""Rules, and that they catch matchers made worse on purpose."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bench import campaign
from bench.__main__ import cli
from bench.accuracy import figures
from bench.compare import Rule, compare, read_result
from bench.load import FingerprintSet
from bench.matchers import fingerprint_comparisons, fingerprint_scores
from bench.metrics.comparisons import Comparisons
from bench.metrics.threshold_check import Labelled
from bioguard.errors import InputRefused
from bioguard.match import CodeGallery
from bioguard.simulate.people import FingerPopulation


@pytest.mark.parametrize(
    ("rule", "old", "new", "broken"),
    [
        ("eer:+0.2pp", 0.010, 0.0119, False),
        ("eer:+0.2pp", 0.010, 0.0121, True),
        ("eer:+0.2pp", 0.010, 0.001, False),
        ("p95:10%", 100.0, 110.0, False),
        ("p95:+10%", 100.0, 110.2, True),
        ("per_second:-5%", 100.0, 95.0, False),
        ("per_second:-5%", 100.0, 94.9, True),
        ("per_second:-5%", 100.0, 200.0, False),
        ("misses:40%", 5.0, 7.0, False),
        ("misses:40%", 5.0, 7.5, True),
        ("count:=", 5.0, 5.0, False),
        ("count:=", 5.0, 4.0, True),
        ("eer:+1pp", 0.01, "not measurable", True),
        ("eer:+1pp", "not measurable", 0.5, False),
        ("eer:+1pp", "not measurable", "not measurable", False),
        ("eer:+1pp", 0.01, None, True),
    ],
)
def test_rules(rule: str, old: Any, new: Any, broken: bool) -> None:
    assert Rule.parse(rule).broken(old, new) is broken


@pytest.mark.parametrize("text", ["eer", "eer:", "eer:x", "eer:+-1", ":+1", "eer:1ms", "eer:==", "eer:1%%"])
def test_what_is_no_rule(text: str) -> None:
    with pytest.raises(InputRefused) as caught:
        Rule.parse(text)
    assert caught.value.message == f"{text!r} is not a rule"


@pytest.mark.parametrize("text", ["eer:0.2", "eer:+0.2", "misses:2", "x:-0"])
def test_a_rule_without_a_unit_is_refused(text: str) -> None:
    """0.2 was taken for 20 points, and passed everything."""
    with pytest.raises(InputRefused) as caught:
        Rule.parse(text)
    assert (caught.value.code, caught.value.message) == ("bench.rule", f"the rule {text} has no unit")
    for unit in ("pp", "%"):
        assert Rule.parse(f"{text}{unit}")
        assert f"{text}{unit}" in caught.value.hint


RESULT = {"command": "accuracy", "data": "rect: DB1", "inputs": {"sha256": "aa"}, "eer": 0.1}
OTHER_DATA: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "folder": (RESULT, {**RESULT, "data": "sa: DB1"}, "data is rect: DB1 and sa: DB1"),
    "content": (RESULT, {**RESULT, "inputs": {"sha256": "bb"}}, "inputs.sha256 is aa and bb"),
    "command": (RESULT, {**RESULT, "command": "speed"}, "command is accuracy and speed"),
    "people": (
        {"command": "campaign", "people": 10, "seed": 1},
        {"command": "campaign", "people": 11, "seed": 1},
        "people is 10 and 11",
    ),
    "seed": ({"command": "campaign", "seed": 1}, {"command": "campaign", "seed": 2}, "seed is 1 and 2"),
}


@pytest.mark.parametrize("name", OTHER_DATA)
def test_results_of_other_data_are_not_compared_by_accident(tmp_path: Path, name: str) -> None:
    old, new, words = OTHER_DATA[name]
    done = _run(tmp_path, old, new)
    assert isinstance(done.exception, InputRefused)
    assert done.exception.code == "bench.other_data"
    assert done.exception.message == f"the results are of different data: {words}"
    assert _run(tmp_path, old, new, options=["--other-data"]).exit_code == 0


def test_what_only_one_result_says_is_not_held_against_it(tmp_path: Path) -> None:
    old = {key: value for key, value in RESULT.items() if key != "inputs"}
    assert _run(tmp_path, old, {**RESULT, "seed": 5}).exit_code == 0
    assert _run(tmp_path, {**RESULT, "seed": 5}, old).exit_code == 0


def test_names_mean_the_last_part_or_a_pattern() -> None:
    old = {"a": {"eer": 0.1, "h": [1, 2]}, "b": {"eer": 0.1, "other_eer": 0.1}, "environment": {"eer": 0.1}}
    new = {"a": {"eer": 0.2, "h": [1, 3]}, "b": {"eer": 0.3, "other_eer": 0.9}, "environment": {"eer": 0.5}}
    rules = [Rule.parse(r) for r in ("eer:+1pp", "a.*:+50pp", "h:=")]
    changes, looked = compare(old, new, rules)
    assert {c.path: c.broken for c in changes} == {
        "a.eer": ("eer:+1pp",), "a.h.1": ("a.*:+50pp", "h:="), "b.eer": ("eer:+1pp",), "b.other_eer": (),
    }  # fmt: skip
    assert looked == ["eer:+1pp: 2 figures", "a.*:+50pp: 3 figures", "h:=: 2 figures"]


def test_a_rule_that_fits_nothing_is_an_error() -> None:
    with pytest.raises(InputRefused) as caught:
        compare({"eer": 0.1}, {"eer": 0.1}, [Rule.parse("err:+1pp")])
    assert caught.value.message == "rule err:+1pp fits no figure"


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1), min_size=1))
def test_a_result_does_not_break_against_itself(data: dict[str, float]) -> None:
    assert compare(data, dict(data), [Rule.parse("*:="), Rule.parse("*:0%")])[0] == []


@pytest.mark.parametrize(
    ("files", "message"), [([], "holds 0 .json files"), (["a.json", "b.json"], "holds 2 .json files")]
)
def test_a_result_directory_holds_one_result(tmp_path: Path, files: list[str], message: str) -> None:
    for name in files:
        (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(InputRefused) as caught:
        read_result(tmp_path)
    assert message in caught.value.message


@pytest.fixture(scope="module")
def matched() -> Comparisons:
    which = [(person, 2, touch) for person in range(20) for touch in range(4)]
    touches = list(FingerPopulation(9).stream(which))
    one = FingerprintSet("synthetic", [f"{p}_{t}.iso" for p, _, t in which], [str(p) for p, _, _ in which], touches)
    return fingerprint_comparisons(one, fingerprint_scores(one))


def _result(one: Comparisons, threshold: float) -> dict[str, Any]:
    checked = [Labelled("1/50000", 1 / 50_000, threshold, "measured")]
    return json.loads(json.dumps({"sets": {"s": figures([one], seed=1, replicates=20, thresholds=checked)}}))


def _run(tmp_path: Path, old: Any, new: Any, *rules: str, options: Sequence[str] = ()) -> Any:
    for name, data in (("old.json", old), ("new.json", new)):
        (tmp_path / name).write_text(json.dumps(data), encoding="utf-8")
    line = ["compare", str(tmp_path / "old.json"), str(tmp_path / "new.json"), "--junit", str(tmp_path / "j.xml")]
    return CliRunner().invoke(cli, [*line, *options, *(part for rule in rules for part in ("--fail-on", rule))])


def test_noise_in_the_scores_is_caught(matched: Comparisons, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 3, matched.scores.shape).astype(np.float32)
    noisy = Comparisons(matched.name, matched.scores + noise, matched.subjects, matched.samples)
    done = _run(tmp_path, _result(matched, 0.0), _result(noisy, 0.0), "eer:+0.2pp", "auc:-0.5pp")
    assert done.exit_code == 3
    assert "sets.s.eer: " in done.stdout
    assert "FAILS eer:+0.2pp" in done.stdout
    cases = {c.get("name"): c.find("failure") is not None for c in ET.parse(tmp_path / "j.xml").iter("testcase")}
    assert len(cases) == 2
    assert all(cases.values())


def test_a_moved_threshold_is_caught(matched: Comparisons, tmp_path: Path) -> None:
    rules = ("*.threshold_check.0.fnmr:+1pp", "*.threshold_check.0.false_matches:=", "eer:+0.1pp")
    done = _run(tmp_path, _result(matched, 2.0), _result(matched, 6.0), *rules)
    assert done.exit_code == 3
    assert "FAILS *.threshold_check.0.fnmr:+1pp" in done.stdout
    assert "FAILS eer" not in done.stdout


def test_a_kernel_off_by_one_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = campaign.figures(campaign.run(people=300, seed=3))
    real = CodeGallery.histogram

    def off_by_one(self: Any, probes: Any, *, threads: int = 1) -> Any:
        counts = real(self, probes, threads=threads)
        counts[1:] = counts[:-1].copy()
        return counts

    monkeypatch.setattr(CodeGallery, "histogram", off_by_one)
    done = _run(tmp_path, right, campaign.figures(campaign.run(people=300, seed=3)), "histogram_impostor:=")
    assert done.exit_code == 3
    assert "FAILS histogram_impostor:=" in done.stdout


def test_no_change_passes(matched: Comparisons, tmp_path: Path) -> None:
    result = _result(matched, 2.0)
    done = _run(tmp_path, result, result, "eer:+0pp", "fnmr:=")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "no rule is broken; 0 figures changed")
    cases = list(ET.parse(tmp_path / "j.xml").iter("testcase"))
    assert len(cases) == 2
    assert all(c.find("failure") is None for c in cases)
