"""Which processes a secure world consists of beside its core: in which order, their names, and their heaps."""

from typing import Final

from tee_sim.shared.manifest import Manifest
from tee_sim.shared.sensor_manifest import SensorManifest
from tee_sim.shared.wire import Boot, LockProfile

_NATIVE_BYTES: Final = 64 << 20
"""Of a native application's process beside its instances: the largest image, its globals as they began, parameters."""
_INSTANCE_BYTES: Final = 1 << 20
"""Of one instance beside heap and stack: its globals, and what the stack has beyond TA_STACK_SIZE."""
_MOST_INSTANCES: Final = 16
"""In one process, of an application that has one for each session; more are OUT_OF_MEMORY if they fill their heaps."""


def memory_bytes(manifest: Manifest) -> int:
    """How far the memory of an application's process may grow beyond what that starts with."""
    if not manifest.native:
        return manifest.heap_bytes
    instances = 1 if "single_instance" in manifest.flags else _MOST_INSTANCES
    heap_bytes = manifest.heap_bytes + manifest.heap_bytes // 2  # and who owns what in it
    return _NATIVE_BYTES + instances * (heap_bytes + manifest.stack_bytes + _INSTANCE_BYTES)


def host_manifests(boot: Boot) -> tuple[Manifest, ...]:
    """The application of each host process, in order: one that runs and its spares. None where nothing is locked."""
    if boot.profile is LockProfile.OFF:
        return ()
    return tuple(manifest for manifest in boot.manifests for _ in range(1 + manifest.spares))


def sensor_processes(boot: Boot) -> tuple[SensorManifest, ...]:
    """The sensor of each process that reads pictures, in order; they come after those of applications."""
    if boot.profile is LockProfile.OFF:
        return ()
    return tuple(sensor for sensor in boot.sensors for _ in range(1 + sensor.spares))


def picture_pipes(boot: Boot) -> int:
    """How many pipes for pictures a secure world is given: one a process of a sensor, or a sensor if none is locked."""
    return len(boot.sensors) if boot.profile is LockProfile.OFF else len(sensor_processes(boot))


def host_names(boot: Boot) -> tuple[str, ...]:
    """What people call all host processes, in order: the application's name, and `wallet spare 1` for its first spare;
    then those of sensors, `sensor camera` and `sensor camera spare 1`."""
    if boot.profile is LockProfile.OFF:
        return ()
    numbers = ((m.name, number) for m in boot.manifests for number in range(1 + m.spares))
    sensors = ((f"sensor {s.name}", number) for s in boot.sensors for number in range(1 + s.spares))
    return tuple(f"{name} spare {number}" if number else name for name, number in (*numbers, *sensors))


def host_heaps(boot: Boot) -> tuple[int, ...]:
    """How far the memory of each of them may grow, in the same order."""
    heaps = map(memory_bytes, host_manifests(boot))
    return (*heaps, *(sensor.heap_bytes for sensor in sensor_processes(boot)))
