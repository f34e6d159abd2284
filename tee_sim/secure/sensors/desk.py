"""The core's desk of captures: asks a sensor, keeps what it has read under an id, hands it to an application once.

The normal world gets the id and the acquired code. A sample is kept in memory alone, for a minute at most and with 31
others, and overwritten when it is taken, too old, or pushed out by a later one.

Does not promise: that no copy is left of a sample. What Python or a pipe copied on the way is not overwritten.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from tee_sim.secure.ledger import ANSWERED_BITS, ENDED_BITS, FINE_TIME_BITS, REFUSED_BITS, Ledger, Way, choice_bits
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.limits import CAPTURE_LIFE_MS, MAX_CAPTURES
from tee_sim.shared.params import Param, operation
from tee_sim.shared.rng import Rng
from tee_sim.shared.sensor_api import CAPTURE_ID_BYTES, MAX_ACQUIRED, Reading, TakenCapture
from tee_sim.shared.sensor_manifest import SensorManifest
from tee_sim.shared.wire import CaptureRequest, Return

CAPTURED_BITS: Final = choice_bits(MAX_ACQUIRED + 1) + 1.0
"""Which acquired code, and whether there is an id; the id itself is drawn by the core."""
_MAX_NUMBER: Final = 0xFFFF_FFFF

Feed = Callable[[int, int], None]
"""Has the normal world send the picture: place of the pipe, number of the capture."""


class SensorPort(Protocol):
    """One sensor, wherever it runs."""

    @property
    def manifest(self) -> SensorManifest: ...

    @property
    def extractor(self) -> bytes:
        """What it has said of itself before the lock."""
        ...

    def read(self, number: int, size_bytes: int, feed: Feed) -> tuple[Reading, HostEnd]:
        """Have it read one picture; a fault with the way that its process ended, if it did.

        Raises:
            TeeError: TARGET_DEAD, no process of it is left.
        """
        ...


@dataclass(slots=True)
class _Kept:
    sensor: str
    extractor: bytes
    quality: int
    payload: bytearray
    until_ms: int

    def wipe(self) -> None:
        self.payload[:] = bytes(len(self.payload))


class CaptureDesk:
    """All captures of one secure world.

    Args:
        sensors: in the order of BOOT.
        feed: as `Feed`.
        rng: draws the ids.
        boot_ms: time since boot.
        ledger: counts what an answer lets out.
        hold: waits until an answer may leave (`tee_sim.secure.pace`).
    """

    def __init__(
        self,
        sensors: Sequence[SensorPort],
        feed: Feed,
        rng: Rng,
        boot_ms: Callable[[], int],
        ledger: Ledger,
        hold: Callable[[bool], None],
    ) -> None:
        self._sensors = tuple(sensors)
        self._feed = feed
        self._rng = rng
        self._boot_ms = boot_ms
        self._ledger = ledger
        self._hold = hold
        self._number = 0
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def capture(self, message: CaptureRequest) -> Return:
        """Answer the normal world. Never raises: whatever goes wrong is a Return or a fault."""
        with self._ledger.request(float("inf")) as account:
            try:
                sample, end = self._read(message)
            except TeeError as error:
                self._ledger.charge(Way.RESULT, REFUSED_BITS)
                return Return(result=error.result, origin=Origin.TEE, bits=-int(-account.total // 1))
            self._ledger.heard()  # when it comes is the sensor's choice
            self._ledger.charge(Way.RESULT, ANSWERED_BITS if end is HostEnd.NONE else ENDED_BITS)
            self._ledger.charge(Way.CAPTURE, CAPTURED_BITS)
            named = Param.output(CAPTURE_ID_BYTES).filled(self._keep(message, sample)) if sample.payload else None
            self._hold(self._ledger.timed(FINE_TIME_BITS))
        params = operation(named, Param.number(sample.acquired))
        bits = -int(-account.total // 1)
        return Return(result=TeeResult.SUCCESS, origin=Origin.TEE, params=params, host_end=end, bits=bits)

    def _read(self, message: CaptureRequest) -> tuple[Reading, HostEnd]:
        if message.sensor >= len(self._sensors):
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such sensor")
        sensor = self._sensors[message.sensor]
        if not 0 < message.size_bytes <= sensor.manifest.max_picture_bytes:
            raise TeeError(TeeResult.EXCESS_DATA, "the picture is empty or larger than the sensor reads")
        self._number = self._number % _MAX_NUMBER + 1
        return sensor.read(self._number, message.size_bytes, self._feed)

    def _keep(self, message: CaptureRequest, sample: Reading) -> bytes:
        self._drop_old()
        while len(self._kept) >= MAX_CAPTURES:
            self._kept.popitem(last=False)[1].wipe()
        sensor = self._sensors[message.sensor]
        capture_id = self._rng.bytes(CAPTURE_ID_BYTES)
        self._kept[capture_id] = _Kept(
            sensor.manifest.name,
            sensor.extractor,
            sample.quality,
            bytearray(sample.payload),
            self._boot_ms() + CAPTURE_LIFE_MS,
        )
        return capture_id

    def _drop_old(self) -> None:
        now_ms = self._boot_ms()
        for capture_id in [known for known, kept in self._kept.items() if kept.until_ms <= now_ms]:
            self._kept.pop(capture_id).wipe()

    def take(self, capture_id: bytes, sensors: Collection[str], *, keep: bool = False) -> TakenCapture:
        """As `tee_sim.shared.sensor_api.Captures.take`, for an application that may take of these sensors."""
        self._drop_old()
        kept = self._kept.get(capture_id)
        if kept is None:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such capture")
        if kept.sensor not in sensors:
            raise TeeError(TeeResult.ACCESS_DENIED, "the manifest does not name the sensor of this capture")
        payload = bytes(kept.payload)
        if not keep:
            del self._kept[capture_id]
            kept.wipe()
        return TakenCapture(sensor=kept.sensor, extractor=kept.extractor, quality=kept.quality, payload=payload)


@dataclass(frozen=True, slots=True)
class AppCaptures:
    """`tee_sim.shared.sensor_api.Captures` of one application: of the sensors that its manifest names."""

    desk: CaptureDesk
    sensors: tuple[str, ...]

    def take(self, capture_id: bytes, *, keep: bool = False) -> TakenCapture:
        """As `Captures.take`."""
        return self.desk.take(capture_id, self.sensors, keep=keep)
