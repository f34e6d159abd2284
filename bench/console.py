"""How the benches talk: results to stdout, progress and notes to stderr."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_STDERR = Console(stderr=True, highlight=False)


def note(text: str) -> None:
    """One line for people."""
    _STDERR.print(text, markup=False, soft_wrap=True)


@contextmanager
def advancing(what: str, total: int) -> Iterator[Any]:
    """A bar on stderr; yields a function that takes the number of steps done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_STDERR, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda steps: progress.advance(task, steps)


def write_json(path: Path, data: Any) -> None:
    """Write canonical JSON: sorted keys, all digits, never NaN."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


def show(data: Any, lines: list[str], *, as_json: bool) -> None:
    """The result on stdout: JSON, or lines for people."""
    sys.stdout.write((json.dumps(data, sort_keys=True, allow_nan=False) if as_json else "\n".join(lines)) + "\n")
