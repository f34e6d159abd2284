"""One client and one device: a request's frame in, its events and its answer out, in that order. Knows no pipe."""

from collections.abc import Callable
from contextlib import suppress

from bioguard.commands.status import Nothing
from bioguard.device import Device
from bioguard.errors import BioguardError
from bioguard.hal.backend import SensorFacts
from bioguard.hal.callbacks import Callback, Restarted
from bioguard.hal.scripting import SensorScript
from bioguard.hal.service import HalService, unscripted
from bioguard.serve.v2 import wire
from bioguard.serve.v2.boot_clock import BootClock
from bioguard.serve.v2.callbacks import event_of
from bioguard.serve.v2.events import EventKind, RestartedEvent
from bioguard.serve.v2.handlers import accounts, faults, machine, sessions
from bioguard.serve.v2.handlers.service import FaultPort, Handler, ServedDevice
from bioguard.serve.v2.values import RestartKind
from bioguard.timeline_events import caller
from tee_sim.shared.clock import ClockKind
from tee_sim.shared.schema import Record

HANDLERS: dict[str, Handler] = {
    **accounts.HANDLERS,
    **machine.HANDLERS,
    **faults.HANDLERS,
    **sessions.HANDLERS,
}
"""By the name of the method."""


class Conversation:
    """All that one client asks of a device.

    Args:
        send: gets each frame that goes to the client, complete with its length.
        faults: of the running device; None where none are played.
        script: what stands at its sensors.
        note: for people; never needed by a client.
    """

    def __init__(
        self,
        device: Device,
        send: Callable[[bytes], None],
        *,
        faults: FaultPort | None = None,
        script: Callable[[SensorFacts], SensorScript] = unscripted,
        note: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._device = device
        self._send = send
        self._sequence = 0
        self._timeline = caller()
        self._boot_clock = BootClock(device)
        self._rebooting = False
        self._hal = HalService(device, self._notify, script=script)
        self._service = ServedDevice(device, self._hal, faults, note)

    @property
    def awaits_time(self) -> bool:
        """Whether time alone can bring an event: then `due` is to be called now and then."""
        return self._hal.awaits_time and self._device.running.ready.clock is not ClockKind.STEPPED

    def begin(self) -> None:
        """Say hello."""
        self._send(wire.answer(0, machine.hello(self._service, Nothing())))

    def take(self, body: bytes) -> None:
        """Carry out one request.

        Raises:
            InputRefused: no request of this version; nothing more can be understood.
        """
        frame = wire.parse_frame(body)
        self._timeline.asked(wire.method_name(frame), frame.number, wire.LENGTH_BYTES + len(body))
        code = ""
        try:
            method, request = wire.read_request(frame)
            self._hal.notice_restart()
            self._rebooting = method.name == "reboot"
            last = wire.answer(frame.number, HANDLERS[method.name](self._service, request) or Nothing())
        except BioguardError as error:
            last, code = wire.refusal(frame.number, error), error.code
        self.due()
        self._rebooting = False
        self._send(last)
        self._timeline.answered(code=code, out_bytes=len(last))

    def refuse(self, error: BioguardError) -> None:
        """Say that what came is no frame."""
        self._send(wire.refusal(0, error))

    def due(self) -> None:
        """Tell what time has brought. A secure world that has ended is started again by the next request."""
        if self._device.running.process.alive:
            with suppress(BioguardError):  # whoever asks next is told
                self._hal.tick()

    def end(self) -> None:
        """The client has gone: its sessions are closed, and nobody is told."""
        self._send = lambda _frame: None
        self._hal.client_died()

    def _notify(self, session: int, callback: Callback) -> None:
        kind, fields = self._restarted() if isinstance(callback, Restarted) else event_of(callback)
        self._sequence += 1
        self._send(wire.event(session, self._sequence, self._boot_clock.now_ms(), int(kind), fields))
        self._timeline.told(kind.name, self._sequence, session)

    def _restarted(self) -> tuple[EventKind, Record]:
        how = RestartKind.REBOOTED if self._rebooting else RestartKind.DIED
        return EventKind.RESTARTED, RestartedEvent(how=how)
