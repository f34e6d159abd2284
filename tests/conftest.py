"""The whole suite: tests marked `alone(name)` never run at the same time as others of that name, in any process.

pytest-xdist's own groups do nothing under pytest 9.2 (3.8 writes a field that is not read any more). A lock file also
keeps apart two checkouts that are tested on one host, which share the kernel's log and /tmp.
"""

import compileall
import fcntl
import gc
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import settings

from tests.skipped_tools import summary

ROOT = Path(__file__).parents[1]
SHARES_CODE = [ROOT / "tests" / name for name in ("contract", "device", "hal", "report", "sensors", "serve")]
"""Folders whose tests start devices and compare no measurement, but for one that says so."""
# Before NumPy is loaded: there is a worker for each core, and the threads of a product of matrices spin while they wait
# for one another. Beside other work that made a test take twenty times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Also where the environment says to keep no bytecode, which what tests start still obeys: each worker compiles and
# rewrites 400 files, longer than it takes to load and collect them. The next run finds them.
sys.dont_write_bytecode = False
# A test asserts no absolute time: beside other work one example of a hundred takes 250 ms, and then the next does not.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """Compile the product once, also where the environment says to keep no bytecode: tests start it, and copies of it,
    a thousand times. A suite that was started in the background ignores Ctrl-C, and all that it starts would too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        for folder in (ROOT / "src", ROOT / "tee_sim"):
            compileall.compile_dir(folder, quiet=2)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Twelve thousand tests live to the end: do not look through them for garbage, then or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture(scope="module")
def fast_pins() -> Iterator[None]:
    """The applications of this process take any PIN in no time: of tests about order, limits and storage. Argon2id is
    made to take 80 ms a guess."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bioguard.trusted.gatekeeper.app._argon2id", lambda pin, salt: sha256(salt + pin).digest())
        yield


@pytest.fixture(scope="session")
def _shared_start(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., object]:
    from tests.shared_code import SharedCode  # most runs of a few tests start no device

    return SharedCode(tmp_path_factory.mktemp("code")).start


@pytest.fixture(scope="module", autouse=True)
def _shared_code(request: pytest.FixtureRequest) -> Iterator[None]:
    """Devices of these folders take code that the first of them compiled (`tests.shared_code`)."""
    with pytest.MonkeyPatch.context() as patch:
        if any(folder in request.path.parents for folder in SHARES_CODE):
            patch.setattr("bioguard.device.launch.start_locked", request.getfixturevalue("_shared_start"))
        yield


@pytest.fixture(scope="module")
def fast_pins_on_devices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same of every secure world that is started meanwhile: a build in which a guess costs next to nothing. What it
    compiles is for no other device."""
    from tee_sim.normal.machine.locked_start import start_locked
    from tests.broken_build import FAST_PINS, install

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bioguard.device.launch.start_locked", start_locked)
        install(patch, tmp_path_factory.mktemp("fast-pins") / "build", (FAST_PINS,))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    with ExitStack() as held:
        for name in sorted({mark.args[0] for mark in item.iter_markers("alone")}):
            path = Path(tempfile.gettempdir()) / f"bioguard-tests-{os.geteuid()}-{name}.lock"
            file = held.enter_context(path.open("w"))
            fcntl.flock(file, fcntl.LOCK_EX)
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped, and how to install what it wanted."""
    reasons = [
        report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        for report in terminalreporter.stats.get("skipped", ())
    ]
    if reasons:
        terminalreporter.section("skipped for want of a tool")
        for line in summary(reasons):
            terminalreporter.write_line(line)
