"""Start a locked process and look at it."""

import os
import select
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tee_sim.normal.machine.locked_start import start_locked
from tee_sim.normal.sandbox_verdict.observe import Observation, observe
from tee_sim.normal.supplicant import Supplicant
from tee_sim.secure.lockdown import LockReport
from tee_sim.shared.host_processes import host_heaps, host_names
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.wire import Boot, LockProfile, Provision
from tests.lockdown.worlds import World, as_root

CHILD = Path(__file__).with_name("child.py")
COUNTER = Path(__file__).parents[2] / "docs" / "examples" / "counter"


@dataclass
class Locked:
    """One started process and our ends of its pipes."""

    process: subprocess.Popen[bytes]
    to_child: int
    from_child: int
    report: LockReport | None = None
    refusal: str = ""
    _closed: bool = field(default=False)

    def read(self, size: int = 4096, timeout_s: float = 30) -> bytes:
        """Bytes from the child, b'' at end of file."""
        ready, _, _ = select.select([self.from_child], [], [], timeout_s)
        assert ready, "the child neither answered nor died"
        return os.read(self.from_child, size)

    def act(self) -> int:
        """Let the action happen; returns the exit status as subprocess gives it."""
        os.write(self.to_child, b"x")
        return self.process.wait(30)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self.to_child)
            os.close(self.from_child)
            self.process.kill()
            self.process.wait()


class Starter:
    """Starts processes and ends them all."""

    def __init__(self) -> None:
        self._started: list[Locked] = []

    def __call__(
        self, action: str = "exit3", *, profile: str = "strict", namespaces: bool = True, before: str = "plain"
    ) -> Locked:
        child_read, to_child = os.pipe()
        from_child, child_write = os.pipe()
        arguments = [str(child_read), str(child_write), profile, str(int(namespaces)), before, action]
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(CHILD), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(child_read, child_write),
        )
        os.close(child_read)
        os.close(child_write)
        locked = Locked(process, to_child, from_child)
        self._started.append(locked)
        head = locked.read(4)
        if head[:1] == b"!" and head[3:] != b"\0":  # and no length, whose lowest byte may be 33
            locked.refusal = (head[1:] + locked.read()).decode()
        elif len(head) == 4:
            locked.report = LockReport.from_bytes(locked.read(struct.unpack("<I", head)[0]))
        return locked

    def end(self) -> None:
        for locked in self._started:
            locked.close()


@pytest.fixture
def start() -> Iterator[Starter]:
    """Start `child.py`; every process ends with the test."""
    starter = Starter()
    yield starter
    starter.end()


@pytest.fixture(scope="module")
def locked() -> Iterator[tuple[LockReport, Observation]]:
    """One really locked process: its report and the outside facts."""
    starter = Starter()
    child = starter("hang")
    assert child.report is not None
    yield child.report, observe(child.process.pid, child.report)
    starter.end()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A real core with three hosts; what was seen of its descriptors is as root would see it."""
    manifest = replace(Manifest.from_toml((COUNTER / "manifest.toml").read_text("utf-8")), spares=2)
    boot = Boot(manifests=(manifest,), profile=LockProfile.STRICT, folders=(os.fsencode(COUNTER),))
    supplicant = Supplicant(tmp_path_factory.mktemp("processes"))
    provision = Provision(huk=bytes(32), device_id=bytes(16), create=True)
    started = start_locked(boot, supplicant, provision, accept=lambda _verdict: None)
    inspected = started.inspected
    names = host_names(boot)
    try:
        level, waiter = inspected.verdict.level, inspected.waiter
        yield as_root(World(inspected.core, inspected.hosts, names, len(names), level, waiter, host_heaps(boot)))
    finally:
        started.process.kill()
        supplicant.close()
