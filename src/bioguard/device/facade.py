"""`Device`: everything a caller does with a device, in the caller's words. Holds no secret.

    with Device.open(directory) as device:
        device.enroll("alice", [touch1, touch2, touch3], finger="right-index")
        decision = device.authenticate("alice", touch4)

Names are turned into 16-byte handles here; features are sent as canonical bytes; every refusal is an error with a
code and a hint.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from enum import IntEnum
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from bioguard.commands import biometric as commands
from bioguard.commands import gatekeeper
from bioguard.commands.biometric import BIOMETRIC_UUID, EraseAuthorization
from bioguard.commands.configuration import (
    SHOW_CONFIGURATION,
    Configuration,
    Configured,
    ProfileSummary,
    SensorSummary,
)
from bioguard.commands.status import Nothing
from bioguard.device import clock
from bioguard.device.answers import Enrollment, Identification, RecordInfo, Verification
from bioguard.device.arguments import record_id_of
from bioguard.device.boot_id import reboot
from bioguard.device.calibration import RateBases
from bioguard.device.captures import SensorSample, capture
from bioguard.device.directory import check, destroy
from bioguard.device.errors import promised
from bioguard.device.fuses import Fuses
from bioguard.device.hooks import plays_harm
from bioguard.device.incidents import detecting
from bioguard.device.launch import Running, start
from bioguard.device.lock import DeviceLock
from bioguard.device.making import make
from bioguard.device.names import Names
from bioguard.device.options import DeviceOptions
from bioguard.device.recognition import Recognition
from bioguard.device.sensor_questions import SensorQuestions
from bioguard.device.settings import DeviceSettings
from bioguard.device.start import report_start
from bioguard.device.user_registry import UserRegistry
from bioguard.device.user_removal import remove_user
from bioguard.device.world import World, tee_errors
from bioguard.records.modality import Modality
from tee_sim.shared.clock import Moment
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command

if TYPE_CHECKING:
    from bioguard.records import Features

    Sample = Features | SensorSample

REKEY_TIMEOUT_MS = 3_600_000
"""An hour: a store of 100 000 records is resealed at some hundred records a second."""

BY_SUBJECT = EraseAuthorization()
"""The person's own authorization, without a token: enough for a user who never presented a PIN."""

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)


