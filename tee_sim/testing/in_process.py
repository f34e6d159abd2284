"""A secure world in this process: no child, no pipe, no lock. For tests of trusted applications.

tee = InProcessTee([manifest], supplicant)
with Context(tee).open_session(manifest.ta_uuid) as session: ...
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Self, cast

from tee_sim.normal import events
from tee_sim.normal.captured import Captured, capture_message
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.secure_process import StorageHandler
from tee_sim.secure.hosting import Hosting
from tee_sim.secure.hosts.pipes import HostGoneError
from tee_sim.secure.hosts.remote_app import PanicError
from tee_sim.secure.sensors.load import SensorLoader
from tee_sim.secure.sensors.local import LocalSensor, MadeSensor
from tee_sim.secure.world import SecureWorld
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.rng import OsRng, Rng
from tee_sim.shared.sensor_manifest import SensorManifest
from tee_sim.shared.ta_api import Platform
from tee_sim.shared.wire import (
    HEAD_BYTES,
    Feed,
    Message,
    Provision,
    Ready,
    Return,
    Wait,
    pack,
    unpack,
)
from tee_sim.testing.direct_port import DirectPort

TEST_HUK = bytes(range(32))
TEST_DEVICE_ID = bytes(range(16))


class _MortalPort(DirectPort):
    """A supplicant may end while it is called.

    One that ends its process (SystemExit: a fault `die-before`) ends the test's, not the application under
    whose request it happened: what it raised is raised again outside the secure world.
    """

    def __init__(self, storage: StorageHandler) -> None:
        super().__init__(storage)
        self._death: BaseException | None = None
        self.picture = b""
        self.operation: CancellableOperation | None = None

    def call(self, operation: int, request: list[object]) -> object:
        self.raise_death()
        try:
            return super().call(operation, request)
        except Exception:
            raise
        except BaseException as death:
            self._death = death
            raise

    def wait(self, timeout_ms: int) -> bool:
        """`tee_sim.shared.task.Ask`."""
        asked = cast("Wait", unpack(pack(Wait(timeout_ms=timeout_ms))[HEAD_BYTES:]))
        return self.operation is not None and self.operation.wait(asked.timeout_ms)

    def feed(self, process: int, number: int) -> None:
        """`tee_sim.secure.sensors.desk.Feed`: what was given lies ready."""
        unpack(pack(Feed(process=process, number=number))[HEAD_BYTES:], {Feed})

    def give(self, _number: int, size_bytes: int) -> bytes:
        """`tee_sim.secure.sensors.local.Source`."""
        return self.picture[:size_bytes]

    def raise_death(self) -> None:
        if self._death is not None:
            raise self._death


@dataclass(frozen=True, slots=True)
class SensorHere:
    """A sensor that was made in this process."""

    manifest: SensorManifest
    measurement: bytes
    made: MadeSensor

    @classmethod
    def of(cls, manifest: SensorManifest, folder: bytes = b"") -> Self:
        """Measure it where its code lies, and make it of modules as they are imported here. Raises as its code."""
        loader = SensorLoader(manifest, folder)
        return cls(manifest, loader.measure(), loader.make_of_imported())


def _print_panic(_application: str) -> None:
    """What was raised; where another process panicked, that one has said more."""
    if not isinstance(sys.exc_info()[1], PanicError | HostGoneError):
        traceback.print_exc()


class InProcessTee:
    """`tee_sim.normal.client.Transport` over a `SecureWorld` of this process.

    Args:
        manifests: TAs to host.
        storage: the supplicant; reuse it for another instance to play a reboot.
        create: make the store, unless there is one.
        seed: 32 bytes; keys, ids and challenges are derived from it. An existing store must have been made with it, or
            it is None.
        stepped_wall_ms: start of the stepped clock, likewise; an existing store goes on where its clock stands.
        boot_id: 16 bytes, the same for starts of one boot; None makes each start a boot of its own.
        system_rng: what nonces, object keys and salts come from; a campaign that replays writes gives a seeded one.
        hosting: where the applications run; None for this process.
        sensors: made in this process, or to be made in it, of code that can be imported.
    """

    def __init__(
        self,
        manifests: Sequence[Manifest],
        storage: StorageHandler,
        *,
        create: bool = True,
        seed: bytes | None = bytes(32),
        stepped_wall_ms: int = 1_767_225_600_000,
        boot_id: bytes | None = None,
        system_rng: Rng = OsRng(),  # noqa: B008  # without state
        hosting: Hosting | None = None,
        sensors: Sequence["SensorManifest | SensorHere"] = (),
    ) -> None:
        provision = Provision(
            huk=TEST_HUK,
            device_id=TEST_DEVICE_ID,
            create=create,
            stepped_wall_ms=stepped_wall_ms,
            seed=seed,
            boot_id=boot_id,
        )
        self._events = events.watch(manifests, os.getpid(), profile="IN_PROCESS")
        self._port = _MortalPort(storage)
        here = [SensorHere.of(sensor) if isinstance(sensor, SensorManifest) else sensor for sensor in sensors]
        self._sensors = tuple(sensor.manifest for sensor in here)
        self.sensor_measurements = {sensor.manifest.name: sensor.measurement for sensor in here}
        self._world = SecureWorld(
            provision,
            self._port,
            tuple(manifests),
            platform=Platform(
                sensors=tuple(self.sensor_measurements.items()),
                extractors=tuple((one.manifest.name, one.made.extractor) for one in here),
            ),
            system_rng=system_rng,
            on_panic=_print_panic,
            ask=self._port.wait,
            hosting=hosting,
            sensors=[LocalSensor(one.manifest, one.made, place, self._port.give) for place, one in enumerate(here)],
            feed=self._port.feed,
        )

    @property
    def alive(self) -> bool:
        """It cannot die."""
        return True

    def ready(self) -> Ready:
        """State of the opened store."""
        return self._world.ready()

    def exchange(self, message: Message, *, timeout_ms: int = 0) -> Return:
        """Answer one request, packed and read as on the pipe. There is nothing to time out."""
        frame = pack(message)
        self._events.asked(message)
        try:
            body = self._world.answer(frame[HEAD_BYTES:])
            self._port.raise_death()
        except BaseException as error:
            self._events.failed(error)
            raise
        answer = cast("Return", unpack(body[HEAD_BYTES:], {Return}))
        self._events.answered(answer)
        return answer

    def exchange_cancellable(self, message: Message, operation: CancellableOperation, *, timeout_ms: int = 0) -> Return:
        """`exchange`, and the application may ask meanwhile whether the operation was cancelled."""
        self._port.operation = operation
        try:
            return self.exchange(message, timeout_ms=timeout_ms)
        finally:
            self._port.operation = None

    def capture(self, sensor: str, picture: bytes, *, timeout_ms: int = 0) -> Captured:
        """As `tee_sim.normal.secure_process.SecureProcess.capture`. Nothing ends for what the sensor's code does."""
        message = capture_message(self._sensors, sensor, picture)
        self._port.picture = picture
        try:
            return Captured.of(self.exchange(message), sensor, self.kill)
        finally:
            self._port.picture = b""

    def kill(self) -> None:
        """Nothing to kill; the object is simply not used any more."""
