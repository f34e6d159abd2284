"""Sensors of a machine: in a test's process as in locked ones, made anew with the world, gone with the core."""

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tee_sim.normal.machine.applications import Application, SensorSource
from tee_sim.normal.machine.machine import Machine
from tee_sim.normal.machine.options import MachineOptions
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.sandbox_verdict.observe import children_of
from tee_sim.secure.sensors.load import SensorLoader
from tee_sim.shared.errors import TeeError
from tee_sim.shared.sensor_manifest import SensorFile, SensorManifest
from tee_sim.shared.wire import LockProfile
from tee_sim.testing.machine_fixture import machine_for_test
from tests.tee_sim.sensors.conftest import DAY, LIGHT, have_ended
from tests.tee_sim.sensors.test_locked import HOSTILE, STUBS

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")


def judged(machine: Machine, captured: bytes | None) -> bool:
    commands = importlib.import_module("light.commands")
    with machine.context.open_session(commands.LIGHT_UUID) as session:
        answer: bool = session.call(commands.JUDGE, commands.Judge(capture_id=captured)).is_day
    return answer


def test_in_a_tests_process_it_is_as_in_the_locked_world() -> None:
    commands = importlib.import_module("light.commands")
    with machine_for_test([Application.read(LIGHT)], sensors=[SensorSource.read(LIGHT / "sensor.toml")]) as tee:
        captured = tee.capture("light", DAY)
        assert tee.session().call(commands.JUDGE, commands.Judge(capture_id=captured.capture_id)).is_day
        tee.restart()
        assert tee.capture("light", DAY).acquired == 1


def opened(folder: Path, options: MachineOptions, sensors: Sequence[SensorSource] = ()) -> Machine:
    own = sensors or [SensorSource.read(LIGHT / "sensor.toml")]
    return Machine.open(folder / "machine", [Application.read(LIGHT)], options, sensors=own)


@LINUX
@pytest.mark.parametrize("namespaces", [True, False])
def test_its_processes_end_with_the_core_and_come_with_another(tmp_path: Path, namespaces: bool) -> None:
    """Also without a PID namespace, whose first process' death would end them."""
    with opened(tmp_path, MachineOptions(namespaces=namespaces)) as machine:
        first = machine.running.process.pid  # type: ignore[attr-defined]  # a SecureProcess
        (core,) = children_of(first) if namespaces else (first,)
        hosts = children_of(core)
        assert len(hosts) == 8
        held, watched = machine.capture("light", DAY), [os.pidfd_open(process_id) for process_id in hosts]
        os.kill(core, signal.SIGKILL)
        assert have_ended(watched)
        with suppress(TeeError):  # it has not been noticed, or has
            machine.capture("light", DAY)
        assert judged(machine, machine.capture("light", DAY).capture_id)
        with pytest.raises(TeeError, match="ITEM_NOT_FOUND"):
            judged(machine, held.capture_id)
        (source,) = machine.status()["sensors"]  # type: ignore[misc]
        assert source["measurement"] == machine.running.sensor_measurements["light"]


@LINUX
def test_one_that_loops_ends_with_the_core_too(tmp_path: Path) -> None:
    """It does not see that its pipe is closed, and there is no namespace to end it."""
    hostile = replace(HOSTILE, spares=0, time_ms=60_000)
    source = SensorSource(manifest=hostile, path=STUBS, folder=STUBS)
    with opened(tmp_path, MachineOptions(namespaces=False), [source]) as machine:
        core = machine.running.process.pid  # type: ignore[attr-defined]
        watched = [os.pidfd_open(process_id) for process_id in children_of(core)]
        killer = threading.Timer(0.5, os.kill, (core, signal.SIGKILL))
        killer.start()
        with pytest.raises(TeeError, match="TARGET_DEAD"):
            machine.capture(hostile.name, b"hangs#")
        killer.join()
        assert have_ended(watched)


@LINUX
@pytest.mark.parametrize(
    ("profile", "level"),
    [(LockProfile.OFF, Level.NOT_ENFORCED), (LockProfile.PERMISSIVE_DEBUG, Level.PARTIAL)],
)
def test_it_reads_in_every_profile(tmp_path: Path, profile: LockProfile, level: Level) -> None:
    with opened(tmp_path, MachineOptions(profile=profile, level=level)) as machine:
        assert judged(machine, machine.capture("light", DAY).capture_id)


CODE = "from tee_sim.shared.sensor_api import Reading\n\n\nclass Dim:\n    extractor = b'dim'\n"
CHANGES: dict[str, Callable[[Path], dict[str, object]]] = {
    "an argument": lambda _: {"arguments": ("dimmer",)},
    "its code": lambda folder: write(folder / "dim" / "sensor.py", CODE + "\n"),
    "a file": lambda folder: {"files": (SensorFile(path=str(folder / "net"), sha256=sha256(b"other").digest()),)},
    "a package": lambda folder: write(folder / "dim" / "data.bin", "x"),
}


def write(path: Path, text: str) -> dict[str, object]:
    path.write_text(text, "utf-8")
    return {}


@pytest.mark.parametrize("what", CHANGES)
def test_a_measurement_is_of_all_that_the_manifest_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "dim").mkdir()
    for name, text in (("dim/__init__.py", ""), ("dim/sensor.py", CODE), ("net", "weights")):
        write(tmp_path / name, text)
    file = SensorFile(path=str(tmp_path / "net"), sha256=sha256(b"weights").digest())
    manifest = SensorManifest(
        name="dim", entry="dim.sensor:Dim", code=("dim.sensor",), preload=("tee_sim",), packages=("dim",), files=(file,)
    )
    manifest = replace(manifest, packages=()) if what == "its code" else manifest  # which would show it as well
    before = SensorLoader(manifest).measure()
    assert SensorLoader(manifest).measure() == before
    changed = replace(manifest, **CHANGES[what](tmp_path))
    if what == "a file":
        with pytest.raises(ValueError, match="is not what the manifest states"):
            SensorLoader(changed).measure()
        write(tmp_path / "net", "other")
    assert SensorLoader(changed).measure() != before
