"""Which processes a secure world consists of beside its core: in which order, their names, and their heaps."""

from tee_sim.shared.manifest import Manifest
from tee_sim.shared.sensor_manifest import SensorManifest
from tee_sim.shared.wire import Boot, LockProfile


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
    heaps = (manifest.heap_bytes for manifest in host_manifests(boot))
    return (*heaps, *(sensor.heap_bytes for sensor in sensor_processes(boot)))
