"""Starting a device's secure world: lock first, look from outside, then hand over the root secret."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from uuid import UUID

from bioguard.device import ahead
from bioguard.device.applications import boot_message
from bioguard.device.boot_id import boot_id
from bioguard.device.command_names import name_commands
from bioguard.device.fuses import Fuses
from bioguard.device.hooks import Direct, Hooks
from bioguard.device.options import DeviceOptions
from bioguard.device.readiness import get_ready
from bioguard.device.sensors import SensorChoice, sensors_of
from bioguard.errors import TeeUnavailable, WrongUsage
from tee_sim.normal.client import Context, Session
from tee_sim.normal.machine.locked_start import Started, start_locked
from tee_sim.normal.machine.start_caches import StartCaches
from tee_sim.normal.reply_timing import ReplyQuantizer
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.sandbox_verdict.processes import Inspected
from tee_sim.normal.sandbox_verdict.verdict import Verdict
from tee_sim.normal.secure_process import SecureProcess, SensorStartError
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.lock_report import LockReport
from tee_sim.shared.package_files import Listing
from tee_sim.shared.wire import Boot, Provision, Ready


@dataclass(slots=True)
class Running:
    """A started secure world and what was seen of it.

    Attributes:
        inspected: how far its processes are locked, judged from outside before it got any secret.
        measurements: SHA-256 of each trusted application's manifest and code, by name.
        listing: the files of the whole product, as the secure world found them at its start.
        processes: of each of them, its spares among them, as asked for: were others seen, the verdict is INCONCLUSIVE.
            None where all live in one.
        cached: whether it was started with what earlier starts have kept: such a start attests nothing.
        sensors: measurement of each sensor, by name.
    """

    process: SecureProcess
    supplicant: Supplicant
    inspected: Inspected
    ready: Ready
    measurements: dict[str, str]
    listing: Listing
    context: Context
    hooks: Hooks
    grid: ReplyQuantizer | None
    processes: dict[str, int] = field(default_factory=dict)
    cached: bool = False
    sensors: dict[str, str] = field(default_factory=dict)
    _sessions: dict[UUID, Session] = field(default_factory=dict)
    _closed: bool = False

    @property
    def verdict(self) -> Verdict:
        """How far it is locked: core and hosts together."""
        return self.inspected.verdict

    @property
    def report(self) -> LockReport:
        """What the core said about its lock."""
        return self.inspected.core.report

    @property
    def host_filter_sha256(self) -> bytes:
        """Of the system call filter of each application's process, as the first says; zeros without one."""
        hosts = self.inspected.hosts
        return (hosts[0].report.filter_sha256 if hosts else b"") or bytes(32)

    def session(self, uuid: UUID) -> Session:
        """The session with one trusted application, opened on first use."""
        if uuid not in self._sessions:
            self._sessions[uuid] = self.context.open_session(uuid)
        return self._sessions[uuid]

    def forget(self, uuid: UUID) -> None:
        """Give up the session with an application that has panicked; the next one is with a new instance."""
        session = self._sessions.pop(uuid, None)
        if session is not None and self.process.alive:
            with suppress(TeeError):
                session.close()

    @property
    def storage(self) -> str:
        """Whether and for what the store can be written: `writable`, `full`, or the secure world's word for it."""
        return "full" if self.supplicant.full else self.ready.condition.name.lower()

    def status(self) -> dict[str, object]:
        """Facts for people and JSON."""
        return {
            "simulated": True,
            "sandbox_level": self.verdict.level.value,
            "sandbox_layers": list(self.verdict.layers),
            "epoch": self.ready.epoch,
            "anti_rollback_level": self.ready.anti_rollback_level,
            "clock": self.ready.clock.word,
            "randomness": self.ready.randomness.word,
            "storage": self.storage,
            "measurements": self.measurements,
            "sensor_measurements": self.sensors,
            "processes": self.processes,
        }

    def close(self) -> None:
        """End the secure world, then the supplicant. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self._end_sessions()
            self.process.close()
        finally:
            self.supplicant.close()

    def _end_sessions(self) -> None:
        """Say that this is an end and no crash: attempts that were charged ahead are given back."""
        with suppress(TeeError):
            for session in self._sessions.values():
                if self.process.alive:
                    session.close()


def _started(options: DeviceOptions, start: Callable[[], Started]) -> Started:
    try:
        return start()
    except TeeError as error:
        if error.result is not TeeResult.ACCESS_CONFLICT:
            raise
        raise WrongUsage(
            f"{options.claims()} not what this device was made with",
            hint="leave it out: clock and seed are chosen by `bioguard device init`; a stepped clock is moved by "
            "`bioguard clock advance`",
            code="device.options",
        ) from error


def _processes(boot: Boot) -> dict[str, int]:
    hosts = {manifest.name: 1 + manifest.spares for manifest in boot.manifests}
    return hosts | {f"{sensor.name} sensor": 1 + sensor.spares for sensor in boot.sensors}


def start(directory: Path, fuses: Fuses, options: DeviceOptions, *, create: bool) -> Running:
    """Start the secure world of the device in `directory`; where an engine cannot be made, without the sensors.

    What is sealed stays: nothing is captured then, and features are refused as before. A new device wants its sensors.

    Raises:
        TeeUnavailable: it does not start, or its lock is below the required level.
        WrongUsage: the options name another clock or seed than the device was made with.
        TeeError: the store does not open.
    """
    sensors = sensors_of(directory, options.note)
    try:
        return _start(directory, fuses, options, sensors, create=create)
    except SensorStartError as error:
        if create:
            raise
        options.note(f"the sensors do not start, run: bioguard doctor; {error.message}")
        return _start(directory, fuses, options, (), create=False)


def _start(
    directory: Path, fuses: Fuses, options: DeviceOptions, sensors: Sequence[SensorChoice], *, create: bool
) -> Running:
    required = options.allow_level or Level.ENFORCED
    boot = boot_message(options.profile, namespaces=options.namespaces, attests=not options.caches, sensors=sensors)
    caches = StartCaches(directory, fuses, write=not options.read_only) if options.caches else None
    made = options.hooks(directory)  # also for a reader: what is wrong with them is wrong with every command
    hooks = Direct() if options.read_only else made
    supplicant = Supplicant(
        directory,
        create=create,
        read_only=options.read_only,
        log=options.storage_log,
        faults=hooks.disk(),
    )

    def accept(verdict: Verdict) -> None:
        if not verdict.level.meets(required):
            raise TeeUnavailable(
                f"the sandbox is {verdict.level.value}, below {required.value}",
                hint=f"run: bioguard doctor; to accept it: --allow-level '{verdict.level.value}'",
                code="tee.sandbox",
            )

    try:
        name_commands()
        provision = Provision(
            huk=fuses.huk,
            device_id=fuses.device_id,
            create=create,
            stepped_wall_ms=options.clock,
            seed=options.seed_bytes,
            boot_id=boot_id(directory, keep=not options.read_only),
        )
        started = _started(
            options,
            lambda: start_locked(
                boot,
                supplicant,
                provision,
                accept=accept,
                vouched={application.ta_uuid for application in boot.manifests},  # of this package, every one
                tap=options.tap,
                keep_variables=(ahead.KERNEL_VARIABLE,),
                caches=caches,
                beside=get_ready,
            ),
        )
    except BaseException:
        supplicant.close()
        raise
    return Running(
        process=started.process,
        supplicant=supplicant,
        inspected=started.inspected,
        ready=started.ready,
        measurements=started.measurements,
        listing=started.listing,
        context=Context(hooks.transport(started.process)),
        hooks=hooks,
        grid=ReplyQuantizer(period_ms=options.release_grid_ms) if options.release_grid_ms > 0 else None,
        processes=_processes(boot) if started.inspected.hosts else {},
        cached=options.caches,
        sensors=started.sensor_measurements,
    )
