"""Files at the limits of the bench's readers: what inflates, scores of one kind that are all infinite, odd numbers."""

from pathlib import Path

import numpy as np
import pytest

from bench.load import read_faces
from bench.plots import histogram_plot
from bench.score_files import read_score_files
from bioguard.errors import InputRefused


def test_embeddings_that_would_fill_the_memory_are_not_inflated(tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    np.savez_compressed(path, embeddings=np.zeros((65_536, 128), "f4"), labels=np.zeros(65_536, "i4"))
    with pytest.raises(InputRefused) as caught:
        read_faces(path)
    assert caught.value.code == "format.npz_ratio"
    assert caught.value.message.startswith(str(path))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("infinite", ["genuine", "impostor", "both"])
def test_scores_that_are_all_infinite_are_drawn_without_a_warning(infinite: str) -> None:
    finite, none = np.arange(5.0), np.full(5, np.inf)
    genuine, impostor = (none if infinite in (name, "both") else finite for name in ("genuine", "impostor"))
    assert histogram_plot(genuine, impostor, {"1e-2": 1.0}, title="s")


@pytest.mark.parametrize("text", ["8_0.5", "1_0"])
def test_a_score_with_an_underscore_is_no_number(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.csv"
    path.write_text(f"probe,reference,score\n1_1,1_2,{text}\n", "utf-8")
    with pytest.raises(InputRefused, match=f"line 2: the score reads '{text}', which is no number"):
        read_score_files(path)
