"""Protected fingerprint codes in numbers, the page of a protection run, and the frame of the timings."""

import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bench import finger_codes
from bench.__main__ import cli
from bench.calibration.face_data import FaceSet
from bench.commands.baseline import PEOPLE_RULES
from bench.commands.speed import _rows
from bench.compare import Rule, compare
from bench.experiments.face_protection import attack, impostor_pairs, losses
from bench.peers import code_peers, face_peers
from bench.plots import _compact
from bench.protection_report import protection_report
from bench.timing import in_turn
from bioguard.match import CodeGallery, FaceGallery
from bioguard.match.fingerprint import prepare_all
from bioguard.report import Report, Status
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation
from bioguard.simulate.people.counter_rng import words


@pytest.fixture(scope="module")
def codes() -> dict[str, Any]:
    which = [(person, 2, touch) for person in range(40) for touch in range(2)]
    ready = prepare_all(list(FingerPopulation(4).stream(which)))
    prints = [(str(person), t) for (person, _, _), t in zip(which, ready, strict=True)]
    return finger_codes.measure([prints], seed=1, shuffles=20)


def test_a_key_of_ones_own_separates_better_than_a_stolen_one(codes: dict[str, Any]) -> None:
    stolen, own = codes["key stolen (one key for all)"], codes["own key for each finger (two factors)"]
    assert stolen["genuine"] == own["genuine"] == 40
    assert stolen["impostor"] == own["impostor"] == 80 * 79 // 2 - 40
    assert own["eer"] <= stolen["eer"] < 0.25


def test_codes_link_within_an_epoch_and_hardly_across(codes: dict[str, Any]) -> None:
    assert codes["linkage within one epoch"]["linkable"]
    assert codes["linkage within one epoch"]["d_sys"] > 0.5
    across = codes["linkage across epochs"]
    assert across["d_sys"] - across["floor_mean"] < 0.1


def _linkage(d_sys: float, floor: float = 0.07) -> dict[str, Any]:
    return {"d_sys": d_sys, "floor_mean": 0.8 * floor, "floor_95": floor, "linkable": d_sys > floor, "people": 20}


@pytest.mark.parametrize(
    ("d_sys", "cosine", "linked", "reconstructed"),
    [
        (0.06, 0.001, Status.PASS, Status.PASS),
        (0.09, 0.02, Status.WARN, Status.FAIL),
        (0.9, 0.9, Status.FAIL, Status.FAIL),
    ],
)
def test_the_page_says_what_was_found(
    codes: dict[str, Any], d_sys: float, cosine: float, linked: Status, reconstructed: Status
) -> None:
    page = _page(codes, _linkage(d_sys), cosine)
    status = {check.id: check.status for check in page.checks}
    assert status["BENCH-UNL-001"] is linked
    assert status["BENCH-IRR-001"] is reconstructed
    assert status["BENCH-UNL-002"] is status["BENCH-REN-001"] is Status.PASS


@pytest.mark.parametrize(("d_sys", "status"), [(0.2, Status.UNKNOWN), (0.37, Status.WARN), (0.9, Status.FAIL)])
def test_nothing_passes_where_so_few_people_could_show_nothing(
    codes: dict[str, Any], d_sys: float, status: Status
) -> None:
    """20 people: chance alone gives 0.36."""
    check = _page(codes, _linkage(d_sys, floor=0.36)).checks[0]
    assert check.status is status
    few_people = "too few people (20): less than 0.36 would not show"
    assert check.summary.endswith(few_people) is (status is Status.UNKNOWN)
    assert _page(codes, _linkage(0.01, floor=0.1)).checks[0].status is Status.PASS
    assert _page(codes, _linkage(0.2, floor=0.125)).checks[0].status is Status.WARN  # a tenth above the mean, no more
    edge = next(c for c in _page(codes, _linkage(0.01), 0.1, error=0.025).checks if c.id == "BENCH-IRR-001")
    assert edge.status is Status.PASS
    few = next(c for c in _page(codes, _linkage(0.01), error=0.03).checks if c.id == "BENCH-IRR-001")
    assert (few.status, few.summary[-53:]) == (Status.UNKNOWN, "; too few victims (40): less than 0.12 would not show")