class Device(SensorQuestions):
    """A device whose secure world runs. Make one with `open`; use it as a context manager."""

    def __init__(
        self,
        directory: Path,
        names: Names,
        running: Running,
        lock: DeviceLock,
        options: DeviceOptions = DeviceOptions(),  # noqa: B008  # frozen
    ) -> None:
        self.directory = directory
        self._users = UserRegistry(names, self.ask)
        self._options = options
        report = partial(report_start, directory, note=options.note)
        self._world = World(directory, running, self._start_again, self._restarted, report)
        self._lock = lock
        self._bases = RateBases()

    @classmethod
    def init(
        cls,
        directory: Path,
        options: DeviceOptions | None = None,
        settings: DeviceSettings = DeviceSettings(),  # noqa: B008  # frozen
        **changes: Any,
    ) -> Self:
        """Make a new device and start it. What it is never changes again.

        Args:
            changes: fields of `settings` by name, in place of those there.

        Raises:
            WrongUsage: a sensor that is none, or whose engine is not installed.
            NotPermitted: there is one already.
            InputRefused: a limit outside 1..10, sensors or a rate that no device is made with, two profiles of one
                modality, one without a table of what the device decides on, or no modality left for `uncalibrated`.
        """
        run = options or DeviceOptions()
        start = partial(cls._start, directory, options=run, create=True)
        return make(directory, run.seed_bytes, replace(settings, **changes), start)

    @classmethod
    def open(cls, directory: Path, options: DeviceOptions | None = None) -> Self:
        """Start the secure world of an existing device.

        Raises:
            TeeUnavailable: no device here, in use by another process, or the sandbox is below the required level.
            IntegrityFailure: the store was damaged, rolled back or belongs to another device.
        """
        with detecting(directory):
            fuses = Fuses.read(directory)
            lock = DeviceLock(directory)
        return cls._start(directory, fuses, lock, options or DeviceOptions(), create=False)

    @classmethod
    def _start(cls, directory: Path, fuses: Fuses, lock: DeviceLock, options: DeviceOptions, *, create: bool) -> Self:
        try:
            with tee_errors(directory, lambda: plays_harm(options.hooks, directory)):
                check(directory)
                names = Names.load(directory)
                running = start(directory, fuses, options, create=create)
        except BaseException:
            lock.release()
            raise
        device = cls(directory, names, running, lock, options)
        try:
            if not options.read_only:
                device._users.settle()
                if not create:
                    device._world.begin(lambda: device._configured)
        except BaseException:
            device.close()
            raise
        return device

    def _start_again(self) -> Running:
        check(self.directory)
        return start(self.directory, Fuses.read(self.directory), self._options, create=False)

    def _restarted(self, why: str) -> None:
        self._options.note(f"the secure world had ended ({why}) and was started again")
        if not self._options.read_only:
            self._users.settle()

    @staticmethod
    def wipe(directory: Path) -> None:
        """Destroy the device: fuses first, so that whatever is left of the store cannot be opened any more.

        Raises:
            TeeUnavailable: there is no device here, or it is in use.
            IntegrityFailure: the directory is not ours alone, or something is left that is no file.
        """
        destroy(directory)

    def ask(
        self,
        command: Command[Q, A],
        request: Q,
        *,
        about: str | Callable[[A], str] = "",
        uuid: UUID = BIOMETRIC_UUID,
        quantize_timing: bool = False,
        expected: Collection[IntEnum] = (),
    ) -> A:
        """Send one command to a TA and return its reply, which is a yes. The only way from here to the secure world.

        Args:
            about: names what is asked for, in the error; a function says it of the reply.
            uuid: the TA, by default the biometric one.
            quantize_timing: release the reply on the time grid.
            expected: refusals that the caller looks at itself.

        Raises:
            BioguardError: by the tables in `bioguard.device.errors`: a refusal, or a secure world that is not there.
                After its death the next question starts it again (`bioguard.device.world`).
        """
        self._bases.asked(command)
        return self._world.ask(
            command, request, about=about, uuid=uuid, quantize_timing=quantize_timing, expected=expected
        )

    def user_handle(self, name: str, *, fresh: bool = False) -> bytes:
        """The 16 bytes that stand for a user in the secure world.

        Args:
            fresh: ask the secure world now, for a TA that does not know users itself.

        Raises:
            InputRefused: a name that the file or the secure world does not know.
            IntegrityFailure: names.json gives the name to another user.
        """
        return self._users.handle(name, fresh=fresh)

    def user_name(self, handle: bytes) -> str | None:
        """The name of a user; None for one whom this device's file does not know."""
        return self._users.name_of(handle)

    @property
    def _recognition(self) -> Recognition:
        return Recognition(self)

    @cached_property
    def _configured(self) -> Configured:
        return self.ask(SHOW_CONFIGURATION, Nothing())

    @property
    def configuration(self) -> Configuration:
        """What the device was made as; it never changes."""
        return promised(self._configured.configuration, "a configuration")

    @property
    def profiles(self) -> tuple[ProfileSummary, ...]:
        """Its comparison profiles."""
        return self._configured.profiles

    @property
    def sensors(self) -> tuple[SensorSummary, ...]:
        """Its sensors."""
        return self._configured.sensors

    def cohort_fingers(self) -> int:
        """How many other people's fingers a finger is held against now; 0 for too few."""
        return self.ask(SHOW_CONFIGURATION, Nothing()).cohort

    def users(self) -> list[str]:
        """Names of the users, sorted."""
        return self._users.listed()

    def add_user(self, name: str) -> None:
        """Add a user.

        Raises:
            InputRefused: not a name.
            NotPermitted: the name is taken.
        """
        self._users.add(name)

    def rename_user(self, name: str, new: str, *, token: bytes = b"") -> None:
        """Change a user's name.

        Raises:
            InputRefused: unknown user, or not a name.
            NotPermitted: the new name is taken, or the user has presented a PIN once and this is no token of it.
        """
        self._users.rename(name, new, token)

    def remove_user(self, name: str, leave: EraseAuthorization = BY_SUBJECT) -> tuple[str, ...]:
        """Erase all of a user's records and the PIN, then forget the name; return the salted digests (hex), none
        where a record is damaged and cannot be listed.

        A removal that was interrupted is finished: the secure world does not know the user any more, the name is left.

        Raises:
            InputRefused: unknown user.
            NotPermitted: the user has presented a PIN once; `leave` is no fresh token of it, nor the operator's.
        """
        pins = partial(self.ask, gatekeeper.DELETE_USER, uuid=gatekeeper.GATEKEEPER_UUID)
        return remove_user(self, self.directory, self._users, name, leave, forget_pin=pins)

    def capture(self, modality: Modality, picture: bytes, *, dpi: int | None = None) -> SensorSample:
        """Have the sensor see a picture file; enroll, claim or search with what comes back, once, within a minute.

        Args:
            dpi: of the scan of a finger; None: as the file says.

        Raises:
            InputRefused: the device has no such sensor, or the picture is none or out of bounds.
            NotAcquired: the sensor made no sample of it: no attempt, nothing was compared.
        """
        return capture(self, self._world.capture, modality, picture, dpi)

    def enroll(
        self,
        name: str,
        samples: "Sequence[Sample]",
        *,
        finger: str | None = None,
        replace: bool = False,
        token: bytes = b"",
        model: str = "",
        sensor: int | None = None,
    ) -> Enrollment:
        """Enroll one finger (several touches) or one face (several views).

        Args:
            finger: its name; `unnamed` for one that nobody has named.
            token: from `bioguard.device.pins.enrollment_token`. Without it a device refuses every enrollment, unless it
                was made with `require_pin=False`; even there whoever has a PIN, or has shown one, needs it.
            model: which embedding model or extractor the samples are of, if their files state it; else they are
                declared to be of the device's comparison profile.
            sensor: id of the sensor; None, here and below: the first of the kind of the samples.

        Raises:
            InputRefused: unknown user, sensor or finger; no samples, too many, mixed or poor ones, of several fingers
                or people; a face of another dimension than those enrolled, or of a model that is not centered; features
                of a model that no comparison profile of the device is of.
            NotPermitted: no token, or not one of this user's PIN and a live challenge; what is enrolled was enrolled
                without a PIN or with another one; no consent of the user that is in force (missing, expired, suspended,
                objected, restricted, not of age); the finger is enrolled already, here or under another position; the
                user's limit or the store's is reached.
        """
        made = self._recognition.enroll(
            name, samples, finger=finger, replace=replace, token=token, model=model, sensor=sensor
        )
        return Enrollment.of(made)

    def authenticate(
        self,
        name: str,
        sample: "Sample",
        *,
        fmr_inverse: int = 0,
        operation_id: int = 0,
        model: str = "",
        sensor: int | None = None,
    ) -> Verification:
        """1:1: compare a sample with one user's records.

        Args:
            fmr_inverse: 0 for the device's false match rate, or a stricter one that it offers, as 1/fmr_inverse.
            operation_id: becomes the challenge of the token of a match. 0: the device is unlocked; another one: a key
                is used, which needs a consent of its own.
            model: as in `enroll`.

        Raises:
            InputRefused: unknown user, or one with nothing enrolled of this kind; a rate that the device does not
                offer, or that it has no threshold for; a face of another dimension than those enrolled, or of a model
                that is not centered, or that no comparison profile of the device is of.
            NotPermitted: no consent of the user to this purpose that is in force (as in `enroll`); all that is enrolled
                is past its retention; locked after failed attempts. Nothing was compared.
        """
        answer = self._recognition.authenticate(
            name, sample, fmr_inverse=fmr_inverse, operation_id=operation_id, model=model, sensor=sensor
        )
        rate = self._bases.of(self, sample, fmr_inverse, self.user_handle(name), sensor)
        return Verification.of(answer, self.configuration, fmr_inverse, rate)

    def identify(
        self, sample: "Sample", *, fpir_inverse: int = 0, model: str = "", sensor: int | None = None
    ) -> Identification:
        """1:N: find whose sample it is, among those who consent to be searched for.

        Args:
            fpir_inverse: 0 for the device's false positive identification rate, or a stricter one that it offers.
            model: as in `enroll`.

        Raises:
            InputRefused: as in `authenticate`, but for the user.
            NotPermitted: locked after failed searches, with one lock for all of them; nothing was compared.
        """
        answer = self._recognition.identify(sample, fpir_inverse=fpir_inverse, model=model, sensor=sensor)
        rate = self._bases.of(self, sample, fpir_inverse, sensor=sensor)
        user = self.user_name(answer.user) if answer.user else None
        return Identification.of(answer, user, self.configuration, fpir_inverse, rate)

    def records(self, name: str | None = None) -> Iterator[RecordInfo]:
        """Records of one user or of all, in id order."""
        return self._recognition.infos(name, self.user_name)

    def show(self, record_id: str) -> RecordInfo:
        """One record."""
        return self._recognition.info(record_id_of(record_id), self.user_name)

    def erase(self, name: str, record_id: str, leave: EraseAuthorization = BY_SUBJECT) -> str:
        """Erase one record of a user; return its salted digest (hex).

        Raises:
            InputRefused: unknown user, or not a record of this user.
            NotPermitted: as in `remove_user`.
        """
        return self._recognition.erase(name, record_id_of(record_id), leave).hex()

    def rekey(self) -> int:
        """Renew the protected codes and the keys of every stored object; nobody has to enroll again.

        Two steps, each of which ends as before or as after; the second goes on where it was when called again.

        Returns:
            How many records carry new codes.

        Raises:
            InputRefused: the digest-only profile has no template to encode anew.
        """
        answer = self.ask(commands.RENEW_CODES, commands.RenewCodes(), about="renewing codes needs templates")
        self._world.renew_keys(timeout_ms=REKEY_TIMEOUT_MS)
        return answer.records

    @property
    def running(self) -> Running:
        """The secure world that runs, or ran last, for those who look at it (doctor, audit, tests)."""
        return self._world.last

    def wake(self) -> None:
        """Start the secure world again if it has ended.

        Raises:
            TeeUnavailable, IntegrityFailure: it does not start.
        """
        with tee_errors(self.directory):
            self._world.running()

    def advance_clock(self, ms: int) -> Moment:
        """Move the stepped clock forward, for good; return the time it shows then. Raises as `clock.advance`."""
        return clock.advance(self, ms)

    def reboot(self) -> None:
        """Begin a new boot: tokens and challenges of the old one are worth nothing. Raises as `wake`."""
        with tee_errors(self.directory):
            self._world.reboot(partial(reboot, self.directory))
        with suppress(AttributeError):  # other extractors may run now
            del self._configured
        self._users.settle()

    def close(self) -> None:
        """End the secure world and release the device. Safe to call twice."""
        try:
            self._world.close(self._options.note)
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
