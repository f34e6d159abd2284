"""The time of a device: what its secure world goes by, and steps of a clock that steps."""

from pathlib import Path
from typing import Protocol

from bioguard.device.asking import Asker
from bioguard.device.launch import Running
from bioguard.device.start import at_start
from bioguard.device.world import tee_errors
from bioguard.errors import InputRefused, NotPermitted
from tee_sim.shared.clock import MAX_STEP_MS, ClockKind, Moment
from tee_sim.shared.errors import TeeError, TeeResult

RANGE = "name a time from one millisecond to a thousand years, that does not end past the year 10000"


class Timed(Protocol):
    """What is needed of a `Device`."""

    @property
    def directory(self) -> Path: ...
    @property
    def ask(self) -> Asker: ...
    @property
    def running(self) -> Running: ...


def now(device: Timed) -> Moment:
    """Wall time, and the time since the device's boot."""
    at_start(device)
    with tee_errors(device.directory):
        return device.running.context.time()


def advance(device: Timed, ms: int) -> Moment:
    """Move the stepped clock forward, for good; return the time it shows then.

    Raises:
        NotPermitted: the device lives in the host's time.
        InputRefused: not a step, or past the last year that a time may have.
    """
    if type(ms) is not int or not 0 < ms <= MAX_STEP_MS:
        raise InputRefused("a clock is not advanced by that", hint=RANGE, code="clock.range")
    if device.running.ready.clock is not ClockKind.STEPPED:
        raise NotPermitted(
            "this device runs on the host's clock: it is not advanced",
            hint="make a device with a stepped one: bioguard device init --clock fixed:2026-01-31T12:00:00Z",
            code="clock.host",
        )
    at_start(device)  # what was over before this step is judged by the time before it
    with tee_errors(device.directory):
        try:
            return device.running.context.advance_clock(ms)
        except TeeError as error:
            if error.result is not TeeResult.BAD_PARAMETERS:
                raise
            raise InputRefused("the clock does not reach that far", hint=RANGE, code="clock.range") from error
