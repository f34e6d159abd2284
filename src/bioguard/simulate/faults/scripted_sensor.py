"""The knobs as a sensor in front of a session: one code for the virtual HAL and for a device.

They differ in what a sample is, an id or features, and in where captures are counted: that comes in as `Played`.
"""

from collections.abc import Iterator
from typing import Protocol

from bioguard.hal.aidl_codes import ErrorCode
from bioguard.hal.callbacks import OperationError
from bioguard.hal.enrollment import Pose
from bioguard.hal.scripting import Capture, Waiting
from bioguard.records.modality import Modality
from bioguard.simulate.faults.presentation import SensorScript, Who, forced_error
from bioguard.simulate.knobs.grammar import NextEnrollment, acquired_code, next_enrollment
from bioguard.simulate.knobs.properties import SensorProperties

_UNABLE = OperationError(ErrorCode.UNABLE_TO_PROCESS)
_NOBODY = OperationError(ErrorCode.TIMEOUT)


class Played(Protocol):
    """What the script of one sensor plays on."""

    @property
    def knobs(self) -> SensorProperties: ...

    @property
    def plays_whole_enrollments(self) -> bool:
        """Whether one presentation plays every step of an enrollment, or one."""
        ...

    def next(self) -> SensorScript:
        """The script of the next capture; counts it."""
        ...

    def enrollment(self) -> NextEnrollment | None:
        """The enrollment to play where no knob scripts one; None: as the caller asks."""
        ...

    def codes(self) -> tuple[int, ...] | None:
        """What an attempt acquires where no knob says; None: as its sample is judged."""
        ...

    def nobody(self) -> bool:
        """Whether nobody is in front of the sensor."""
        ...

    def delivered(self, sample: object | None, who: Who, script: SensorScript) -> object | None:
        """The sample as the sensor delivers it."""
        ...

    def capture_ms(self) -> int:
        """How long the sensor takes for a capture, drawn anew."""
        ...

    def match_ms(self) -> int:
        """How long a comparison takes, drawn anew."""
        ...

    def forget(self, knob: str) -> None:
        """Put a knob back that was played to its end."""
        ...


class ScriptedSensor:
    """`bioguard.hal.scripting.SensorScript` by the knobs of one sensor."""

    def __init__(self, kind: Modality, played: Played) -> None:
        self._kind = kind
        self._played = played
        self._touches = 0
        self._taken = 0
        self._begun = False

    def _script(self) -> NextEnrollment | None:
        text = self._played.knobs.text("next_enrollment")
        return next_enrollment(text) if text else self._played.enrollment()

    def touches(self, asked: int) -> int:
        """As many as the script has steps."""
        script = self._script()
        self._touches, self._taken, self._begun = len(script.steps) if script else asked, 0, False
        return self._touches

    def enrollment_ended(self) -> None:
        """The script is over: the next enrollment has its own."""
        self._played.forget("next_enrollment")

    def locked(self) -> bool:
        """The sensor's own lockout."""
        return self._played.knobs.flag("lockout")

    def lockout_cleared(self) -> None:
        """The sensor's own lockout ends with the real one."""
        self._played.forget("lockout")

    def captures(self, waiting: Waiting, sample: object | None, pose: Pose | None) -> Iterator[Capture]:
        """What one presentation gives."""
        if waiting is Waiting.ENROLL:
            yield self._enrolling(sample, pose)
            while self._played.plays_whole_enrollments and self._taken < self._touches:
                yield self._enrolling(sample, pose)
        elif waiting is Waiting.AUTHENTICATE:
            yield self._attempt(sample, pose)
        else:
            yield self._detecting(sample, pose)

    def _attempt(self, sample: object | None, pose: Pose | None) -> Capture:
        if self.locked():
            return Capture((), error=OperationError(ErrorCode.HW_UNAVAILABLE), locked=True)
        script = self._played.next()
        shown = script.present(Waiting.AUTHENTICATE.value, self._played.codes())
        error = shown.error or (_NOBODY if self._played.nobody() else None)
        seen = None if error else self._played.delivered(sample, shown.who, script)
        comparable = shown.comparable if shown.acquired else None
        delay_ms = shown.delay_ms + self._played.capture_ms()
        match_ms = self._played.match_ms() if comparable is not False else 0
        return Capture(shown.acquired or None, seen, error, pose, comparable, delay_ms, match_ms)

    def _detecting(self, sample: object | None, pose: Pose | None) -> Capture:
        shown = self._played.next().present(Waiting.DETECT_INTERACTION.value)
        nobody = self._played.knobs.flag("operation_detect_interaction_fails")
        error = _NOBODY if nobody else shown.error
        delay_ms = shown.delay_ms + self._played.capture_ms()
        return Capture(shown.acquired, sample, error, pose, shown.comparable, delay_ms)

    def _enrolling(self, sample: object | None, pose: Pose | None) -> Capture:
        knobs, plan, script = self._played.knobs, self._script(), self._played.next()
        step = plan.steps[self._taken] if plan and self._taken < len(plan.steps) else None
        delay_ms = 0 if self._begun else script.delay_ms(Waiting.ENROLL.value)
        self._begun = True
        last = self._taken >= self._touches - 1
        fails = knobs.flag("operation_enroll_fails") or (plan is not None and not plan.succeeds)
        error = forced_error(knobs.number("operation_enroll_error")) or (_UNABLE if last and fails else None)
        if error is not None:
            return Capture((), error=error, delay_ms=delay_ms)
        codes = tuple(acquired_code(c, self._kind) for c in step.codes) if step else None
        quality = script.next_quality()
        usable = quality is None or script.is_good(quality)
        if usable:
            self._taken += 1
        presented = sample if sample is not None or plan is None else plan.enrollment_id or -1
        seen = (
            self._played.delivered(presented, script.who(Waiting.ENROLL.value), script)
            if sample is not None
            else presented
        )
        delay_ms += (step.duration_ms if step else 0) + self._played.capture_ms()
        comparable = None if codes is None and quality is None else usable
        return Capture(quality or codes, seen, None, pose, comparable, delay_ms)
