"""Locked secure worlds that host applications made for the tests."""

import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import pytest

from tee_sim.normal.secure_process import SecureProcess
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.lock_report import LockReport
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.wire import Boot, Locked, LockProfile, Provision

APPLICATIONS = Path(__file__).parent / "applications"
COUNTER = Path(__file__).parents[3] / "docs" / "examples" / "counter"
START = f"""
import sys
sys.path[:0] = {[str(APPLICATIONS), str(COUNTER)]!r}
from tee_sim.secure.launcher import main
main(["launcher", *sys.argv[1:]])
"""

World = Callable[..., SecureProcess]


def manifest(number: int, name: str, *, preload: tuple[str, ...] = ("tee_sim", "numpy")) -> Manifest:
    """`name`.app, whose class is the name in capitals."""
    return Manifest(
        uuid=bytes(15) + bytes([number]),
        name=name,
        entry=f"{name}.app:{name.title()}",
        code=(f"{name}.*",),
        preload=preload,
        flags=("single_instance", "multi_session", "keep_alive"),
        replies=Replies.FREE,
    )


def counter() -> Manifest:
    """The example of the documentation: starts fastest."""
    return Manifest.from_toml((COUNTER / "manifest.toml").read_text("utf-8"))


@contextmanager
def interpreter(folder: Path, *, begin: str = "") -> Iterator[None]:
    """While this lasts a secure world also finds the applications of this folder, and begins with these statements."""
    (folder / "start.py").write_text(begin + START, "utf-8")
    wrapper = folder / "python"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -B "{folder / "start.py"}" "$5" "$6"\n', "utf-8")
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(wrapper))
        yield


def inspect(_pid: int, locked: Locked) -> str:
    """Take a world only if its filter is loaded."""
    assert LockReport.from_bytes(locked.report).applied("seccomp")
    return "a test's"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """`world(*manifests)`: a locked secure world with an empty store, ended with the test run."""
    if sys.platform != "linux":
        pytest.skip("the lock is Linux only")
    with ExitStack() as stack:

        def start(*manifests: Manifest, provisioned: bool = True) -> SecureProcess:
            folder = tmp_path_factory.mktemp("locked")
            supplicant = Supplicant(folder)
            stack.callback(supplicant.close)
            with interpreter(folder):
                process = SecureProcess(Boot(manifests=manifests, profile=LockProfile.STRICT), supplicant)
            stack.callback(process.kill)
            if provisioned:
                process.boot(inspect, Provision(huk=bytes(32), device_id=bytes(16), create=True))
            else:
                inspect(process.pid, cast("Locked", process._receive(time.monotonic() + 30)))
            return process

        yield start
