"""Feature files on the command line."""

from collections.abc import Sequence
from pathlib import Path

from bioguard.cli.output import Output
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load
from bioguard.formats.limits import MAX_VIEWS
from bioguard.formats.views import TooManyViews
from bioguard.records import Features

__all__ = ["read_sample", "read_samples"]


def read_samples(
    paths: Sequence[Path], output: Output, options: ImportOptions, *, max_views: int = MAX_VIEWS
) -> list[Features]:
    """Read all samples of all files, in order. Warnings about their headers go to stderr.

    Args:
        max_views: what the command can use; a file of more is refused before its numbers are read.

    Raises:
        InputRefused: a file cannot be read, with its path in the message.
    """
    samples: list[Features] = []
    for path in paths:
        try:
            loaded = load(path, options, max_views=max_views)
        except InputRefused as error:
            raise InputRefused(f"{path}: {error.message}", hint=error.hint, code=error.code) from error
        except OSError as error:
            raise InputRefused(
                f"{path}: {error.strerror or 'cannot be read'}", hint="check the path", code="input.unreadable"
            ) from error
        for warning in loaded.warnings:
            output.note(f"{path}: {warning.message}")
        samples += loaded.features
    return samples


def read_sample(path: Path, output: Output, options: ImportOptions) -> Features:
    """Read the only sample of a file.

    Raises:
        InputRefused: unreadable, or several samples in it.
    """
    try:
        (sample,) = read_samples([path], output, options, max_views=1)
    except InputRefused as error:
        if error.code != TooManyViews.code:
            raise
        raise InputRefused(error.message, hint="give a file with one view", code="input.one_sample") from error
    return sample
