"""What happens above a budget, and to what is closed: a secret of 64 bytes through each way that carried bytes."""

import secrets
from pathlib import Path

from bench.channels.sender import Way
from bench.channels.world import Outside
from tee_sim.shared.errors import TeeResult

BUDGET_BITS = 64
"""Of a decision of the product."""
SECRET_BYTES = 64


def refused(place: Outside, way: Way, number: int, secret: bytes) -> str:
    """How a request of this kind ends, in a few words."""
    answer = place.ask(way, number, secret).answer
    if answer.result is TeeResult.TARGET_DEAD:
        return f"ended ({answer.host_end.name.lower()})" if answer.host_end else "ended (panic)"
    return f"{answer.bits} bits"


def told(place: Outside, secret: bytes, folder: Path) -> bool:
    """Whether 8 bytes in a row of a secret lie in a file of the disk or in an answer."""
    pieces = [secret[start : start + 8] for start in range(len(secret) - 7)]
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "huk"]
    return any(piece in data for data in files for piece in pieces)


def new_secret() -> bytes:
    """Another one each time."""
    return secrets.token_bytes(SECRET_BYTES)
