"""The dev kit, applications built by it, and machines that run them."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tee_sim.normal.dev_kit import kit_folder
from tee_sim.normal.machine.applications import Application
from tee_sim.testing.machine_fixture import Tee, machine_for_test
from tests.native.builds import Builds

Opened = Callable[..., Tee]


@pytest.fixture(scope="session")
def dev_kit() -> Path:
    """What `tee-sim dev-kit` prints."""
    for tool in ("gcc", "make"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    return kit_folder()


@pytest.fixture(scope="session")
def builds(dev_kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Applications and host programs, each made once."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return Builds(dev_kit, shared / "native")


def machine_of(*files: Path, mode: str = "locked", fault: str = "") -> AbstractContextManager[Tee]:
    """A new machine with these applications, gone afterwards: `locked`, or `debug`."""
    return machine_for_test([Application.read(file) for file in files], mode, fault=fault)


@pytest.fixture
def native_machine() -> Iterator[Opened]:
    """`machine_of` for the time of a test."""
    with ExitStack() as stack:
        yield lambda *files, **options: stack.enter_context(machine_of(*files, **options))
