"""All sensors of one start: made in processes of their own, or in this one where nothing is locked."""

import os
from collections.abc import Sequence
from typing import NoReturn, cast

from tee_sim.secure.blocking_pipe import BlockingPipe
from tee_sim.secure.hosts.messages import SensorLocked, pack, unpack
from tee_sim.secure.hosts.pipes import HostGoneError, HostPipe
from tee_sim.secure.lockdown.sensors import SensorError, SensorForks, SensorToFork
from tee_sim.secure.sensors.desk import SensorPort
from tee_sim.secure.sensors.load import FileImporters, SensorLoader
from tee_sim.secure.sensors.local import LocalSensor, MadeSensor
from tee_sim.secure.sensors.process import PictureSource, SensorProcess
from tee_sim.secure.sensors.remote import RemoteSensor
from tee_sim.shared.host_processes import picture_pipes
from tee_sim.shared.lock_report import HostLink, LockReport
from tee_sim.shared.sensor_manifest import SensorManifest
from tee_sim.shared.wire import EXIT_PROTOCOL, Boot, LockProfile, NoFrameError


class StartedSensors:
    """The sensors of BOOT; nothing is loaded yet. Made while modules are still found in files.

    Args:
        picture_fds: one for each process of each of them, in order; one for each where nothing is locked.

    Attributes:
        forks: for the lock.
        measurements: of each sensor, once it is made.
        reports: of the lock of each process.
    """

    def __init__(self, boot: Boot, picture_fds: Sequence[int]) -> None:
        if len(picture_fds) != picture_pipes(boot):
            raise ValueError(f"{picture_pipes(boot)} pipes for pictures are needed, {len(picture_fds)} are given")
        self._manifests = boot.sensors
        self._picture_fds = tuple(picture_fds)
        self._locks = boot.profile is not LockProfile.OFF
        importers = FileImporters()
        folders = boot.sensor_folders or (b"",) * len(boot.sensors)
        self._loaders = [
            SensorLoader(manifest, folder, importers) for manifest, folder in zip(boot.sensors, folders, strict=True)
        ]
        self.forks = SensorForks(self._to_fork()) if self._locks and boot.sensors else None
        self.reports: tuple[bytes, ...] = ()
        self.measurements: tuple[bytes, ...] = ()

    def _to_fork(self) -> list[SensorToFork]:
        fds = iter(self._picture_fds)
        return [
            SensorToFork(
                name=manifest.name,
                picture_fds=tuple(next(fds) for _ in range(1 + manifest.spares)),
                heap_bytes=manifest.heap_bytes,
                measure=loader.measure,
                make=loader.make,
            )
            for manifest, loader in zip(self._manifests, self._loaders, strict=True)
        ]

    def serve(self, report: LockReport) -> NoReturn:
        """In a process of a sensor, which has made it."""
        try:
            made = next(loader.made for loader in self._loaders if loader.made is not None)
            pipe = BlockingPipe(report.request_fd, report.reply_fd)
            pipe.write(pack(SensorLocked(report=report.to_bytes(), extractor=made.extractor)))
            SensorProcess(pipe, report.picture_fd, made).serve()
        except BaseException:
            os._exit(EXIT_PROTOCOL)

    def ports(self, links: Sequence[HostLink]) -> list[SensorPort]:
        """In the core: a port to each sensor, whose processes have said how they are locked.

        Raises:
            SensorError: one of them has not.
        """
        if self.forks is None:
            return self._local()
        self.measurements = tuple(self.forks.measurements)
        pipes = [HostPipe(link) for link in links]
        found: list[SensorPort] = []
        first = 0
        for manifest in self._manifests:
            end = first + 1 + manifest.spares
            processes = [(pipe, _said(manifest, pipe, self.forks.deadline)) for pipe in pipes[first:end]]
            self.reports += tuple(said.report for _, said in processes)
            found.append(RemoteSensor(manifest, first, processes))
            first = end
        return found

    def _local(self) -> list[SensorPort]:
        found: list[SensorPort] = []
        for place, (manifest, loader) in enumerate(zip(self._manifests, self._loaders, strict=True)):
            self.measurements += (loader.measure(),)
            loader.make()
            source = PictureSource(self._picture_fds[place])
            found.append(LocalSensor(manifest, cast("MadeSensor", loader.made), place, source.picture))
        return found


def _said(manifest: SensorManifest, pipe: HostPipe, deadline: float) -> SensorLocked:
    """The first message of a process, which its own code can end or keep from it."""
    try:
        return cast("SensorLocked", unpack(pipe.body(deadline), {SensorLocked}))
    except (HostGoneError, NoFrameError) as error:
        raise SensorError(f"sensor {manifest.name}: a process of it was not locked: {error}") from None
