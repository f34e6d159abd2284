"""Every client's codec takes exactly what the product's codec takes, less what protocol 2 does not speak."""

import random
import subprocess
from pathlib import Path

import pytest

from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError
from tests.clients.toolchains import LANGUAGES

EDGES = [0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53 - 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1]
VALUES: list[object] = [
    [2, 1, 0, [2, "bioguard 0.2.0", True, None, [[0, 1, 2, 5, 1, True, None, False, False, True, False]]]],
    [2, 1, 1, ["match.locked", "locked for 30 s", "wait", 4]],
    [2, 1, 2, [7, 1000, 4, [1, 0, 4, [0, 2], 750, 1125]]],
    [2, 1, 2, [8, 2**40, 6, [2**31 - 1, b"\0" * 69]]],
    EDGES,
    [-1, -(2**64)],
    [b"x" * size for size in (0, 23, 24, 255, 256)],
    ["y" * size for size in (0, 23, 24, 256)],
]
WRONG = [
    "", "ff", "1800", "1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "20", "3817", "5817", "7817", "9801f6",
    "8201", "8100f6", "5f4100ff", "9f00ff", "c100", "f7", "f818", "f93c00", "fb3ff0000000000000", "a0", "a10000",
    "5bffffffffffffffff", "9bffffffffffffffff", "9a7fffffff", "62c3a9", "61ff", "1c", "1f", "fc", "18", "1b00",
    "5a7fffffff00", "7b7fffffffffffffff", "81" * 8 + "f6", "81" * 9 + "f6", "81" * 8 + "4100", "81" * 5000,
]  # fmt: skip


def expected(body: bytes) -> bool:
    """The product's verdict, but for what does not occur in protocol 2: maps, negative numbers, text beyond ASCII."""

    def spoken(value: object) -> bool:
        if isinstance(value, list):
            return all(map(spoken, value))
        if isinstance(value, int):
            return value >= 0
        return value.isascii() if isinstance(value, str) else not isinstance(value, dict)

    try:
        return spoken(codec.decode(body))
    except TeeError:
        return False


def bodies() -> list[bytes]:
    chance = random.Random(22)
    whole = [codec.encode(value) for value in VALUES]
    found = [*whole, *map(bytes.fromhex, WRONG)]
    for _ in range(4000):
        body = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(body))
            body[at] = chance.choice((body[at] ^ 1 << chance.randrange(8), chance.randrange(256)))
        cut = chance.randrange(len(body)) if chance.random() < 0.1 else len(body)
        found.append(bytes(body[:cut]))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_client_takes_what_the_product_would_write_and_nothing_else(language: str, tmp_path: Path) -> None:
    given = bodies()
    wanted = [expected(body) for body in given]
    assert len(given) > sum(wanted) > 400
    command = LANGUAGES[language].verdicts(tmp_path)
    data = b"".join(len(body).to_bytes(4, "little") + body for body in given)
    done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    differ = [
        body.hex() for body, want, got in zip(given, wanted, done.stdout.decode(), strict=True) if want != (got == "1")
    ]
    assert differ == []
