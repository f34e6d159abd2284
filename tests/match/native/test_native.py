"""The kernel without Python: clean under sanitizers, and the same results on every processor as the NumPy twin.

`driver.c` prints one digest of all results per variant. Here the same cases run through the twin, so a wrong bit
anywhere in any variant, compiled natively, under sanitizers or for aarch64 under an emulator, is seen.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bioguard.match.numpy_codes import NumpyCodes
from bioguard.match.top_k import NumpyLists

HERE = Path(__file__).parent
NATIVE = HERE.parents[2] / "src/bioguard/match/native"
SOURCES = [HERE / "driver.c", *(NATIVE / f"{name}.c" for name in ("hamming", "select", "dots", "best"))]
SOURCES += [NATIVE / f"scan_{name}.c" for name in ("portable", "avx2", "avx512", "neon")]
MASK = (1 << 64) - 1


class Lcg:
    """The generator of driver.c."""

    def __init__(self) -> None:
        self.state = 1

    def draw(self) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & MASK
        return self.state >> 32

    def words(self, rows: int, steps: int, number: int, *, extreme: bool) -> NDArray[np.uint8]:
        """Codes or probes of one case, uint8 [rows, 4 * steps]."""
        if number % 3 and number % 5 == 1:
            odd = (np.arange(rows) % 2 * extreme).astype(np.uint8)
            return np.repeat(odd[:, np.newaxis] * np.uint8(255), 4 * steps, axis=1)
        drawn = [self.draw() for _ in range(rows * steps)]
        words = drawn if number % 3 else [(d & 3) * 0x11111111 for d in drawn]
        return np.array(words, np.uint32).reshape(rows, steps).view(np.uint8)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows at norm 1, added up as native/best.c does: 16 sums, then what is left of the row, then the sums."""
    made = rows / np.abs(rows).max(axis=1, keepdims=True)
    whole = rows.shape[1] // 16 * 16
    sums, total = np.zeros((len(rows), 16), np.float32), np.zeros(len(rows), np.float32)
    for start in range(0, whole, 16):
        sums += made[:, start : start + 16] ** 2
    for column in (*made[:, whole:].T ** 2, *sums.T):
        total += column
    return made / np.sqrt(total)[:, np.newaxis]


def faces(rows: int, m: int, d: int, k: int, dead: NDArray[np.int64]) -> tuple[NDArray[np.generic], ...]:
    """The nearest of rows of small whole numbers, and the first m rows at norm 1."""
    drawn = np.arange(rows * d, dtype=np.uint32) * np.uint32(2654435761) >> np.uint32(29)
    vectors, probes = (drawn.astype(np.float32) * 2 - 7).reshape(rows, d), np.zeros((m, d), np.float32)
    for t in range(4):
        probes[np.arange(m), (np.arange(m) + t * (d // 4)) % d] = -3 if t % 2 else 3
    scores = unit(probes) @ vectors.T
    scores[:, dead] = -np.inf
    lists = NumpyLists(m, k)
    lists.take(scores, 0)
    return (*lists.finish(), unit(vectors[:m]))


def case(lcg: Lcg, number: int) -> bytes:
    """All results of one case, as driver.c lays them out."""
    rows, m = 20 + lcg.draw() % 700, 1 + lcg.draw() % 20
    k, threads = 1 + lcg.draw() % (rows // 2), 1 + lcg.draw() % 3
    steps = [2, 4, 16, 30, 32, 34, 62, 64][number % 8]
    codes = lcg.words(rows, steps, number, extreme=True)
    probes = lcg.words(m, steps, number, extreme=False)
    store = NumpyCodes(4 * steps)
    store.append(codes)
    dead = np.arange(6, rows, 7)
    store.clear(dead)
    near = [
        found
        for radius in (320, 120, 140, 160)[: 4 if steps >= 10 else 1]
        for found in store.search(probes, k, 1, radius)
    ]
    matrix = store.distances(probes, 1)
    matrix[:, dead] = 0
    bounds, found, places = store.within(probes, 15 * steps)
    scores = matrix.ravel().astype(np.float32) * np.where(np.arange(m * rows) % 2, -0.5, 0.25).astype(np.float32)
    lists = NumpyLists(m, k)
    lists.take(scores.reshape(m, rows), 0)
    vectors = faces(rows, m, steps + 1, k, dead if threads > 1 else dead[:0])
    parts = (*near, matrix, store.histogram(probes, 1), bounds, found, places, *lists.finish(), *vectors)
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts)


@pytest.fixture(scope="module")
def expected() -> str:
    """FNV-1a over all 40 cases."""
    lcg, digest = Lcg(), 14695981039346656037
    for number in range(40):
        for byte in case(lcg, number):
            digest = ((digest ^ byte) * 1099511628211) & MASK
    return f"{digest:016x}"


def outputs(compiler: str, flags: list[str], runner: list[str], directory: Path) -> dict[str, str]:
    """Build and run the driver; skip if this machine has not got the tools."""
    for tool in (compiler, *runner[:1]):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    program = directory / "driver"
    command = [compiler, "-std=c11", "-g", "-Wall", "-Wextra", "-Werror", *flags, f"-I{NATIVE}", *map(str, SOURCES)]
    command += ["-o", str(program), "-pthread", "-lm"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if "cannot find" in built.stderr and "san" in built.stderr:
        pytest.skip("the compiler has no sanitizer runtime")
    assert built.returncode == 0, built.stderr
    done = subprocess.run([*runner, str(program)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    "flags",
    [["-O3"], ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"], ["-O1", "-fsanitize=thread"]],
    ids=["optimized", "address-undefined", "thread"],
)
def test_every_variant_agrees_with_the_twin(flags: list[str], expected: str, tmp_path: Path) -> None:
    found = outputs("gcc", flags, [], tmp_path)
    assert "portable" in found
    assert set(found.values()) == {expected}


def test_neon_agrees_with_the_twin(expected: str, tmp_path: Path) -> None:
    """aarch64 under qemu-user: Debian packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user."""
    found = outputs("aarch64-linux-gnu-gcc", ["-O3", "-static"], ["qemu-aarch64"], tmp_path)
    assert list(found) == ["neon", "portable"]
    assert set(found.values()) == {expected}
