"""Feature files on the command line."""

from collections.abc import Sequence
from pathlib import Path

from bioguard.cli.output import Output
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load
from bioguard.records import Features

__all__ = ["read_sample", "read_samples"]


def read_samples(paths: Sequence[Path], output: Output, options: ImportOptions) -> list[Features]:
    """Read all samples of all files, in order. Warnings about their headers go to stderr.

    Raises:
        InputRefused: a file cannot be read, with its path in the message.
    """
    samples: list[Features] = []
    for path in paths:
        try:
            loaded = load(path, options)
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
    samples = read_samples([path], output, options)
    if len(samples) != 1:
        raise InputRefused(
            f"{path}: {len(samples)} samples, expected one", hint="give a file with one view", code="input.one_sample"
        )
    return samples[0]
