"""The biometric application that takes one sensor for another, with one bug each."""

from dataclasses import replace
from unittest.mock import patch

from bioguard.commands.biometric import Judged
from bioguard.commands.status import ReplyStatus
from bioguard.records.acquired import AcquiredCode
from bioguard.records.features import FaceEmbedding
from bioguard.records.locks import AttemptOutcome
from bioguard.records.strength import SensorStrength
from bioguard.trusted.biometric.stored_objects import UserState
from bioguard.trusted.sensor.authorization import SensorAuthorization
from bioguard.trusted.sensor.challenges import ChallengeTable
from bioguard.trusted.sensor.lockout import CLEAR
from tests.evidence.attack.vulnerable.biometric import Buggy


class RecordsOfTheKind(Buggy):
    """Compares a claim with whatever of the user is of the sample's kind."""

    FINDS = ("sensor.other-record",)

    def _authenticate(self, request):
        with patch.object(UserState, "of", lambda state, _sensor_id: list(state.records)):
            return super()._authenticate(request)


class _ChallengesOfTheUser(SensorAuthorization):
    def allow_enrollment(self, sensor_id, user, token, *, enrollments):
        live = [one for (_, owner), table in self._challenges.items() if owner == user for one in table.live]
        self._challenges[sensor_id, user] = ChallengeTable(tuple(live))
        return super().allow_enrollment(sensor_id, user, token, enrollments=enrollments)


class ChallengesOfTheUser(Buggy):
    """A challenge of any sensor of the user will do."""

    FINDS = ("sensor.other-challenge",)
    AUTHORITY = _ChallengesOfTheUser


class _OneLock(SensorAuthorization):
    def settlement(self, attempt, outcome, operation_id):
        settlement = super().settlement(attempt, outcome, operation_id)
        for sensor_id in self._sensors if outcome is AttemptOutcome.MATCH else ():
            state = self._states.load(sensor_id, attempt.user)
            self._states.save(sensor_id, attempt.user, replace(state, lockout=CLEAR))
        return settlement


class MatchClearsAll(Buggy):
    """A match on one sensor ends the user's locks on all."""

    FINDS = ("sensor.other-lock",)
    AUTHORITY = _OneLock


class AllStrong(Buggy):
    """Takes every sensor for a strong one."""

    FINDS = ("sensor.weak-token",)

    def plant(self) -> None:
        super().plant()
        sensors = self._sensors.authority._sensors
        self._sensors.authority._sensors = {
            sensor_id: replace(props, strength=SensorStrength.STRONG) for sensor_id, props in sensors.items()
        }


class _AnySwitch(SensorAuthorization):
    def set_feature(self, sensor_id, user, token, feature, *, enabled):
        with patch.object(type(self), "_owner_token", lambda *_: None):
            super().set_feature(sensor_id, user, token, feature, enabled=enabled)


class AnySwitch(Buggy):
    """Switches a feature for whoever asks."""

    FINDS = ("sensor.feature",)
    AUTHORITY = _AnySwitch


class RoomFirst(Buggy):
    """Says that there is no room before it asks who wants to know."""

    FINDS = ("sensor.prepared",)

    def _prepare_enrollment(self, request):
        self._vault.room_for(self._vault.user(request.user), self._vault.sensor(request.sensor))
        return super()._prepare_enrollment(request)


class JudgesByRecords(Buggy):
    """Calls what is enrolled already immobile."""

    FINDS = ("sensor.judged",)

    def _judge_sample(self, request):
        probe = FaceEmbedding.from_bytes(request.samples[-1]).vector
        for record_id in self._vault.record_ids():
            views = self._vault.open_record(record_id)[1].views
            if max(float(probe @ FaceEmbedding.from_bytes(view).vector) for view in views) > 0.6:
                return Judged(status=ReplyStatus.OK, acquired=AcquiredCode.IMMOBILE)
        return super()._judge_sample(request)


VARIANTS = [c for c in list(globals().values()) if isinstance(c, type) and "FINDS" in vars(c)]
