"""`bioguard match explain` on files: the picture, the answer, and what it refuses."""

from pathlib import Path

import click
import numpy as np
import pytest

from bioguard.cli.match_explain import match_group
from bioguard.cli.output import Output, Result
from bioguard.cli.state import CliState
from bioguard.errors import InputRefused
from bioguard.formats import write_iso2005
from bioguard.records import FingerprintTemplate
from bioguard.report.png import write_png


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(4)
    x, y, angle = 60 + rng.random(35) * 250, 60 + rng.random(35) * 300, rng.random(35) * 6
    a = FingerprintTemplate.from_minutiae(x, y, angle, width_px500=400, height_px500=450)
    b = FingerprintTemplate.from_minutiae(x + 10, y - 15, angle, width_px500=400, height_px500=450)
    (tmp_path / "a.iso").write_bytes(write_iso2005(a))
    (tmp_path / "b.iso").write_bytes(write_iso2005(b))
    return tmp_path / "a.iso", tmp_path / "b.iso"


def run(tmp_path: Path, *arguments: object) -> Result:
    state = CliState(directory=tmp_path / "none", output=Output(), no_input=True)
    result = match_group.main(["explain", *map(str, arguments)], standalone_mode=False, obj=state)
    assert isinstance(result, Result)
    return result


def test_draws_the_pairs(tmp_path: Path, files: tuple[Path, Path]) -> None:
    a, b = files
    out = tmp_path / "pairs.svg"
    result = run(tmp_path, a, b, "--svg", out)
    assert result.outcome == "drawn"
    assert set(result.data) == {"svg", "minutiae_a", "minutiae_b", "pairs", "turn_degrees", "fmr_band"}
    assert (result.data["minutiae_a"], result.data["turn_degrees"]) == (35, 0)
    assert result.data["pairs"] >= 15
    text = out.read_text()
    assert text.startswith("<svg ")
    assert str(a)[-40:] in text
    assert f"{result.data['pairs']} pairs of 35 minutiae in A and 35 in B" in text
    assert not (tmp_path / "none").exists()


def test_pictures_lie_under_their_minutiae_inside_the_drawing(
    tmp_path: Path, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = files
    pixels = np.random.default_rng(2).integers(0, 256, (450, 400), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(write_png(pixels, 500))
    (tmp_path / "small.png").write_bytes(write_png(pixels[:300], 500))
    out = tmp_path / "pairs.svg"
    run(tmp_path, a, b, "--svg", out, "--picture-a", tmp_path / "a.png", "--picture-b", tmp_path / "small.png")
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_text().count('href="data:image/png;base64,') == 3
    assert "small.png: 400 x 300 px at 500 dpi, its minutiae are of 400 x 450" in capsys.readouterr().err
    run(tmp_path, a, b, "--svg", out, "--picture-b", tmp_path / "a.png")
    assert out.read_text().count("<image ") == 1
    with pytest.raises(InputRefused, match="one whole number"):
        run(tmp_path, a, b, "--svg", out, "--picture-a", tmp_path / "a.png", "--dpi", "500,510")
    with pytest.raises(click.UsageError, match="--svg names one"):
        run(tmp_path, a, b, "--svg", tmp_path / "a.png", "--picture-a", tmp_path / "a.png")


def test_refuses_faces_and_its_own_input(tmp_path: Path, files: tuple[Path, Path]) -> None:
    a, b = files
    np.save(tmp_path / "face.npy", np.ones(64, np.float32))
    before = a.read_bytes()
    with pytest.raises(InputRefused) as caught:
        run(tmp_path, a, tmp_path / "face.npy", "--svg", tmp_path / "x.svg")
    assert caught.value.code == "input.not_a_fingerprint"
    with pytest.raises(click.UsageError, match="--svg names one of the compared files"):
        run(tmp_path, a, b, "--svg", a)
    with pytest.raises(InputRefused, match="No such file or directory") as caught:
        run(tmp_path, a, b, "--svg", tmp_path / "missing" / "x.svg")
    assert caught.value.code == "input.unwritable"
    assert a.read_bytes() == before
    assert not (tmp_path / "x.svg").exists()
