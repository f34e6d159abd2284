"""The device's time since its boot, for the events: that of its tokens."""

from contextlib import suppress

from bioguard.device import Device
from bioguard.device.launch import Running
from bioguard.device.world import tee_errors
from bioguard.errors import BioguardError
from tee_sim.shared.clock import ClockKind, SystemClock

_READINGS = 5
"""Enough to meet one during which the host's clock stays in its millisecond."""


class BootClock:
    """Asks the secure world at each event on a stepped clock, and once for each start on the host's.

    There the secure world's time is the host's, less a number that is fixed at the boot.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._host = SystemClock()
        self._running: Running | None = None
        self._began_ms = 0
        self._last_ms = 0

    def now_ms(self) -> int:
        """Since the boot; what it was last where nobody can be asked."""
        running = self._device.running
        if running.ready.clock is ClockKind.STEPPED:
            self._last_ms = self._asked(running)
            return self._last_ms
        if running is not self._running:
            self._began_ms = self._began(running)
            self._running = running
        return self._host.boot_ms() - self._began_ms

    def _asked(self, running: Running) -> int:
        with suppress(BioguardError), tee_errors(self._device.directory):
            return running.context.time().boot_ms
        return self._last_ms

    def _began(self, running: Running) -> int:
        for _ in range(_READINGS):
            before = self._host.boot_ms()
            asked = self._asked(running)
            if self._host.boot_ms() == before:
                break
        return before - asked
