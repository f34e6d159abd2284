"""Pictures that the product writes, read by the decoder of the capture extra."""

import numpy as np

from bioguard.capture.pictures import decode
from bioguard.report.png import write_png


def test_a_decoder_reads_the_same_pixels_and_resolution() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (65, 131), dtype=np.uint8)
    picture = decode(write_png(pixels, 500), None)
    assert picture.dpi == 500
    assert np.array_equal(picture.pixels, pixels)
