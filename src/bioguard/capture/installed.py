"""Packages of others, found without being imported and without `importlib.metadata`, which loads `socket`."""

import importlib.util
from pathlib import Path

from bioguard.capture.refusals import INSTALL, missing


def folder_of(package: str, *, hint: str = INSTALL) -> Path:
    """Where an installed package lies. Raises WrongUsage `capture.missing`."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise missing(package, hint)
    return Path(next(iter(found.submodule_search_locations)))


def version_of(package: str, distribution: str) -> str:
    """The version of a distribution, as an index names it, by the folder that its installer left beside the package.

    Raises:
        WrongUsage: `capture.missing`.
    """
    beside = sorted(folder_of(package).parent.glob(f"{distribution.replace('-', '_')}-*.dist-info"))
    if not beside:
        raise missing(distribution)
    return beside[-1].name.removesuffix(".dist-info").rpartition("-")[2]