def test_rates_that_too_few_pairs_can_show_are_one_line(codes: dict[str, Any]) -> None:
    tables = {t.title: t for s in _page(codes, _linkage(0.01)).sections for t in s.tables}
    attacks = tables["Reconstructed faces: accepted as another photograph of the victim"]
    assert attacks.columns == ("code", "at FMR 0.001", "cosine to the enrolled", "victims")
    assert attacks.rows[0][1] == "50 % (genuine 90 %)"
    assert "Not measurable: FMR 1e-05," in attacks.note
    loss = tables["Genuine pairs lost to coding, percentage points, test half"]
    assert [row[0] for row in loss.rows] == ["sign 1024 loss_pp at 0.001"]
    assert "Not measurable: FMR 1e-05," in loss.note


def test_the_rule_of_3_holds_for_stolen_secrets() -> None:
    population = FacePopulation(EDGEFACE_XS, 2)
    rows = np.concatenate([population.embeddings(0, 80, view) for view in range(2)])
    faces = FaceSet(rows, np.tile(np.arange(80, dtype=np.int32), 2))
    assert impostor_pairs(faces) == 160 * 159 // 2 - 80 == 12_640
    found = losses(faces, 1, 2)
    assert found["impostor_pairs"] == 12_640
    assert isinstance(found["sign 1024 loss_pp at 0.001"], dict)
    assert found["sign 1024 loss_pp at 0.0001"] == found["scalar loss_pp at 1e-05"] == "not measurable"
    taken = attack(rows[:40].astype(np.float64), rows[:40], rows[80:120], 12_640)
    assert isinstance(taken["accepted at 0.001"], dict)
    assert taken["accepted at 0.0001"] == taken["accepted at 1e-05"] == "not measurable"


def _page(codes: dict[str, Any], linked: dict[str, Any], cosine: float = 0.001, error: float = 0.002) -> Report:
    attack = {
        "victims": 40, "cosine_mean": cosine, "cosine_standard_error": error,
        "accepted at 0.001": {"attack": 0.5, "genuine": 0.9}, "accepted at 1e-05": "not measurable",
    }  # fmt: skip
    loss = {"people": 5, "sign 1024 loss_pp at 0.001": {"mean": 0.5, "interval_95_first_epoch": [0.1, 0.9]},
            "sign 1024 loss_pp at 1e-05": "not measurable"}  # fmt: skip
    data = {
        "seed": 1, "inputs": {"files": []}, "environment": {"bioguard": "0"},
        "data": {"faces": "synthetic", "fingerprints": "synthetic"},
        "face_linkage": {"sign": linked, "scalar": _linkage(0.01)}, "face_renewal": _linkage(0.01),
        "face_reconstruction": {"sign 1024, secret stolen": attack, "sign 1024, secret unknown": attack},
        "face_accuracy_secret_stolen_development": loss, "face_accuracy_secret_stolen_test": loss, "fingerprint": codes,
    }  # fmt: skip
    return protection_report(data, created="2026-01-01T00:00:00+00:00")


def test_peers_find_what_we_find() -> None:
    """Speed is compared on equal answers."""
    population = FacePopulation(EDGEFACE_XS, 1)
    rows, probes = population.embeddings(0, 500, 0), population.embeddings(0, 8, 1)
    best = FaceGallery(rows).search(probes, 5)[1]
    for name, search in face_peers(rows, 5).items():
        found = search(probes)
        assert np.array_equal(found if name == "numpy" else found[1], best), name  # type: ignore[index]
    codes = words(1, 1, np.arange(500), 0, 32).astype("<u4").view(np.uint8)
    distances = CodeGallery(codes).search(codes[:4], 5)[0]
    assert set(code_peers(codes, 5)) >= {"numpy", "faiss binary flat"}
    for name, search in code_peers(codes, 5).items():
        found = search(codes[:4])
        if name == "numpy":
            found = np.bitwise_count(codes[found] ^ codes[:4, None]).sum(axis=2), found  # type: ignore[index]
        if name == "opencv brute force":
            found = [[match.distance for match in row] for row in found], found  # type: ignore[attr-defined]
        assert np.array_equal(found[0], distances), name  # type: ignore[index]


