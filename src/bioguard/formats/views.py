"""The shape of an embeddings file, checked from its header before any number is read."""

from bioguard.errors import InputRefused
from bioguard.formats.errors import refuse
from bioguard.formats.limits import MAX_VALUES
from bioguard.records.feature_limits import MAX_DIMENSION, MIN_DIMENSION


class TooManyViews(InputRefused):
    """The file holds more views than its reader can use."""

    code = "format.too_many_views"


def check_dimension(views: int, dimension: int) -> None:
    """Raises InputRefused `input.dimension` unless one row is one embedding."""
    if MIN_DIMENSION <= dimension <= MAX_DIMENSION:
        return
    turned = dimension == 1 and MIN_DIMENSION <= views <= MAX_DIMENSION
    few = dimension < 4  # read line by line, the number of lines is not known yet
    raise InputRefused(
        f"embeddings have dimension {dimension}, expected {MIN_DIMENSION} to {MAX_DIMENSION}",
        hint=f"the {views} numbers stand in one column: save them as one row"
        if turned
        else "one row per view: numbers that stand below each other belong into one row"
        if few
        else "one row per view",
        code="input.dimension",
    )


def check_views(views: int, dimension: int, max_views: int) -> None:
    """Raises InputRefused unless there are 1 to `max_views` rows, and no more numbers than are read at once."""
    check_dimension(views, dimension)
    if views == 0:
        raise refuse("no_views", "array has no rows", "one row per view")
    if views > max_views:
        raise TooManyViews(
            f"{views} views, at most {max_views} {'is' if max_views == 1 else 'are'} read here",
            hint="take one out: bioguard convert FILE OUT.npy --view 0"
            if max_views == 1
            else f"give at most {max_views} views, of one person alone",
        )
    if views * dimension > MAX_VALUES:
        raise refuse(
            "too_large",
            f"{views} views of {dimension} numbers, at most {MAX_VALUES} numbers are read",
            "split it into several files",
        )
