"""`--dataset` of the commands that report on data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bench.dataset import UNDESCRIBED, Dataset, read_dataset


def _read(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Dataset:
    return UNDESCRIBED if value is None else read_dataset(value)


def dataset_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option; the command receives `dataset`, which says nothing if no file was given."""
    return click.option(
        "--dataset", type=click.Path(exists=True, dir_okay=False, path_type=Path), callback=_read, metavar="FILE.toml",
        help="Describes the data: fields of ISO/IEC 19795-1, groups of people.",
    )(command)  # fmt: skip
