"""`bioguard samples`: what it writes, and that pictures, features and truth of one name are one touch."""

from pathlib import Path

import numpy as np

from bioguard.capture.pictures import decode
from bioguard.cli.__main__ import run
from bioguard.formats import write_iso2005
from bioguard.simulate.people import FingerPictures


def test_pictures_lie_beside_the_features_that_they_show(tmp_path: Path) -> None:
    out = tmp_path / "samples"
    assert run(["samples", str(out), "--people", "1", "--pictures", "--truth"]) == 0
    assert len(list(out.iterdir())) == 4 * 5
    grown = FingerPictures(1)
    for number in (1, 5):
        picture = decode((out / f"alice-touch{number}.png").read_bytes(), None)
        assert picture.dpi == 500
        assert np.array_equal(picture.pixels, grown.picture(0, 2, number - 1))
        truth = (out / f"alice-touch{number}-truth.iso").read_bytes()
        assert truth == write_iso2005(grown.truth(0, 2, number - 1))
