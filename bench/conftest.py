"""Lets pytest collect `bench_*` functions of `bench_*.py`, here only."""

from pathlib import Path

import pytest


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect the benchmark files."""
    if file_path.name.startswith("bench_") and file_path.suffix == ".py":
        return BenchModule.from_parent(parent, path=file_path)
    return None


class BenchModule(pytest.Module):
    """A module whose tests are called bench_*."""

    def funcnamefilter(self, name: str) -> bool:
        """Whether a function is a benchmark."""
        return name.startswith("bench_")
