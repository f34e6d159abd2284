"""Deliberately broken builds for the tests of this folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.broken_build import Change, install

Break = Callable[..., Path]


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Break:
    """`broken((file, old, new), ...)`: from now on every secure world of this test runs that build."""

    def build(*changes: Change) -> Path:
        copy = tmp_path / "broken-build"
        install(monkeypatch, copy, changes)
        return copy

    return build
