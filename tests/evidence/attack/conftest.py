"""Fast PINs for the bench: its attacks are about order and limits, not about the cost of one guess."""

from hashlib import sha256
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def fast_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bioguard.trusted.gatekeeper.app._argon2id", lambda pin, salt: sha256(salt + pin).digest())
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
