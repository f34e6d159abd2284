"""The HALs of one device: IFingerprint and IFace, their sessions by number, and what befalls them all.

    hal = HalService(device, notify)
    number = hal.create_session("alice", 0)
    hal.call(number, lambda session: session.authenticate(7))
    hal.call(number, lambda session: session.present(DeviceSample(touch)))

Callbacks come through `notify(session number, callback)` inside the calls that bring them, in order; number 0 is the
device. One thread.
"""

import time
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from bioguard.device import Device, clock
from bioguard.errors import InputRefused
from bioguard.hal.backend import SensorFacts
from bioguard.hal.callbacks import Callback, Restarted
from bioguard.hal.device_backend import DeviceBackend
from bioguard.hal.hal import HalSession, SessionHost
from bioguard.hal.scripting import SensorScript, Unscripted
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SensorProps
from tee_sim.shared.clock import ClockKind

T = TypeVar("T")
KEPT_SESSIONS = 64
"""Sessions whose numbers are known: of older ones that are over nobody can say any more how they ended."""
DEVICE = 0
"""The number under which the device itself speaks."""


def unscripted(_facts: SensorFacts) -> SensorScript:
    """A sensor that delivers what is presented."""
    return Unscripted()


class HalService:
    """All sessions of one device.

    Args:
        notify: gets the number of a session and what it is told.
        script: makes what stands at a sensor, for each session anew.
        sleep: lets time pass, in seconds, that a capture or a comparison is said to take; a stepped clock is moved.
    """

    def __init__(
        self,
        device: Device,
        notify: Callable[[int, Callback], None],
        *,
        script: Callable[[SensorFacts], SensorScript] = unscripted,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._device = device
        self._notify = notify
        self._script = script
        self._sleep = sleep
        numbers = count(1)
        self._hosts = {kind: SessionHost(numbers) for kind in Modality}
        self._sessions: dict[int, HalSession] = {}
        self._running = device.running
        self.restarts = 0
        """How often the secure world was started again."""

    def sensors(self) -> tuple[SensorProps, ...]:
        """The device's sensors, by id."""
        return self._device.configuration.sensor_table

    def create_session(self, user: str, sensor_id: int) -> int:
        """createSession; return the number of the session.

        Raises:
            InputRefused: no such sensor or user.
            SessionInUse: the HAL of this sensor has a session that is open.
        """
        self.notice_restart()
        facts = {one.sensor_id: one for one in self.sensors()}.get(sensor_id)
        if facts is None:
            raise InputRefused(
                f"there is no sensor {sensor_id}", hint="use one that hello names", code="sensor.unknown"
            )
        session = self._hosts[facts.kind].create_session(
            DeviceBackend(self._device, facts, user),
            lambda callback: self._notify(session.number, callback),
            script=self._script(facts),
            pass_ms=self._pass_ms,
        )
        self._sessions[session.number] = session
        live = {one.number for one in self._live()}  # of any age: its HAL has no other until it is closed
        recent = range(session.number - KEPT_SESSIONS + 1, session.number + 1)
        self._sessions = {number: one for number, one in self._sessions.items() if number in recent or number in live}
        return session.number

    def call(self, number: int, run: Callable[[HalSession], T]) -> T:
        """Have a session do something, and run what waited for it.

        Raises:
            InputRefused: no such session.
            SessionDead: the secure world ended while it was open.
            BackendDied: the secure world ended over this; no callback comes of it.
            BioguardError: the session refuses.
        """
        self.notice_restart()
        session = self._sessions.get(number)
        if session is None:
            raise InputRefused(f"there is no session {number}", hint="create one first", code="session.unknown")
        answer = run(session)
        session.pump()
        return answer

    def notice_restart(self) -> None:
        """Start the secure world again if it has ended, and tell of every new one: no session outlives it.

        Raises:
            TeeUnavailable, IntegrityFailure: it does not start.
        """
        if not self._device.running.process.alive:
            self._device.wake()
        if self._device.running is self._running:
            return
        how = self._running.process.how_it_ended()
        self._running = self._device.running
        self.restarts += 1
        for session in self._live():
            session.backend_died()
        self._notify(DEVICE, Restarted(how))

    def tick(self) -> None:
        """Notice what time has brought, and other callers: a new secure world, and the end of a lockout that was told.

        Call it after each request, and when `awaits_time` from time to time.
        """
        self.notice_restart()
        for session in self._live():
            session.tick()

    @property
    def awaits_time(self) -> bool:
        """Whether a session was told of a lockout that time ends, and not of its end."""
        return any(session.awaits_time for session in self._live())

    def client_died(self) -> None:
        """The caller is gone: every session is closed."""
        for session in self._live():
            session.client_died()

    def _pass_ms(self, ms: int) -> None:
        if self._device.running.ready.clock is ClockKind.STEPPED:
            clock.advance(self._device, ms)
        else:
            self._sleep(ms / 1000)

    def _live(self) -> list[HalSession]:
        return [host.live for host in self._hosts.values() if host.live is not None]
