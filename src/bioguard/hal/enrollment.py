"""Enrollment step by step: touches of a finger, or the stages and cells of a face seen from several angles.

Face: yaw is "pan", pitch is "tilt", both from -1 to 1 as BaseFrame.aidl recommends. A cell is a place in a 3 x 3
grid of poses; a stage is done when all its cells are. Stages: face/EnrollmentStage.aidl.
"""

from dataclasses import dataclass, replace

from bioguard.errors import InputRefused
from bioguard.hal.aidl_codes import EnrollmentStage, EnrollmentType, FaceAcquired

EDGE = 0.33
"""Poses nearer to the center than this are the center: a third of the recommended range each way."""
TOO_EXTREME = 0.9
"""Beyond this the features of one side are hidden."""
ROLL_LIMIT = 0.6


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """face/Cell.aidl; ours are -1, 0 or 1 in each direction."""

    x: int
    y: int
    z: int = 0


CENTER = Cell(0, 0)


@dataclass(frozen=True, slots=True)
class StageConfig:
    """face/EnrollmentStageConfig.aidl."""

    stage: EnrollmentStage
    cells: tuple[Cell, ...]


def enrollment_config(kind: EnrollmentType) -> tuple[StageConfig, ...]:
    """getEnrollmentConfig: stages and the cells each must complete. ACCESSIBILITY asks for no movement."""
    center = StageConfig(EnrollmentStage.HOLD_STILL_IN_CENTER, (CENTER,))
    if kind is EnrollmentType.ACCESSIBILITY:
        return (center,)
    return (
        center,
        StageConfig(EnrollmentStage.ENROLLING_MOVEMENT_1, (Cell(-1, 0), Cell(1, 0))),
        StageConfig(EnrollmentStage.ENROLLING_MOVEMENT_2, (Cell(0, -1), Cell(0, 1))),
    )


@dataclass(frozen=True, slots=True)
class Pose:
    """How a face looks at the sensor, each from -1 to 1.

    Raises:
        InputRefused: outside that range.
    """

    pan: float = 0.0
    tilt: float = 0.0
    roll: float = 0.0

    def __post_init__(self) -> None:
        if not all(-1.0 <= v <= 1.0 for v in (self.pan, self.tilt, self.roll)):
            raise InputRefused("a pose is outside -1..1", hint="normalize pan, tilt and roll", code="capture.pose")

    def cell(self) -> Cell:
        """The grid cell of the pose."""
        return Cell(_third(self.pan), _third(self.tilt))

    def problem(self) -> FaceAcquired | None:
        """Why this pose cannot be used at all."""
        for value, limit, code in (
            (self.pan, TOO_EXTREME, FaceAcquired.PAN_TOO_EXTREME),
            (self.tilt, TOO_EXTREME, FaceAcquired.TILT_TOO_EXTREME),
            (self.roll, ROLL_LIMIT, FaceAcquired.ROLL_TOO_EXTREME),
        ):
            if abs(value) > limit:
                return code
        return None


def _third(value: float) -> int:
    return 0 if abs(value) < EDGE else (1 if value > 0 else -1)


@dataclass(frozen=True, slots=True)
class PoseFrame:
    """What one frame led to; `used` when its sample belongs to the enrollment."""

    info: FaceAcquired
    stage: EnrollmentStage
    cell: Cell | None
    used: bool


@dataclass(frozen=True, slots=True)
class TouchProgress:
    """A fixed number of good captures."""

    remaining: int

    def good(self) -> "TouchProgress":
        """One capture less to go."""
        return TouchProgress(self.remaining - 1)


@dataclass(frozen=True, slots=True)
class FaceProgress:
    """Which cells are done."""

    stages: tuple[StageConfig, ...]
    done: frozenset[Cell] = frozenset()

    @property
    def remaining(self) -> int:
        """Cells still to do."""
        return len({c for s in self.stages for c in s.cells} - self.done)

    @property
    def stage(self) -> StageConfig:
        """The first stage with an open cell."""
        for config in self.stages:
            if set(config.cells) - self.done:
                return config
        return StageConfig(EnrollmentStage.ENROLLMENT_FINISHED, ())

    def accept(self, pose: Pose, info: FaceAcquired) -> tuple["FaceProgress", PoseFrame]:
        """Take one frame: the next progress, and what the sensor shows."""
        stage = self.stage
        problem = info if info is not FaceAcquired.GOOD else pose.problem()
        if problem is not None:
            waiting = stage.stage
            if problem is FaceAcquired.FIRST_FRAME_RECEIVED:
                waiting = EnrollmentStage.FIRST_FRAME_RECEIVED
            elif problem is FaceAcquired.NOT_DETECTED:
                waiting = EnrollmentStage.WAITING_FOR_CENTERING
            return self, PoseFrame(problem, waiting, None, used=False)
        cell = pose.cell()
        if cell in self.done:
            return self, PoseFrame(FaceAcquired.TOO_SIMILAR, stage.stage, cell, used=False)
        if cell not in stage.cells:
            return self, PoseFrame(FaceAcquired.TOO_DIFFERENT, stage.stage, cell, used=False)
        after = replace(self, done=self.done | {cell})
        shown = after.stage.stage if after.remaining == 0 else stage.stage
        return after, PoseFrame(FaceAcquired.GOOD, shown, cell, used=True)
