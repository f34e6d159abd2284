"""The compiled module called wrongly: always ValueError (or TypeError), never a read or write outside a buffer."""

import contextlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bioguard.match.arrays import aligned_zeros

kernels = pytest.importorskip("bioguard.match._kernels")

ROWS, STEPS, M, K = 20, 12, 3, 5


def arguments() -> dict[str, object]:
    return {
        "variant": 0, "rows": ROWS, "steps": STEPS, "m": M, "k": K, "threads": 1, "head_radius": 320,
        "heads": aligned_zeros((2, 10, 16), np.uint32), "tails": aligned_zeros((2, STEPS - 10, 16), np.uint32),
        "live": np.array([0xFFFF, 0x000F], np.uint16),
        "probes": np.zeros((M, 4 * STEPS), np.uint8),
        "distances": np.zeros((M, K), np.uint16), "positions": np.zeros((M, K), np.int64),
    }  # fmt: skip


def search(**changes: object) -> None:
    kernels.search(*{**arguments(), **changes}.values())


def test_the_unchanged_call_works() -> None:
    search()


def shifted(array: NDArray[np.generic], by: int) -> NDArray[np.generic]:
    raw = np.zeros(array.nbytes + 64 + by, np.uint8)
    start = -raw.ctypes.data % 64 + by
    return raw[start : start + array.nbytes].view(np.uint8)


def read_only() -> NDArray[np.uint16]:
    array = np.zeros((M, K), np.uint16)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variant": -1}, "no such variant on this processor"),
        ({"variant": 9}, "no such variant on this processor"),
        ({"rows": -1}, "number of rows or probes out of range"),
        ({"rows": 1 << 31}, "number of rows or probes out of range"),
        ({"m": -1}, "number of rows or probes out of range"),
        ({"steps": 0}, "code length out of range"),
        ({"steps": 3}, "code length out of range"),
        ({"steps": 2048}, "code length out of range"),
        ({"threads": 0}, "number of threads out of range"),
        ({"threads": 65}, "number of threads out of range"),
        ({"rows": 33}, "blocks have the wrong size or alignment"),
        ({"steps": 14}, "blocks have the wrong size or alignment"),
        ({"steps": 6}, "blocks have the wrong size or alignment"),
        ({"heads": shifted(np.zeros((2, 10, 16), np.uint32), 4)}, "blocks have the wrong size or alignment"),
        ({"tails": shifted(np.zeros((2, 2, 16), np.uint32), 4)}, "blocks have the wrong size or alignment"),
        ({"tails": np.zeros(0, np.uint32)}, "blocks have the wrong size or alignment"),
        ({"head_radius": -1}, "radius out of range"),
        ({"head_radius": 321}, "radius out of range"),
        ({"live": np.zeros(1, np.uint16)}, "live mask has the wrong size or alignment"),
        ({"live": shifted(np.zeros(2, np.uint16), 1)}, "live mask has the wrong size or alignment"),
        ({"live": np.array([0xFFFF, 0x001F], np.uint16)}, "live mask marks rows past the end"),
        ({"m": 4}, "probes have the wrong size"),
        ({"k": 0}, "k out of range"),
        ({"k": 21}, "k out of range"),
        ({"k": 6}, "an output has the wrong size or alignment"),
        ({"distances": np.zeros((M, K - 1), np.uint16)}, "an output has the wrong size or alignment"),
        ({"positions": np.zeros((M, K), np.int32)}, "an output has the wrong size or alignment"),
    ],
)
def test_wrong_arguments(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        search(**changes)


def test_aliasing_is_refused() -> None:
    shared = np.zeros(M * K * 8, np.uint8)
    with pytest.raises(ValueError, match=r"^outputs overlap$"):
        search(positions=shared.view(np.int64), distances=shared[: M * K * 2].view(np.uint16))
    for name, lines in (("heads", 10), ("tails", STEPS - 10)):
        plane = aligned_zeros((2, lines, 16), np.uint32)
        with pytest.raises(ValueError, match=r"^an output overlaps an input$"):
            search(**{name: plane, "positions": plane.reshape(-1)[: M * K * 2].view(np.int64)})


def test_a_head_radius_needs_a_head() -> None:
    short = {"steps": 4, "heads": aligned_zeros((2, 4, 16), np.uint32), "tails": np.zeros(0, np.uint32)}
    search(**short, probes=np.zeros((M, 16), np.uint8))
    with pytest.raises(ValueError, match=r"^radius out of range$"):
        search(**short, probes=np.zeros((M, 16), np.uint8), head_radius=319)


def test_not_a_buffer_and_read_only() -> None:
    with pytest.raises(TypeError):
        search(heads=None)
    with pytest.raises((TypeError, BufferError)):
        search(distances=read_only())


@pytest.mark.parametrize(
    ("bounds", "total", "message"),
    [
        ([0, 1], 1, "bounds have the wrong size or alignment"),
        ([1, 1, 1, 1], 1, "bounds do not start at 0"),
        ([0, 2, 1, 3], 3, "bounds are not ascending"),
        ([0, 1, 2, 1 << 40], 3, "an output has the wrong size or alignment"),
        ([0, 1, 2, 1 << 62], 3, "an output has the wrong size or alignment"),
    ],
)
def test_wrong_bounds(bounds: list[int], total: int, message: str) -> None:
    a = arguments()
    with pytest.raises(ValueError, match=f"^{message}$"):
        kernels.list_within(
            0, ROWS, STEPS, M, 10, a["heads"], a["tails"], a["live"], a["probes"], np.array(bounds, np.int64),
            np.zeros(total, np.uint16), np.zeros(total, np.int64),
        )  # fmt: skip


def test_a_list_never_leaves_its_bounds() -> None:
    """Bounds narrower than what is found (a gallery that changed in between): the rest is dropped."""
    a = arguments()
    distances, positions = np.full(6, 999, np.uint16), np.full(6, -1, np.int64)
    bounds = np.array([0, 2, 2, 6], np.int64)
    kernels.list_within(
        0, ROWS, STEPS, M, 10, a["heads"], a["tails"], a["live"], a["probes"], bounds, distances, positions
    )  # fmt: skip
    assert positions.tolist() == [0, 1, 0, 1, 2, 3]
    assert distances.tolist() == [0] * 6


NUMBERS = st.sampled_from([-(1 << 62), -1, 0, 1, 2, 3, 4, 5, 20, 1 << 20, (1 << 31) - 1, 1 << 31, 1 << 40, (1 << 62)])
CALLS: list[Callable[..., object]] = [kernels.search, kernels.distances, kernels.histogram, kernels.count_within]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(CALLS),
    st.lists(NUMBERS, min_size=7, max_size=7),
    st.lists(st.integers(0, 70), min_size=6, max_size=6),
)
def test_random_calls_are_refused_or_harmless(
    call: Callable[..., object], numbers: list[int], sizes: list[int]
) -> None:
    """A value or ValueError, never any other error and no access outside a buffer."""
    buffers = [np.zeros(size * 8, np.uint8) for size in sizes]
    arguments = [*numbers, *buffers] if call is kernels.search else [*numbers[:5], *buffers[:5]]
    with contextlib.suppress(ValueError):
        assert call(*arguments) is None


