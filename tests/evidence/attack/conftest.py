"""Fast PINs for the bench: its attacks are about order and limits, not about the cost of one guess."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def bench(monkeypatch: pytest.MonkeyPatch, fast_pins: None) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