def test_contenders_take_turns_and_ratios_are_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    order: list[str] = []

    def work(name: str, seconds: float) -> Any:
        def call(_: int) -> None:
            order.append(name)
            clock[0] += seconds

        return call

    monkeypatch.setattr("bench.timing.time.perf_counter", lambda: clock[0])
    kept: dict[str, list[float]] = {}
    found = in_turn({"ours": work("a", 0.01), "theirs": work("b", 0.04)}, 100, seconds=1.0, keep=kept)
    assert order[:6] == ["a", "b", "a", "b", "a", "b"]
    assert found["ours"]["per_second"] == pytest.approx(10_000)
    assert found["ours"]["p95_ms"] == pytest.approx(10)
    assert found["theirs"]["ours_times_faster"] == pytest.approx(4)
    assert found["theirs"]["ours_times_faster_95"] == pytest.approx([4, 4])
    assert "ours_times_faster" not in found["ours"]
    assert found["ours"]["calls"] == len(kept["ours"])
    assert found["ours"]["calls"] in {40, 41}  # until two seconds are spent on both


def test_a_ratio_has_the_interval_of_its_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = np.random.default_rng(3).lognormal(np.log(2), 0.5, 500)
    clock = [0.0]

    def spend(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr("bench.timing.time.perf_counter", lambda: clock[0])
    found = in_turn({"ours": lambda _: spend(1.0), "theirs": lambda i: spend(turns[i])}, 1, seconds=1e9)["theirs"]
    low, high = found["ours_times_faster_95"]
    assert found["calls"] == 400
    assert found["ours_times_faster"] == pytest.approx(np.median(turns[1:401]))
    assert low < found["ours_times_faster"] < high
    assert high - low == pytest.approx(2 * 1.96 * 2 * 0.5 * np.sqrt(np.pi / 2 / 400), rel=0.3)  # of a median, large n


def test_the_page_names_what_each_ratio_means_and_no_percentile_of_too_few_calls() -> None:
    timed = {"per_second": 1234.5, "p50_ms": 0.8123, "p95_ms": 1.5, "p99_ms": 2.25}
    ratio = {"ours_times_faster": 455.4, "ours_times_faster_95": [440.2, 470.1]}
    cases = {
        "one_to_one_through_tee": {
            "face": {"bare": {**timed, "calls": 400}, "through tee": {**timed, **ratio, "calls": 19}}
        },
        "code_1toN": {"100000": {"bioguard": {**timed, "per_second": 1.5e8, "calls": 20}}},
    }
    assert _rows(cases) == [
        ("one to one through tee, face", "bare", "", "", "400", "1,234", "0.812", "1.5", "2.25"),
        ("one to one through tee, face", "through tee", "455 x as long as bare", "440 to 470", "19", "1,234", "0.812",
         "-", "-"),
        ("code 1toN, 100,000", "bioguard", "", "", "20", "150,000,000", "0.812", "1.5", "-"),
    ]  # fmt: skip


def test_numbers_on_axes_are_readable() -> None:
    assert [_compact(v, 0) for v in (4.53e6, 12_345.0, 310e6, 2e9, 0.25, 0.0)] == [
        "4.53 M", "12.3 k", "310 M", "2 G", "0.25", "0",
    ]  # fmt: skip


def test_baseline_of_people_is_reproducible_and_its_rules_fit(tmp_path: Any) -> None:
    from bench.commands import baseline

    with pytest.MonkeyPatch.context() as patch:
        for name, small in (("FINGERS", 12), ("FACES", 60), ("CAMPAIGN", 200)):
            patch.setattr(baseline, name, small)
        patch.setattr(baseline, "rerun_single_threaded", lambda module: None)
        line = ["baseline", "--no-speed", "--directory", str(tmp_path)]
        assert CliRunner().invoke(cli, line).exit_code == 0
        checked = CliRunner().invoke(cli, [*line, "--check", "--json"])
        assert checked.exit_code == 0
        assert json.loads(checked.stdout)["checked"][0].startswith("PASS people.json: eer:+0.2pp: 3 figures")
        stored = json.loads((tmp_path / "people.json").read_text("utf-8"))
        stored["accuracy"]["face_code"]["eer"] -= 0.01
        (tmp_path / "people.json").write_text(json.dumps(stored), encoding="utf-8")
        failed = CliRunner().invoke(cli, [*line, "--check"])
    assert failed.exit_code == 3
    assert "accuracy.face_code.eer" in failed.stdout


def test_stored_baseline_fits_its_rules() -> None:
    from bench.compare import read_result
    from bench.environment import ROOT

    data = read_result(ROOT / "bench" / "baselines" / "people.json")
    changes, looked = compare(data, data, [Rule.parse(rule) for rule in PEOPLE_RULES])
    assert changes == []
    assert len(looked) == len(PEOPLE_RULES)
