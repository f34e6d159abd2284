"""What a caller waits for as records grow: figures at each size, their slope on logarithmic axes, and the picture.

    python -m bench.experiments.timings --measure [--against CHECKOUT] [--sizes 10 1000 10000 40000]
    python -m bench.experiments.timings            # from what is stored: the table, and docs/images/growth.svg

`--measure` stores bench/baselines/growth.json. Each side has one device with its store in memory, which grows to one
size after the other through its own commands (`bench.probes.latency_probe.growing`: ten face records a person); both
are filled at once and timed in turn. Another checkout is left behind at `--against-most` records. "bare search" is what
the secure world does at the core of a 1:N, in this process, over the same views: the code of the probe, the search of
all codes, the exact scores of the candidates. Replies are not held on the release grid.

Shown is the processor time of all processes, in the mean of the calls of a run: with the store in memory the worlds
wait for nothing but each other, so on a quiet machine it is what a caller waits, and a busy one hardly moves it.
`--quantity wall_ms` shows the wall time.

A slope is that of the line of least squares through log10 of the median over log10 of the records: 0 does not grow, 1
grows with them. Beside it that of the last step alone, where what is constant hides least.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.environment import ROOT, environment
from bench.experiments.svg import COOL, DARK, GRAY, GREEN, WARM, Drawing
from bench.latency_sides import Growing, Parts, Side, sides
from bench.latency_table import HERE, THERE, operations
from bioguard.match import CodeGallery
from bioguard.match.protected import CodeContext, SignCoder
from bioguard.match.twostage import candidates
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation

STORED, PICTURE = Path("bench/baselines/growth.json"), Path("docs/images/growth.svg")
SIZES = (10, 1_000, 10_000, 40_000)
SEED, EACH = 3, 10
"""As `bench.probes.latency_probe.growing` fills: which people, and how many views of each."""
BARE = "bare search"
SHOWN = ("start", "first 1:1", "first 1:N", "1:N", BARE, "1:1", "enroll", "list of one", "list of all")
LOOK = {"first 1:N": WARM, "start": DARK, "1:N": COOL, "1:1": GREEN, "enroll": "#8b5a9f", BARE: GRAY}
QUANTITIES = {"cpu_ms": "ms of processor time", "wall_ms": "ms of wall time"}
QUANTITY = "cpu_ms"
Rows = list[dict[str, Any]]


class BareSearch:
    """The two stages in this process, over the first n views that the devices hold."""

    def __init__(self) -> None:
        self._people = FacePopulation(EDGEFACE_XS, SEED)
        context = CodeContext(secret=bytes(32), dimension=512, model_id="edgeface_xs", epoch=0)
        self._coder = SignCoder(context)

    def times(self, n: int, rounds: int) -> dict[str, list[float]]:
        """Milliseconds of each of so many searches for one probe, the coding of the probe included."""
        views = np.concatenate([self._people.embeddings(0, max(1, n // EACH), view=view) for view in range(EACH)])[:n]
        gallery = CodeGallery(self._coder.encode(views))
        probes = [self._people.embeddings(0, 1, view=view) for view in range(EACH, EACH + rounds)]

        def search(probe: NDArray[np.float32]) -> None:
            candidates(probe, self._coder.encode(probe), gallery, lambda rows: views[rows])

        search(probes[0])
        wall, began_ns = [], time.process_time_ns()
        for probe in probes:
            began_s = time.perf_counter()
            search(probe)
            wall.append((time.perf_counter() - began_s) * 1000)
        return {"wall_ms": wall, "cpu_ms": [(time.process_time_ns() - began_ns) / 1e6 / rounds]}


def measure(made: Sequence[Side], sizes: Sequence[int], most: int, turns: int, rounds: int) -> Iterator[dict[str, Any]]:
    """One row a size. made: this checkout, and perhaps another one, which grows to `most` records."""
    within = {HERE: sizes, THERE: [size for size in sizes if size <= most]}
    bare = BareSearch()
    with ExitStack() as stack:
        growing = {
            name: stack.enter_context(closing(side.grow(rounds, within[name])))
            for name, side in zip((HERE, THERE), made, strict=False)
        }
        for size in sizes:
            there = [name for name in growing if size in within[name]]
            filled = {name: growing[name].filled() for name in there}
            found = [_turn({name: growing[name] for name in there}, turn) for turn in range(turns)]
            for turn in found:
                turn[HERE][BARE] = bare.times(size, 10 * rounds)
            for name in there:
                growing[name].go_on()
            yield {"records": size, "filled": filled, "operations": operations(found, {})}


def _turn(growing: dict[str, Growing], turn: int) -> dict[str, Parts]:
    names = sorted(growing, reverse=turn % 2 == 0)
    return {name: growing[name].measure() for name in names}


def series(rows: Rows, name: str, side: str, quantity: str) -> list[tuple[int, float]]:
    """Records and median of one operation, at the sizes that this side reached."""
    found = [(row["records"], row["operations"].get(name, {}).get(quantity, {}).get(side)) for row in rows]
    return [(records, both["p50"]) for records, both in found if both]


def slopes(points: Sequence[tuple[int, float]]) -> tuple[float, float] | None:
    """Of all points, and of the last step. None for a single one."""
    if len(points) < 2:
        return None
    x, y = np.log10(np.array(points, np.float64)).T
    found = (np.polyfit(x, y, 1)[0], (y[-1] - y[-2]) / (x[-1] - x[-2]))
    return round(float(found[0]), 9) + 0.0, round(float(found[1]), 9) + 0.0  # no -0.0


def table(rows: Rows, quantity: str) -> Iterator[str]:
    """Lines for people: medians at each size, slopes, ratios where both sides were."""
    sizes = [row["records"] for row in rows]
    yield f"{quantity + ', p50':<20}" + "".join(f"{size:>12,}" for size in sizes) + f"{'slope':>8}{'last':>7}"
    for name in SHOWN:
        for side in (HERE, THERE):
            points = dict(series(rows, name, side, quantity))
            if points:
                cells = "".join(f"{points[size]:>12.2f}" if size in points else f"{'':>12}" for size in sizes)
                found = slopes(list(points.items()))
                yield f"{name:<14}{side:<6}{cells}" + (f"{found[0]:>8.2f}{found[1]:>7.2f}" if found else "")
        ratios = {row["records"]: row["operations"][name][quantity].get("ratio") for row in rows}
        if any(ratios.values()):
            yield f"{name:<14}ratio " + "".join(f"{r:>12.2f}" if (r := ratios[s]) else f"{'':>12}" for s in sizes)
    allowed = {records: 2 * ms + 2 for records, ms in series(rows, BARE, HERE, quantity)}
    yield f"{'1:N at most':<20}" + "".join(f"{allowed[size]:>12.2f}" for size in sizes) + "  2 x bare search + 2 ms"
    for side in (HERE, THERE):
        filled = [row["filled"].get(side) for row in rows]
        cells = "".join(f"{f['bytes'] / s:>12.0f}" if f else f"{'':>12}" for f, s in zip(filled, sizes, strict=True))
        if any(filled):
            yield f"{'bytes a record':<15}{side:<5}{cells}"


def draw(stored: dict[str, Any], quantity: str = QUANTITY) -> Drawing:
    """Both axes are logarithmic, so that a straight line is a power and its slope the exponent."""
    rows: Rows = stored["rows"]
    lines = {(name, side): series(rows, name, side, quantity) for name in LOOK for side in (THERE, HERE)}
    sizes = [row["records"] for row in rows]
    shown_ms = np.log10([ms for points in lines.values() for _, ms in points])
    decades = (int(np.floor(shown_ms.min())), int(np.ceil(shown_ms.max())))
    left, top, width, height = 72.0, 64.0, 470.0, 400.0
    span = np.log10(sizes[-1] / sizes[0])

    def x(records: float) -> float:
        return left + width * float(np.log10(records / sizes[0]) / span)

    def y(ms: float) -> float:
        return top + height * (1 - (float(np.log10(ms)) - decades[0]) / (decades[1] - decades[0]))

    page = Drawing(
        720, 530, title="What a caller waits for, over the number of records",
        description="Median milliseconds of operations of a device at several numbers of stored records, both axes "
        "logarithmic; dashed lines are the checkout before.",
    )  # fmt: skip
    page.text(left, 28, "What a caller waits for, over the number of records", font_size=16, font_weight="bold")
    before = "; dashed: before" if any(lines[name, THERE] for name in LOOK) else ""
    page.text(
        left, 48, f"{QUANTITIES[quantity]}, store in memory; the number: slope of the last step{before}", fill=GRAY
    )
    for power in range(decades[0], decades[1] + 1):
        page.line(left, y(10.0**power), left + width, y(10.0**power), "#d5dae0", 0.8)
        page.text(left - 8, y(10.0**power) + 4, f"{10.0**power:g}", text_anchor="end")
    for size in sizes:
        page.line(x(size), top, x(size), top + height, "#d5dae0", 0.8)
        page.text(x(size), top + height + 18, f"{size:,}".replace(",", " "), text_anchor="middle")
    page.add("rect", x=left, y=top, width=width, height=height, fill="none", stroke=DARK, stroke_width=1)
    page.text(left + width / 2, top + height + 42, "records", text_anchor="middle")
    page.text(0, 0, "ms", text_anchor="middle", transform=f"translate(20 {top + height / 2}) rotate(-90)")
    for (name, side), points in lines.items():
        dash = "none" if side == HERE else "5 4"
        thick = 2.5 if side == HERE else 1.5
        page.path([(x(a), y(b)) for a, b in points], LOOK[name], stroke_width=thick, stroke_dasharray=dash)
        for a, b in points if side == HERE else []:
            page.add("circle", cx=x(a), cy=y(b), r=3, fill=LOOK[name])
    ends = {name: y(lines[name, HERE][-1][1]) for name in LOOK}
    for name, at in _apart(ends, 18.0).items():
        found = slopes(lines[name, HERE])
        page.text(left + width + 12, at + 4, name, fill=LOOK[name], font_weight="bold")
        page.text(left + width + 112, at + 4, f"{found[1]:.2f}" if found else "", fill=LOOK[name])
    return page


def _apart(places: dict[str, float], least: float) -> dict[str, float]:
    """The same order, each at least so far below the one above it."""
    ordered = sorted(places.items(), key=lambda item: item[1])
    found = dict(ordered[:1])
    for (above, _), (name, at) in pairwise(ordered):
        found[name] = max(at, found[above] + least)
    return found


def main() -> None:
    """Measure where that is asked for; print the table and draw the picture of what is stored."""
    parser = argparse.ArgumentParser(prog="python -m bench.experiments.timings", description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="measure anew and store it; else draw what is stored")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout, with its own .venv")
    parser.add_argument("--against-most", type=int, default=10_000, metavar="N", help="records that it grows to")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="records, rising")
    parser.add_argument("--turns", type=int, default=3, help="runs of each side at each size")
    parser.add_argument("--rounds", type=int, default=15, help="repetitions in a run")
    parser.add_argument("--stored", type=Path, default=STORED, help="where figures are kept")
    parser.add_argument("--out", type=Path, default=PICTURE, help="the picture")
    parser.add_argument("--quantity", choices=QUANTITIES, default=QUANTITY, help="what is shown")
    given = parser.parse_args()
    if given.measure:
        checkouts = [ROOT] + ([given.against.resolve()] if given.against else [])
        rows: Rows = []
        with tempfile.TemporaryDirectory() as folder, sides(checkouts, Path(folder)) as made:
            for row in measure(made, given.sizes, given.against_most, given.turns, given.rounds):
                rows.append(row)
                stored = {"environment": environment(), "turns": given.turns, "rounds": given.rounds, "rows": rows}
                given.stored.write_text(json.dumps(stored, sort_keys=True) + "\n", "utf-8")
    stored = json.loads(given.stored.read_text("utf-8"))
    print("\n".join(table(stored["rows"], given.quantity)))
    given.out.write_text(draw(stored, given.quantity).svg(), "utf-8")


if __name__ == "__main__":
    main()
