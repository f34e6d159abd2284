"""A virtual HAL's sensor: what decides about ids, and what is played where no knob says otherwise."""

from bioguard.errors import InputRefused, NotPermitted
from bioguard.hal.backend import Matched, NotMatched, Outcome
from bioguard.records.acquired import AcquiredCode
from bioguard.records.locks import AttemptOutcome, LockStatus
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SensorProps
from bioguard.simulate.faults.presentation import SensorScript, Who
from bioguard.simulate.knobs.grammar import (
    FACE_DEFAULT_ENROLLMENT,
    EnrollmentStep,
    NextEnrollment,
    next_enrollment,
)
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.virtual_hal.virtual_hal_state import ForcedRng, IdTemplates
from bioguard.trusted.sensor.authorization import SensorAuthorization

FACE_SEEN = (21, 24, 3, 3, 3, 3, 1, 1)
FACE_NOT_SEEN = (21, 24, *[12] * 56)
"""The face HAL's own default frames: START, FIRST_FRAME_RECEIVED, then TOO_BRIGHT and GOOD, or NOT_DETECTED."""
FINGERPRINT_DEFAULT_STEPS = (EnrollmentStep(100), EnrollmentStep(100), EnrollmentStep(100))


class IdBackend:
    """`bioguard.hal.backend.SensorBackend` whose samples are ids; the rules are the trusted application's own."""

    def __init__(
        self,
        authority: SensorAuthorization,
        templates: IdTemplates,
        facts: SensorProps,
        user: bytes,
        *,
        knobs: SensorProperties,
        rng: ForcedRng,
    ) -> None:
        self.facts = facts
        self._authority = authority
        self._templates = templates
        self._user = user
        self._knobs = knobs
        self._rng = rng

    @property
    def _sensor(self) -> int:
        return self.facts.sensor_id

    def enrollment_ids(self) -> tuple[int, ...]:
        return self._templates.ids(self._user)

    def generate_challenge(self) -> int:
        """The `challenge` knob decides its value once."""
        forced = self._knobs.number("challenge")
        if forced:
            self._rng.force(forced)
        return self._authority.generate_challenge(self._sensor, self._user)

    def revoke_challenge(self, challenge: int) -> None:
        self._authority.revoke_challenge(self._sensor, self._user, challenge)

    def prepare_enrollment(self, token: bytes) -> int:
        ids = self.enrollment_ids()
        self._authority.allow_enrollment(self._sensor, self._user, token, enrollments=len(ids))
        if len(ids) >= self.facts.max_enrollments:
            raise NotPermitted("the user has as many as allowed", hint="remove one", code="enroll.user_full")
        text = self._knobs.text("next_enrollment")
        wanted = next_enrollment(text).enrollment_id if text else max(ids, default=0) + 1
        if wanted in ids:
            raise InputRefused("the id is enrolled already", hint="script another one", code="fault.value")
        return wanted

    def see(self, presented: object) -> object:
        return presented

    def judge(self, earlier: tuple[object, ...], sample: object) -> AcquiredCode:
        if self._templates.match(self._user, sample):
            raise NotPermitted("this id is enrolled", hint="present another", code="enroll.duplicate_finger")
        return AcquiredCode.GOOD

    def enroll(self, token: bytes, samples: tuple[object, ...], position: int) -> int:
        ids = self.enrollment_ids()
        wanted = self.prepare_enrollment(token)
        seen = self._authority.allow_enrollment(self._sensor, self._user, token, enrollments=len(ids))
        state = self._authority.enrolled(self._sensor, self._user, seen, enrollments=len(ids))
        self._templates.add(self._user, wanted, state)
        return wanted

    def authenticate(self, sample: object, operation_id: int) -> Outcome:
        attempt = self._authority.begin_attempt(self._sensor, self._user)
        if isinstance(attempt, LockStatus):
            return attempt
        found = self._templates.match(self._user, sample)
        outcome = AttemptOutcome.MATCH if found else AttemptOutcome.NO_MATCH
        token = self._authority.settle_attempt(attempt, outcome, operation_id)
        return Matched(found, token) if found else NotMatched()

    def lock_status(self) -> LockStatus:
        return self._authority.lock_status(self._sensor, self._user)

    def reset_lockout(self, token: bytes) -> None:
        self._authority.reset_lockout(self._sensor, self._user, token)

    def authenticator_id(self) -> int:
        return self._authority.authenticator_id(self._sensor, self._user, enrollments=len(self.enrollment_ids()))

    def invalidate(self) -> int:
        return self._authority.invalidate(self._sensor, self._user, enrollments=len(self.enrollment_ids()))

    def remove(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        return self._templates.remove(self._user, ids)

    def features(self) -> frozenset[int]:
        self._require_enrolled()
        return frozenset(self._authority.features(self._sensor, self._user))

    def set_feature(self, token: bytes, feature: int, enabled: bool) -> None:
        self._require_enrolled()
        self._authority.set_feature(self._sensor, self._user, token, feature, enabled=enabled)

    def _require_enrolled(self) -> None:
        if not self.enrollment_ids():
            raise InputRefused("nothing is enrolled", hint="enroll first", code="match.not_enrolled")


class PlayedIds:
    """`bioguard.simulate.faults.scripted_sensor.Played` of a virtual HAL."""

    plays_whole_enrollments = True

    def __init__(self, kind: Modality, knobs: SensorProperties, rng: ForcedRng) -> None:
        self.knobs = knobs
        self._kind = kind
        self._script = SensorScript(kind, knobs, rng)

    def next(self) -> SensorScript:
        return self._script

    def enrollment(self) -> NextEnrollment:
        if self._kind is Modality.FACE:
            return next_enrollment(FACE_DEFAULT_ENROLLMENT)
        return NextEnrollment(0, FINGERPRINT_DEFAULT_STEPS, succeeds=True)

    def codes(self) -> tuple[int, ...]:
        if self._kind is Modality.FINGERPRINT:
            return (1,)
        return FACE_NOT_SEEN if self.nobody() else FACE_SEEN

    def nobody(self) -> bool:
        return self._kind is Modality.FACE and self.knobs.number("enrollment_hit") == 0

    def delivered(self, sample: object | None, who: Who, script: SensorScript) -> object:
        known = who is Who.GENUINE and not script.noise_hides_id()
        return self.knobs.number("enrollment_hit") if known else 0

    def capture_ms(self) -> int:
        return 0

    def match_ms(self) -> int:
        return 0

    def forget(self, knob: str) -> None:
        self.knobs.clear(knob)
