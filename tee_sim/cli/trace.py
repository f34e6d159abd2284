"""`tee-sim trace`: a timeline as lines, all of it or what is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tee_sim.normal.machine.errors import MachineError
from tee_sim.normal.timeline import read
from tee_sim.shared.debug_report import printable

_GOOD = frozenset({"SUCCESS", "OK"})
_MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLine:
    """What stands in one line.

    Attributes:
        at_ms: since the first event.
        lasted_ms: None for what takes no time, or has not come to its end.
    """

    at_ms: float
    lasted_ms: float | None
    row: str
    name: str
    args: dict[str, Any]

    @property
    def failed(self) -> bool:
        """Whether it is a refusal, a panic, a fault or a call that was denied."""
        result = self.args.get("result")
        return (result is not None and result not in _GOOD) or self.row == "faults" or "panic" in self.name

    def __str__(self) -> str:
        lasted = f"{self.lasted_ms:9.3f}" if self.lasted_ms is not None else " " * 9
        args = " ".join(f"{key}={value}" for key, value in self.args.items())
        line = f"{self.at_ms:11.3f} {lasted}  {self.row:<16} {self.name}  {args}".rstrip()
        return printable(line, len(line) * 10)  # the file may be anybody's, and a terminal obeys


def timed_lines(events: list[dict[str, Any]]) -> Iterator[TimedLine]:
    """The events in order of their beginning; the begin and end of one span as one line."""
    rows = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    timed = [e for e in events if e["ph"] != "M"]
    first = min((e["ts"] for e in timed), default=0)
    spans: list[dict[str, Any]] = []
    open_ends: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for event in timed:
        place = (event["pid"], event["tid"])
        if event["ph"] == "E":
            begun = open_ends.get(place, [])
            if begun:
                span = begun.pop()
                span["dur"] = event["ts"] - span["ts"]
                span["args"] = span["args"] | event["args"]
            continue
        span = dict(event)
        spans.append(span)
        if event["ph"] == "B":
            open_ends.setdefault(place, []).append(span)
    for span in sorted(spans, key=lambda s: s["ts"]):
        yield TimedLine(
            at_ms=(span["ts"] - first) / 1000,
            lasted_ms=span["dur"] / 1000 if "dur" in span else None,
            row=rows.get((span["pid"], span["tid"]), "?"),
            name=span["name"],
            args=span["args"],
        )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--row", "rows", multiple=True, metavar="TEXT", help="Only rows with TEXT in their name: TA, disk, RPMB.")
@click.option("--name", "names", multiple=True, metavar="TEXT", help="Only events with TEXT in their name: COMMIT.")
@click.option("--failed", is_flag=True, help="Only refusals, panics and faults.")
@click.option("--slower-than", type=float, metavar="MS", help="Only what lasted longer.")
def trace(file: Path, rows: tuple[str, ...], names: tuple[str, ...], failed: bool, slower_than: float | None) -> None:
    """Print the timeline FILE that TEE_SIM_TRACE wrote: when it began (ms), how long it lasted (ms), row, event.

    \b
    Example:
      TEE_SIM_TRACE=t.json tee-sim invoke counter READ && tee-sim trace --row TA t.json
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES)
    except OSError as error:
        why = f"{file} cannot be read: {error.strerror}"
        raise MachineError("machine.path", why, hint="write one with: TEE_SIM_TRACE=FILE tee-sim run ...") from error
    for line in timed_lines(read(data)):
        if (
            (not rows or any(text in line.row for text in rows))
            and (not names or any(text in line.name for text in names))
            and (not failed or line.failed)
            and (slower_than is None or (line.lasted_ms or 0) > slower_than)
        ):
            click.echo(str(line))