def test_dot_rows_borders() -> None:
    rows, probes, out = np.ones((3, 5), np.float32), np.ones((2, 5), np.float32), np.zeros((2, 3), np.float32)
    kernels.dot_rows(0, 3, 5, 2, rows, probes, out)
    assert out.tolist() == [[5.0] * 3] * 2
    size = "^rows, probes or output have the wrong size or alignment$"
    for arguments, message in (
        ((9, 3, 5, 2, rows, probes, out), "^no such variant on this processor$"),
        ((0, 3, 0, 2, rows, probes, out), "^sizes out of range$"),
        ((0, -1, 5, 2, rows, probes, out), "^sizes out of range$"),
        ((0, 4, 5, 2, rows, probes, out), size),
        ((0, 3, 5, 1, rows, probes, out), size),
        ((0, 3, 5, 2, rows, probes, out[:1]), size),
        ((0, 3, 5, 2, shifted(rows, 2), probes, out), size),
        ((0, 3, 5, 2, rows, probes, rows.reshape(-1)[:6]), "^an output overlaps an input$"),
    ):
        with pytest.raises(ValueError, match=message):
            kernels.dot_rows(*arguments)


@pytest.mark.parametrize("variant", range(len(kernels.variants())))
def test_dot_rows_write_no_more_than_their_output(variant: int) -> None:
    rows, probe = np.ones((40, 3), np.float32), np.ones((1, 3), np.float32)
    for n in range(41):
        out = np.full(64, 7, np.float32)
        kernels.dot_rows(variant, n, 3, 1, rows[:n], probe, out[:n])
        assert out.tolist() == [3] * n + [7] * (64 - n)


