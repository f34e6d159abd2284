"""Feature files on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bioguard.cli.output import Output
from bioguard.device.fingers import FINGERS, finger_name
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions
from bioguard.formats.limits import MAX_VIEWS
from bioguard.formats.views import TooManyViews

if TYPE_CHECKING:
    from bioguard.formats import LoadResult
    from bioguard.records import Features


def load_file(path: Path, output: Output, options: ImportOptions, *, max_views: int = MAX_VIEWS) -> "LoadResult":
    """Read a file. Its warnings go to stderr with their codes.

    Raises:
        InputRefused: it cannot be read, with its path in the message.
    """
    from bioguard.formats import load  # noqa: PLC0415 - loads arrays: what was asked is looked at first

    try:
        loaded = load(path, options, max_views=max_views)
    except InputRefused as error:
        raise type(error)(f"{path}: {error.message}", hint=error.hint, code=error.code) from error
    except OSError as error:
        raise InputRefused(
            f"{path}: {error.strerror or 'cannot be read'}", hint="check the path", code="input.unreadable"
        ) from error
    for warning in loaded.warnings:
        output.note(f"{path}: {warning.message} [{warning.code}]")
    return loaded


def read_samples(
    paths: Sequence[Path],
    output: Output,
    options: ImportOptions,
    *,
    finger: str | None = None,
    max_views: int = MAX_VIEWS,
) -> "tuple[list[Features], str]":
    """Read all samples of all files, in order. Warnings about their headers go to stderr.

    Returns:
        The samples, and the model or extractor that the files say they are of; empty where none says so.

    Args:
        finger: which finger they are said to be; a file that says otherwise is named.
        max_views: what the command can use; a file of more is refused before its numbers are read.

    Raises:
        InputRefused: a file cannot be read, with its path in the message; files of two models.
    """
    samples: list[Features] = []
    models: dict[str, Path] = {}
    for path in paths:
        loaded = load_file(path, output, options, max_views=max_views)
        samples += loaded.features if finger is None else _of_finger(path, loaded, finger, output)
        if loaded.model:
            models.setdefault(loaded.model, path)
    if len(models) > 1:
        stated = " and ".join(f"{path} of {model!r}" for model, path in models.items())
        raise InputRefused(
            f"the files are of several models: {stated}", hint="give files of one model", code="input.several_models"
        )
    return samples, next(iter(models), "")


def _of_finger(path: Path, loaded: "LoadResult", finger: str, output: Output) -> "Sequence[Features]":
    """The views of one finger. A record may hold several fingers, as those of PIV cards do."""
    claimed = FINGERS.get(finger)  # an unknown name is refused by the device
    others = sorted({p for p in loaded.positions if p not in (0, claimed)})
    if claimed is None or not others:
        return loaded.features
    said = " and ".join(f"{finger_name(p) if p <= max(FINGERS.values()) else 'no single finger'} ({p})" for p in others)
    if claimed not in loaded.positions:
        output.note(f"{path}: its finger position is {said}, it is taken as {finger} ({claimed}) [header.finger]")
        return loaded.features
    output.note(f"{path}: it also holds {said}; only its views of {finger} ({claimed}) are taken [header.fingers]")
    return [f for f, p in zip(loaded.features, loaded.positions, strict=True) if p == claimed]


def read_sample(path: Path, output: Output, options: ImportOptions) -> "tuple[Features, str]":
    """Read the only sample of a file, and which model or extractor it says that it is of.

    Raises:
        InputRefused: unreadable, or several samples in it.
    """
    try:
        (sample,), model = read_samples([path], output, options, max_views=1)
    except TooManyViews as error:
        raise InputRefused(error.message, hint=error.hint, code="input.one_sample") from error
    return sample, model
