"""One world for each test."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tee_sim.normal.supplicant import Supplicant
from tests.tee_sim.made.kit import Made


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    with closing(Supplicant(tmp_path)) as storage:
        yield Made(storage)
