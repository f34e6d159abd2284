"""Each client's program is built once."""

import functools
from collections.abc import Callable

import pytest

from tests.clients.toolchains import LANGUAGES


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """The command that starts the walk of a language; skips the test where its tool is missing."""
    return functools.cache(lambda language: LANGUAGES[language].walk(tmp_path_factory.mktemp(language)))
