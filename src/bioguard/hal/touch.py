"""What lies on a sensor, and when it is captured.

A sensor at the back or side captures at once. One under the display waits until the display lights the finger
(onUiReady), unless it does that itself (halControlsIllumination), and until it knows of the touch (onPointerDown),
unless it sees touches itself (halHandlesDisplayTouches).
"""

from bioguard.hal.backend import SensorFacts
from bioguard.hal.enrollment import Pose
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Lying:
    """What a person holds to the sensor."""

    sample: object | None
    pose: Pose | None = None


class Touch:
    """One sensor's surface."""

    def __init__(self, facts: SensorFacts) -> None:
        self._facts = facts
        self._lying: Lying | None = None
        self._down = False
        self._lit = False
        self.ignored = False
        """Whether touches of the display mean nothing now (setIgnoreDisplayTouches, isHardwareIgnoringTouches)."""

    @property
    def at_once(self) -> bool:
        """Whether what is presented is captured without waiting for anything."""
        return not self._facts.under_display

    def lay(self, what: Lying) -> None:
        """Somebody touches."""
        self._lying = what

    def pointer_down(self) -> None:
        """onPointerDown."""
        self._down = True

    def ready(self) -> None:
        """onUiReady."""
        self._lit = True

    def lift(self) -> bool:
        """The finger is away; whether it lay there uncaptured."""
        there = self._lying is not None
        self._lying, self._down, self._lit = None, False, False
        return there

    def captured(self) -> Lying | None:
        """What is captured now, once; None while something is missing."""
        facts = self._facts
        seen = self.at_once or (
            not self.ignored
            and (self._down or facts.handles_display_touches)
            and (self._lit or facts.controls_illumination)
        )
        if self._lying is None or not seen:
            return None
        lying = self._lying
        self.lift()
        return lying
