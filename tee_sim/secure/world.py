"""Putting the secure world together once it holds its root secret. The same in the child process and in tests.

Does not promise: that the process is locked. The verdict comes with `Provision`, from the normal world, and is passed
on to the applications as it came.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tee_sim.secure.boot_keys import CORE_UUID, begin_boot, count_start, shared_keys
from tee_sim.secure.core import Core
from tee_sim.secure.counted_store import CountedStore
from tee_sim.secure.hosting import Hosting, LocalHosting
from tee_sim.secure.hosts.invocations import read_invoke, write_return
from tee_sim.secure.hosts.process import load_entry
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.ledger import FINE_STEPS_S, LOOK_BITS, Ledger, Way
from tee_sim.secure.made.boot_statements import BootStatements
from tee_sim.secure.made.call import Call
from tee_sim.secure.made.environment import made_environment
from tee_sim.secure.pace import Pace
from tee_sim.secure.sensors.desk import AppCaptures, CaptureDesk, Feed, SensorPort
from tee_sim.secure.settings import Settings, fixed_settings
from tee_sim.secure.stepped import SteppedClock
from tee_sim.secure.storage import ObjectStore, rekey
from tee_sim.secure.supplicant_client import RemoteBlobStore, RemoteRpmb, SupplicantPort
from tee_sim.secure.traffic import CountedBlobs
from tee_sim.shared.clock import Moment, SystemClock
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.manifest import Manifest, refuse_twins
from tee_sim.shared.params import Param, operation
from tee_sim.shared.rng import OsRng, Rng, SeededRng
from tee_sim.shared.sensor_api import NoCaptures
from tee_sim.shared.ta_api import Platform, Store, TaEnv
from tee_sim.shared.task import Ask, never
from tee_sim.shared.wire import (
    REQUESTS,
    AdvanceClock,
    CaptureRequest,
    CloseSession,
    Invoke,
    Message,
    NoFrameError,
    OpenSession,
    Provision,
    ReadClock,
    Ready,
    RenewKeys,
    Return,
    pack,
    unpack,
)

_TO_APPLICATIONS: Final = (OpenSession, Invoke, CloseSession)


class SecureWorld:
    """Core, store, keys, clock and randomness of one boot.

    Args:
        provision: the message that brings the root secret.
        port: the way to the supplicant.
        manifests: the TAs to host; their code must be importable.
        platform: what this process is and runs; the verdict comes with `provision`, clock and randomness are sealed.
        shifted: whether a time namespace moves the clocks of this process.
        system_rng: what nonces, object keys and salts come from, whatever the device is seeded with; tests replay it.
        on_panic, ask: see `tee_sim.secure.core.Core`.
        hosting: where the applications run; None for this process.
        sensors, feed: see `tee_sim.secure.sensors.desk.CaptureDesk`.

    Raises:
        TeeError: the store does not open (SECURITY for rollback or a foreign device, CORRUPT_OBJECT for damage);
            ACCESS_CONFLICT for another clock or seed than the device's; TIME_NEEDS_RESET for a shifted host clock;
            BAD_PARAMETERS for two manifests of one uuid.
    """

    def __init__(
        self,
        provision: Provision,
        port: SupplicantPort,
        manifests: tuple[Manifest, ...],
        *,
        platform: Platform = Platform(),  # noqa: B008  # frozen
        shifted: bool = False,
        system_rng: Rng = OsRng(),  # noqa: B008  # without state
        on_panic: Callable[[str], None] = lambda _: None,
        hosting: Hosting | None = None,
        ask: Ask = never,
        sensors: Sequence[SensorPort] = (),
        feed: Feed = lambda _process, _number: None,
    ) -> None:
        refuse_twins(manifests)
        # 1. One ladder for the store and the applications: each copy of a root key is one more place to wipe.
        self._device_id = provision.device_id
        self._system_rng = system_rng
        self._ladder = KeyLadder(provision.huk, provision.device_id)
        # 2. The store before anything that it decides: a disk that was rolled back is refused here, and nothing below
        #    may come from it. What it sends to the disk is counted, and when.
        ledger = Ledger()
        self._pace = Pace(port, ledger)
        blobs = CountedBlobs(RemoteBlobStore(self._pace), ledger)
        self._store = ObjectStore.open(
            blobs,
            RemoteRpmb(self._pace),
            self._ladder,
            system_rng,
            create=provision.create,
        )
        # 3. Clock and seed as they were sealed when the device was made: a start that names others is refused, or waits
        #    and tokens could be ended by a friendlier clock, and keys be known by a chosen seed.
        own = self._store.namespace(CORE_UUID)
        claim = Settings(stepped_from_ms=provision.stepped_wall_ms, seed=provision.seed)
        self._settings = fixed_settings(own, claim, create=provision.create)
        self._platform = replace(
            platform,
            verdict=provision.verdict,
            clock=self._settings.clock,
            randomness=self._settings.randomness,
        )
        # 4. A seeded start is counted durably before the first draw, so that no sequence is drawn twice.
        self._rng = _generator(self._settings, own, system_rng)
        self._stepped = _stepped_clock(self._settings, own)
        if self._stepped is None and shifted:
            raise TeeError(TeeResult.TIME_NEEDS_RESET, "a time namespace moves the clocks of the secure world")
        # 5. The boot, whose secret makes the keys of statements: a token of another boot verifies nowhere.
        boot, self._clock = begin_boot(own, provision.boot_id, self._stepped or SystemClock(), self._rng)
        names = sorted({name for m in manifests for name in m.key_names})
        self._boot = BootStatements.of(manifests, shared_keys(names, boot, self._settings.randomness))
        self._desk = CaptureDesk(sensors, feed, system_rng, self._clock.boot_ms, ledger, self._hold_capture)
        # 6. Applications last, and each only when a session is opened: none runs in a world that is half put together.
        self._core = Core(
            manifests,
            hosting or LocalHosting(load_entry),
            self._environment,
            on_panic,
            self._store,
            _counted(ask, ledger, self._pace),
            self._clock.boot_ms,
            ledger,
            CountedStore(self._store, blobs, self._pace),
        )

    def _hold_capture(self, timed: bool) -> None:
        self._pace.hold(timed=timed, steps_s=FINE_STEPS_S)

    def ready(self) -> Ready:
        """What the normal world may know of the opened store."""
        return Ready(
            anti_rollback_level=self._store.anti_rollback_level,
            epoch=self._store.epoch,
            clock=self._settings.clock,
            randomness=self._settings.randomness,
            condition=self._store.condition,
        )

    def answer(self, body: bytes) -> bytes:
        """Answer one frame: its body in, a whole frame out. A request that is wrong is refused and changes nothing.

        Raises:
            NoFrameError: this is no request of the protocol: nothing that follows can be trusted.
        """
        try:
            answer = self.handle(read_invoke(body) or unpack(body, REQUESTS))
            return write_return(answer) or pack(answer)
        except NoFrameError:
            raise
        except TeeError as error:
            return pack(Return(result=error.result, origin=Origin.TEE))
        except (MemoryError, RecursionError):
            return pack(Return(result=TeeResult.OUT_OF_MEMORY, origin=Origin.TEE))

    def handle(self, message: Message) -> Return:
        """Answer one request."""
        self._pace.begin()
        if isinstance(message, _TO_APPLICATIONS):
            return self._core.dispatch(message)
        if isinstance(message, CaptureRequest):
            return self._desk.capture(message)
        if isinstance(message, AdvanceClock):
            return self._answer(lambda: self._advance(message.ms))
        if isinstance(message, ReadClock):
            return self._time()
        if isinstance(message, RenewKeys):
            return self._answer(self._renew_keys)
        return Return(result=TeeResult.BAD_STATE, origin=Origin.TEE)

    @staticmethod
    def _answer(work: Callable[[], Return]) -> Return:
        try:
            return work()
        except TeeError as error:
            return Return(result=error.result, origin=Origin.TEE)

    def _advance(self, ms: int) -> Return:
        if self._stepped is None:
            raise TeeError(TeeResult.ACCESS_DENIED, "the host's clock does not step")
        self._stepped.advance(ms)
        return self._time()

    def _time(self) -> Return:
        """Both times as two value parameters, high word first."""
        now = Moment(wall_ms=self._clock.wall_ms(), boot_ms=self._clock.boot_ms())
        values = operation(Param.number(now.wall_ms), Param.number(now.boot_ms))
        return Return(result=TeeResult.SUCCESS, origin=Origin.TEE, params=values)

    def _renew_keys(self) -> Return:
        for _ in rekey(self._store):
            pass
        return Return(result=TeeResult.SUCCESS, origin=Origin.TEE)

    def _environment(self, manifest: Manifest, call: Call) -> TaEnv:
        return made_environment(
            manifest,
            call,
            objects=self._store.namespace(
                manifest.ta_uuid,
                max_objects=manifest.max_objects,
                max_object_bytes=manifest.max_object_bytes,
                reserve=manifest.reserve,
            ),
            derive=partial(_derived, self._ladder, manifest.ta_uuid),
            boot=self._boot,
            clock=self._clock,
            rng=self._rng,
            system_rng=self._system_rng,
            device_id=self._device_id,
            platform=self._platform,
            captures=AppCaptures(self._desk, manifest.sensors) if manifest.sensors else NoCaptures(),
        )


def _derived(ladder: KeyLadder, ta: UUID, label: str, context: bytes, size_bytes: int) -> bytes:
    """A key of a TA for itself."""
    key = ladder.ta_unique_key(ta, label.encode("ascii") + b"\0" + context)
    return HKDF(SHA256(), size_bytes, salt=None, info=b"tee_sim ta key v1").derive(key)


def _counted(ask: Ask, ledger: Ledger, pace: Pace) -> Ask:
    """Count, and hold, a question about a cancellation: the normal world sees for how long, and when."""

    def counted(timeout_ms: int) -> bool:
        ledger.charge(Way.CANCELLATION, LOOK_BITS)
        pace.hold(timed=ledger.timed())
        if ledger.spent:
            raise TeeError(TeeResult.SECURITY, "a question would tell more than the manifest allows")
        try:
            return ask(timeout_ms)
        finally:
            pace.begin()

    return counted


def _generator(settings: Settings, own: Store, system: Rng) -> Rng:
    """What keys, ids and challenges come from: a sequence of this start's own, if the device is seeded."""
    number = count_start(own) if settings.seed is not None else None
    if settings.seed is None or number is None:
        return system
    return SeededRng(hmac.digest(settings.seed, b"tee_sim start v1" + number.to_bytes(8, "big"), "sha256"))


def _stepped_clock(settings: Settings, own: Store) -> SteppedClock | None:
    return None if settings.stepped_from_ms is None else SteppedClock(own, settings.stepped_from_ms)
