"""From pictures to error rates with engines of which the answer is known."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import numpy as np
import pytest
from click.testing import CliRunner, Result

import bench.__main__
from bench.__main__ import cli
from bench.extracting.figures import touch_figures
from bench.extracting.kept import ENDED, TRIED, Extracted, Kept, key_of
from bench.extracting.pictures import picture_sets
from bench.metrics.comparisons import Comparisons
from bench.metrics.mean_of_sets import mean_of_sets
from bench.metrics.touches import best_of
from bench.wording import NOT_MEASURABLE
from bioguard.simulate.people import FingerPopulation
from tests.bench.stub_engines import Interrupted, drawn

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/extract.schema.json").read_text("utf-8"))
FINGERS, TOUCHES = 5, 4
EXACT, POOR, FAULTY, FACE, INTERRUPTED = (
    f"tests.bench.stub_engines:{name}" for name in ("Exact", "Poor", "Faulty", "Face", "Interrupted")
)


def _pgm(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    return f"P5\n{pixels.shape[1]} {pixels.shape[0]}\n255\n".encode() + pixels.tobytes()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets; one picture of the second is empty, one is no picture."""
    root = tmp_path_factory.mktemp("pictures")
    for name, seed in (("lab/DB1", 1), ("DB2", 2)):
        (root / name).mkdir(parents=True)
        for person in range(FINGERS):
            for touch, template in enumerate(FingerPopulation(seed).impressions(person, 2, TOUCHES), 1):
                (root / name / f"{person + 1}_{touch}.pgm").write_bytes(_pgm(drawn(template)))
    (root / "DB2" / "2_3.pgm").write_bytes(_pgm(np.zeros((512, 512), np.uint8)))
    (root / "DB2" / "4_1.pgm").write_bytes(b"P5\nno picture")
    (root / "DB2" / "._1_1.png").write_bytes(b"beside it, by macOS")
    return root


def _run(*line: object) -> Result:
    return CliRunner().invoke(cli, ["extract", "--replicates", "20", *map(str, line)], catch_exceptions=False)


