"""A device's secure world over its life: asked for answers, and started again when it has ended.

A death (killed, too slow, no frame) is reported to the caller who met it; the next question starts the secure world
again, in the same boot, so tokens stay good and what lived in its memory (challenges, operations of keys) is gone. A
panic takes one trusted application with it; the next question to it opens a new session with a new instance.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.policy import AT_START, INCIDENT, Purged, ReportIncident
from bioguard.commands.status import Nothing
from bioguard.device.errors import from_tee, raise_for_status
from bioguard.device.hooks import Direct
from bioguard.device.incident_texts import Incident
from bioguard.device.incidents import detecting, nothing_scripted
from bioguard.device.launch import Running
from bioguard.device.sensors import gone
from bioguard.errors import BioguardError, TeeUnavailable
from bioguard.records.audit_events import Cause
from bioguard.records.modality import Modality
from tee_sim.normal.captured import Captured
from tee_sim.normal.client import OverBudgetError, Session
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)


@contextmanager
def tee_errors(
    directory: Path,
    scripted: Callable[[], bool] = nothing_scripted,
    opened: Callable[[Incident], None] = lambda _incident: None,
) -> Iterator[None]:
    """Results as errors of bioguard; what is tampered with or rolled back opens an incident, as `detecting` does."""
    with detecting(directory, scripted, opened):
        try:
            yield
        except TeeError as error:
            raise from_tee(error) from error


class World:
    """The secure world of one device.

    Args:
        running: started already.
        start: starts it again.
        restarted: called with the reason, once it runs again.
        started: called with what a start of the biometric application erased, and whether faults are played, before
            anything else is asked of it.
    """

    def __init__(
        self,
        directory: Path,
        running: Running,
        start: Callable[[], Running],
        restarted: Callable[[str], None] = lambda _why: None,
        started: Callable[[Purged, bool], None] = lambda _report, _scripted: None,
    ) -> None:
        self._directory = directory
        self._start = start
        self._restarted = restarted
        self._started = started
        self._heard: Session | None = None
        self._closed = False
        self.last = running
        """The one that runs, or ran last."""

    def running(self) -> Running:
        """The secure world, started again if it has ended.

        Raises:
            TeeUnavailable: the device was closed.
            TeeError: it does not start.
        """
        if self._closed:
            raise TeeUnavailable("the device was closed", hint="open it again", code="device.closed")
        if not self.last.process.alive:
            why = self.last.process.how_it_ended()
            self.last.close()
            self.last = self._start()
            self._restarted(why)
        return self.last

    def reboot(self, begin_boot: Callable[[], None]) -> None:
        """End the secure world and start it in a new boot.

        Args:
            begin_boot: makes the boot a new one, while nothing runs.

        Raises:
            TeeUnavailable: the device was closed.
            TeeError: it does not start. The next question starts it again.
        """
        self.running()
        self.last.close()
        begin_boot()
        self.last = self._start()

    def begin(self, also: Callable[[], object]) -> None:
        """Have the biometric application made, and do what is due at a start, so that nobody's first question waits
        for that. What is refused, to the next question is refused again, and said there. Where faults are played
        nothing is asked ahead: they are meant for what somebody asks.

        Args:
            also: asks what every decision asks, and raises as `ask`.

        Raises:
            TeeUnavailable: the secure world has ended over it.
        """
        running = self.last
        if not isinstance(running.hooks, Direct):
            return
        with self._errors(), suppress(BioguardError):
            try:
                self._session(running, BIOMETRIC_UUID)
                also()
            except TeeError as error:
                self._lost(running, BIOMETRIC_UUID, error)
                if not running.process.alive:
                    raise

    def ask(
        self,
        command: Command[Q, A],
        request: Q,
        *,
        about: str | Callable[[A], str],
        uuid: UUID,
        quantize_timing: bool,
        expected: Collection[IntEnum],
    ) -> A:
        """`bioguard.device.Device.ask`."""
        with self._errors():
            running = self.running()
            try:
                session = self._session(running, uuid)
                reply = session.call(command, request, grid=running.grid if quantize_timing else None)
            except TeeError as error:
                self._lost(running, uuid, error)
                raise
            raise_for_status(reply, about(reply) if callable(about) else about, expected=expected)
        return reply

    def _errors(self) -> AbstractContextManager[None]:
        return tee_errors(self._directory, self._harmful, self._log_scripted)

    def _harmful(self) -> bool:
        return self.last.hooks.harmful()

    def _log_scripted(self, incident: Incident) -> None:
        """Have the log say that an incident was found while faults were played, if there is anybody to keep it."""
        running = self.last
        if incident.scripted and running.process.alive:
            with suppress(TeeError):
                noted = ReportIncident(number=incident.number, cause=Cause.SCRIPTED)
                running.session(BIOMETRIC_UUID).call(INCIDENT, noted)

    def _session(self, running: Running, uuid: UUID) -> Session:
        """A session with an application; the biometric one is asked first what its start has erased."""
        session = running.session(uuid)
        if uuid == BIOMETRIC_UUID and session is not self._heard:
            report = session.call(AT_START, Nothing())
            raise_for_status(report)
            self._heard = session  # before the report: whoever gets it may ask on
            self._started(report, running.hooks.harmful())
        return session

    def _lost(self, running: Running, uuid: UUID, error: TeeError) -> None:
        """An application did not answer a question."""
        if error.result is TeeResult.TARGET_DEAD:
            running.forget(uuid)
        if isinstance(error, OverBudgetError):
            self._log_bits(running, error.bits)

    def capture(self, modality: Modality, data: bytes) -> Captured:
        """Have a sensor read a picture.

        Raises:
            TeeUnavailable: it does not run. Where its processes have ended the secure world is ended too, so that the
                next question starts both again.
        """
        with self._errors():
            running = self.running()
            if modality.word not in running.sensors:
                raise gone(modality)
            try:
                return running.process.capture(modality.word, data)
            except TeeError as error:
                if (error.result, error.origin) == (TeeResult.TARGET_DEAD, Origin.TEE) and running.process.alive:
                    running.close()
                raise

    def _log_bits(self, running: Running, bits: int) -> None:
        """Have a new instance of the application that keeps the log note what a request came to, if there is one."""
        with suppress(TeeError):
            session = running.session(BIOMETRIC_UUID)
            session.call(AT_START, Nothing())
            session.call(INCIDENT, ReportIncident(number=bits, cause=Cause.OVER_BUDGET))

    def renew_keys(self, *, timeout_ms: int) -> None:
        """Give every stored object a new key; goes on where it was when called again."""
        with self._errors():
            self.running().context.renew_keys(timeout_ms=timeout_ms)

    def close(self, note: Callable[[str], None]) -> None:
        """End it for good; note what was to go wrong and did not. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self.last.close()
            for silent in self.last.hooks.unfired():
                note(f"never fired: {silent}")