def test_unit_rows_borders() -> None:
    rows, out = np.full((2, 3), 2, np.float32), np.zeros((2, 3), np.float32)
    assert kernels.unit_rows(2, 3, rows, out) is True
    assert np.allclose(out, np.sqrt(np.float32(1 / 3)))
    for wrong in (0.0, 1e-13, np.nan, np.inf, -np.inf):
        rows[1] = [0, wrong, 0]
        assert kernels.unit_rows(2, 3, rows, out) is False
    assert kernels.unit_rows(0, 3, rows[:0], out[:0]) is True
    size = "^rows or output have the wrong size or alignment$"
    for arguments, message in (
        ((2, 0, rows, out), "^sizes out of range$"),
        ((-1, 3, rows, out), "^sizes out of range$"),
        ((3, 3, rows, out), size),
        ((2, 3, shifted(rows, 2), out), size),
        ((2, 3, rows, rows), "^an output overlaps an input$"),
    ):
        with pytest.raises(ValueError, match=message):
            kernels.unit_rows(*arguments)


def test_best_rows_borders() -> None:
    given = {
        "variant": 0, "n": 3, "d": 5, "m": 2, "k": 2, "rows": np.ones((3, 5), np.float32),
        "live": np.zeros(0, np.bool_), "probes": np.ones((2, 5), np.float32),
        "scores": np.zeros((2, 2), np.float32), "positions": np.zeros((2, 2), np.int64),
    }  # fmt: skip
    assert kernels.best_rows(*given.values()) is True
    assert given["positions"].tolist() == [[0, 1]] * 2
    kernels.best_rows(*{**given, "live": np.array([False, True, True])}.values())
    assert given["positions"].tolist() == [[1, 2]] * 2
    for wrong in (0.0, np.nan, np.inf):
        assert kernels.best_rows(*{**given, "probes": np.full((2, 5), wrong, np.float32)}.values()) is False
    size, output = "^rows, live mask or probes have the wrong size or alignment$", "^an output has the wrong size"
    for changes, message in (
        ({"variant": 9}, "^no such variant on this processor$"),
        ({"d": 0}, "^sizes out of range$"),
        ({"n": 4}, size),
        ({"m": 3}, size),
        ({"live": np.ones(2, np.bool_)}, size),
        ({"k": 0}, "^k out of range$"),
        ({"k": 4}, "^k out of range$"),
        ({"live": np.array([True, False, False])}, "^k out of range$"),
        ({"k": 1}, output),
        ({"scores": np.zeros((2, 1), np.float32)}, output),
        ({"positions": given["scores"]}, output),
        ({"scores": given["rows"].reshape(-1)[:4]}, "^an output overlaps an input or the other$"),
        ({"rows": np.full((3, 5), np.nan, np.float32)}, "^a score is not a number$"),
    ):
        with pytest.raises(ValueError, match=message):
            kernels.best_rows(*{**given, **changes}.values())
    given["live"] = np.ones(3, np.bool_)
    for output in ("scores", "positions"):
        for name in {"rows", "live", "probes", "scores", "positions"} - {output}:
            shared = np.ones(64, np.uint8)
            views = {
                key: shared[: given[key].nbytes].view(given[key].dtype).reshape(given[key].shape)
                for key in (output, name)
            }
            with pytest.raises(ValueError, match=r"^an output overlaps an input or the other$"):
                kernels.best_rows(*{**given, **views}.values())


def test_sign_codes_borders() -> None:
    rows, signs, codes = np.ones((2, 8), np.float32), np.ones((3, 3, 8), np.float32), np.zeros((2, 3), np.uint8)
    kernels.sign_codes(2, 8, 3, 24, rows, signs, codes)
    assert codes.tolist() == [[1] * 3] * 2  # three transforms of ones, unscaled, leave ones times 64 in front
    size, numbers = "^rows, signs or codes have the wrong size or alignment$", "^sizes out of range$"
    for arguments, message in (
        ((-1, 8, 3, 24, rows, signs, codes), numbers),
        ((2, 0, 3, 24, rows, signs, codes), numbers),
        ((2, 6, 3, 24, rows, signs, codes), numbers),
        ((2, 1 << 17, 3, 24, rows, signs, codes), numbers),
        ((2, 8, 2, 24, rows, signs, codes), numbers),
        ((2, 8, 4, 24, rows, signs, codes), numbers),
        ((2, 8, 3, 20, rows, signs, codes), numbers),
        ((2, 8, 1, 0, rows, signs, codes), numbers),
        ((3, 8, 3, 24, rows, signs, codes), size),
        ((2, 8, 3, 24, rows, signs[:2], codes), size),
        ((2, 8, 3, 24, rows, signs, codes[:1]), size),
        ((2, 8, 3, 24, shifted(rows, 2), signs, codes), size),
        ((2, 8, 3, 24, rows, signs, rows.view(np.uint8).reshape(-1)[:6]), "^an output overlaps an input$"),
        ((2, 8, 3, 24, rows, signs, signs.view(np.uint8).reshape(-1)[:6]), "^an output overlaps an input$"),
    ):
        with pytest.raises(ValueError, match=message):
            kernels.sign_codes(*arguments)