@pytest.fixture(scope="module")
def run(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("out")
    done = _run(
        "--pictures", pictures, "--engine", EXACT, "--engine", POOR, "--dpi", 500, "--out", out, "--json",
        "--write-minutiae",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return out, json.loads((out / "extract.json").read_text("utf-8"))


def test_engines_stand_side_by_side_with_all_that_was_asked_for(run: tuple[Path, dict[str, Any]]) -> None:
    _, data = run
    jsonschema.validate(data, SCHEMA)
    exact, poor = data["engines"][EXACT], data["engines"][POOR]
    assert list(exact["sets"]) == ["DB2", "lab/DB1"]
    assert exact["mean_eer"] == pytest.approx(np.mean([exact["sets"][s]["eer"] for s in exact["sets"]]))
    assert exact["mean_eer"] < poor["mean_eer"]
    assert exact["failure_to_acquire"]["failed"] == 2
    assert exact["acquired"] == {"good": 38, "insufficient": 1, "picture.damaged": 1}
    assert poor["acquired"]["partial"] == 39
    assert exact["ms_per_picture"]["of_this_run"] == exact["ms_per_picture"]["pictures"] + 1 == 40
    assert 0 < exact["ms_per_picture"]["p50"] <= exact["ms_per_picture"]["p95"]
    assert sum(q["genuine"] for q in exact["quality_against_error"]["quarters"]) == exact["pooled"]["genuine"]
    assert exact["quality_against_error"]["kind"] == "quality by exact"
    assert poor["quality_against_error"]["kind"] == "minutiae"
    assert exact["mean_of_sets"]["fnmr_at_1e-3"] == "not measurable"
    difference = data["differences"][f"{POOR} minus {EXACT}"]["mean_of_sets"]["eer"]
    assert difference["difference"] == pytest.approx(poor["mean_eer"] - exact["mean_eer"])
    assert data["dpi"] == {"DB2": 500, "lab/DB1": 500}


def test_the_same_pairs_have_the_rates_that_accuracy_gives_them(
    run: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out, data = run
    line = ["accuracy", "--fingerprints", str(out / "minutiae" / EXACT.replace(":", ".")), "--no-across"]
    done = CliRunner().invoke(cli, [*line, "--out", str(tmp_path), "--replicates", "20"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    other = json.loads((tmp_path / "accuracy.json").read_text("utf-8"))
    for name, row in data["engines"][EXACT]["sets"].items():
        assert other["sets"][name]["genuine"] == row["genuine"]
        assert other["sets"][name]["eer"] == pytest.approx(row["eer"], abs=0.02)  # ISO rounds directions to 1.4 degrees


def test_a_page_without_anything_from_outside(run: tuple[Path, dict[str, Any]]) -> None:
    page = (run[0] / "report.html").read_text("utf-8")
    for heading in ("Engines side by side", "DET", "Quality against error", "Failures to acquire, and time"):
        assert f">{heading}<" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page


def test_a_second_run_reads_what_the_first_one_made_and_ends_with_the_same(
    run: tuple[Path, dict[str, Any]], pictures: Path, tmp_path: Path
) -> None:
    out, data = run
    (tmp_path / "extracted").symlink_to(out / "extracted")
    done = _run("--pictures", pictures, "--engine", EXACT, "--dpi", 500, "--out", tmp_path)
    again = json.loads((tmp_path / "extract.json").read_text("utf-8"))["engines"][EXACT]
    assert "0 pictures extracted, 40 kept" in done.output.replace("\n", " ")
    assert again.pop("ms_per_picture")["of_this_run"] == 0
    first = dict(data["engines"][EXACT])
    first.pop("ms_per_picture")
    assert again == first
    compared = CliRunner().invoke(cli, ["compare", str(out), str(tmp_path), "--fail-on", "mean_eer:+0.1pp"])
    assert compared.exit_code == 3  # an engine is missing
    kept = CliRunner().invoke(cli, ["compare", str(tmp_path), str(out), "--fail-on", "mean_eer:+0.1pp"])
    assert kept.exit_code == 0, kept.output


def test_another_resolution_is_another_extraction(pictures: Path, tmp_path: Path) -> None:
    line = ("--pictures", pictures / "lab", "--engine", EXACT, "--out", tmp_path)
    assert _run(*line, "--dpi", 500).exit_code == 0
    assert "20 pictures extracted" in _run(*line, "--dpi", 500, "--dpi", "DB1=512").output.replace("\n", " ")
    assert _run(*line, "--dpi", "DB9=500").exit_code == 2
    assert _run(*line, "--dpi", "x").exit_code == 2


def test_a_fault_of_an_engine_is_a_failure_to_acquire(pictures: Path, tmp_path: Path) -> None:
    _run("--pictures", pictures / "lab", "--engine", FAULTY, "--dpi", 500, "--out", tmp_path)
    row = json.loads((tmp_path / "extract.json").read_text("utf-8"))["engines"][FAULTY]
    assert row["acquired"] == {"fault": 6, "good": 14}
    assert row["failure_to_acquire"]["failed"] == 6


def test_what_cannot_be_measured_is_refused(pictures: Path, tmp_path: Path) -> None:
    def ended(folder: Path, engine: str) -> int:
        return bench.__main__.run(["extract", "--pictures", str(folder), "--engine", engine, "--out", str(tmp_path)])

    assert ended(tmp_path, EXACT) == ended(pictures, FACE) == 4
    assert ended(pictures, "nobody") == 2


def test_an_interrupt_is_not_taken_for_the_end_of_an_engine(pictures: Path, tmp_path: Path) -> None:
    Interrupted.calls = 0
    done = _run("--pictures", pictures / "lab", "--engine", INTERRUPTED, "--dpi", 500, "--out", tmp_path)
    assert done.exit_code == 1  # click's; the command line answers 130
    assert len(list((tmp_path / "extracted").rglob("*-500"))) == 1
    assert not list((tmp_path / "extracted").rglob(f"*{TRIED}"))


def test_a_picture_at_which_an_engine_ended_the_process_is_not_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    kept, key = Kept(tmp_path, said.append), key_of(b"picture", 500)
    kept.trying(key)  # and here the process ends
    assert kept.get(key) == ENDED
    assert TRIED in said[0]
    kept.put(key, found := Extracted("good", FingerPopulation(1).impression(0, 2, 0), 7, 1.5, 1.25))
    assert kept.get(key) == found


def test_a_damaged_extraction_is_made_anew(tmp_path: Path) -> None:
    said: list[str] = []
    kept = Kept(tmp_path, said.append)
    for template in (None, FingerPopulation(1).impression(0, 2, 0)):
        kept.trying("k")
        kept.put("k", Extracted("insufficient", template))
        whole = (tmp_path / "k").read_bytes()
        for broken in (whole[:-1], whole + b"\0", b"", b"x" + whole[1:], whole[:6] + b"\2" + whole[7:]):
            (tmp_path / "k").write_bytes(broken)
            assert kept.get("k") is None
    assert len(said) == 10


def test_the_best_of_several_touches_by_counting_by_hand() -> None:
    rng = np.random.default_rng(3)
    subjects = np.array([0, 0, 0, 0, 1, 1, 1, 2])
    scores = rng.normal(size=(8, 8)).astype(np.float32)
    one = Comparisons("s", scores, subjects, [f"{p}_{i}" for i, p in enumerate(subjects)], unusable=[5])
    found = best_of(one, 2)
    assert found is not None
    genuine: list[np.float32] = []
    impostor: list[np.float32] = []
    for probe in (0, 1, 2, 3, 4, 6, 7):
        for person in range(3):
            left = [j for j in range(8) if subjects[j] == person and j not in (probe, 5)]
            best = [max(scores[probe, a], scores[probe, b]) for a in left for b in left if a < b]
            (genuine if subjects[probe] == person else impostor).extend(best)
    sides: dict[bool, list[float]] = {True: [], False: []}
    for values, a, b in found.blocks():
        for value, same in zip(values, a == b, strict=True):
            sides[bool(same)].append(float(value))
    assert sorted(sides[True]) == sorted(map(float, genuine))
    assert sorted(sides[False]) == sorted(map(float, impostor))
    assert best_of(one, 4) is None


def _set(impressions: int) -> Comparisons:
    """Eight fingers."""
    subjects = np.repeat(np.arange(8), impressions)
    scores = np.random.default_rng(4).normal(size=(subjects.size,) * 2) + 3 * (subjects[:, None] == subjects)
    return Comparisons(str(impressions), scores.astype(np.float32), subjects, [str(i) for i in range(subjects.size)])


def test_a_choice_of_touches_measures_nothing_that_pairs_do_not() -> None:
    """448 pairs of two fingers a set, of which 1 344 choices are made."""
    sets = [_set(4)] * 3
    draws = {"seed": 1, "replicates": 20}
    alone = mean_of_sets(sets, **draws)
    found = touch_figures(sets, 2, alone, None, **draws)
    assert found["impostor"] == 3 * 1344
    assert set(alone) == set(found["mean_of_sets"])
    for name, rate in found["mean_of_sets"].items():
        assert (rate == NOT_MEASURABLE) == (alone[name] == NOT_MEASURABLE) == (name == "fnmr_at_1e-3")


def test_a_set_of_too_few_touches_does_not_drop_out_of_the_mean() -> None:
    sets, draws = [_set(4), _set(2)], {"seed": 1, "replicates": 20}
    alone = mean_of_sets(sets, **draws)
    assert alone["eer"] != NOT_MEASURABLE
    assert set(touch_figures(sets, 2, alone, None, **draws)["mean_of_sets"].values()) == {NOT_MEASURABLE}


def test_pictures_are_found_in_order_and_an_impression_once(tmp_path: Path) -> None:
    for name, data in (("10_1.png", b"a"), ("9_1.wsq", b"b"), ("9_1.PNG", b"c"), ("9_2.tiff", b"c"), ("x_1.bmp", b"d")):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "9_3.png").mkdir()
    said: list[str] = []
    (one,) = picture_sets(tmp_path, said.append)
    assert one.files == ["9_1.PNG", "9_2.tiff", "10_1.png", "x_1.bmp"]
    assert one.fingers == ["9", "9", "10", "x"]
    assert one.passed_over == ["9_1.wsq"]
    assert "1 pictures are copies of another, the first is 9_2.tiff, as 9_1.PNG" in said[-1]
