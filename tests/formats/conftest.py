"""Where things are, and strategies for whole records."""

import os
import runpy
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bioguard.formats.extended import ExtendedData

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def vectors() -> Path:
    return ROOT / "tests" / "vectors" / "formats"


@pytest.fixture(scope="session")
def shared_fingerprints() -> Path:
    """The development templates beside the checkout; the tests on them are skipped only where they do not exist."""
    base = Path(os.environ.get("BIOGUARD_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (base / "fingerprints").is_dir():
        pytest.skip(f"no fingerprint data at {base}")
    return base / "fingerprints"


@pytest.fixture(scope="session")
def oracle() -> Callable[[str, bytes], list[dict[str, Any]]]:
    readers = runpy.run_path(str(ROOT / "tests" / "formats" / "oracle.py"))
    return lambda name, octets: readers[name](octets)


@pytest.fixture(scope="session")
def plain() -> Callable[[Any], dict[str, Any]]:
    """A view of the product as the oracle writes it: tuples instead of records."""

    def convert(value: Any) -> Any:
        if isinstance(value, ExtendedData):
            return convert(value.blocks)
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            return [convert(v) for v in value]
        if hasattr(value, "__dataclass_fields__"):
            return tuple(getattr(value, f.name) for f in fields(value))
        return value

    def view(record_view: Any, image: Any) -> dict[str, Any]:
        found = {f.name: convert(getattr(record_view, f.name)) for f in fields(record_view)}
        found["image"] = convert(image)
        return found

    return view
