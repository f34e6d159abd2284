"""The biometric application with one bug each in whom it enrolls and whom it believes to be the owner."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np

from bioguard.commands.biometric import AcquiredCode
from bioguard.commands.status import ReplyStatus
from bioguard.match.thresholds import threshold_for_fmr
from bioguard.records.scores import Score
from bioguard.records.tokens import TokenUnusable
from bioguard.trusted.biometric import app
from bioguard.trusted.biometric.samples import judge_samples, refuse_flawed
from bioguard.trusted.refusal import Refused
from bioguard.trusted.sensor import authorization
from bioguard.trusted.sensor.authorization import SensorAuthorization
from vulnerable.biometric import Buggy, _anybody


class _OldRule(SensorAuthorization):
    def allow_enrollment(self, sensor_id, user, token, *, enrollments):
        if not token and not self._states.load(sensor_id, user).secure_user_id and self._allow_unbound:
            return None
        return super().allow_enrollment(sensor_id, user, token, enrollments=enrollments)


class OwnerByEnrollment(Buggy):
    """Lets in who comes first: a user has a PIN only once something is enrolled with it on this sensor."""

    FINDS = ("enroll.first", "enroll.pin-set-later", "enroll.other-sensor")
    AUTHORITY = _OldRule


class _GatekeeperOnly(SensorAuthorization):
    def _refuse_owned(self, user):
        if self._pins(user).has_pin:
            raise TokenUnusable
        if not self._allow_unbound:
            raise TokenUnusable(authorization.Denial.NO_PIN)


class ForgetsWithGatekeeper(Buggy):
    """A user whose PIN was deleted never had one."""

    FINDS = ("enroll.pin-deleted",)
    AUTHORITY = _GatekeeperOnly


class AnybodyWithoutPin(Buggy):
    """Forgets that the device wants a PIN."""

    FINDS = ("enroll.without-pin",)

    def plant(self) -> None:
        super().plant()
        self._sensors.authority._allow_unbound = True


class AnyPin(Buggy):
    """A PIN token is one, whosever it is."""

    FINDS = ("enroll.other-pin-first", "enroll.old-pin", "consent.other-pin")

    def plant(self) -> None:
        super().plant()
        self._sensors.authority._pins = self._policy._pins = _anybody


class ConsentOfNobody(Buggy):
    """Consents are bound by a PIN that was shown for them, not by the one that enrolled."""

    FINDS = ("consent.without-pin",)

    def plant(self) -> None:
        super().plant()
        self._policy._owner = lambda _user: 0


class _Judging(Buggy):
    """Another gate for samples and probes."""

    JUDGE = staticmethod(judge_samples)
    REFUSE = staticmethod(refuse_flawed)

    def _enroll(self, request):
        with patch.object(app, "judge_samples", self.JUDGE):
            return super()._enroll(request)

    def _authenticate(self, request):
        with patch.object(app, "refuse_flawed", self.REFUSE):
            return super()._authenticate(request)

    def _identify(self, request):
        with patch.object(app, "refuse_flawed", self.REFUSE):
            return super()._identify(request)


def _good(samples, _profile):
    return ReplyStatus.OK, tuple(AcquiredCode.GOOD for _ in samples)


class FacesUnjudged(_Judging):
    """Leaves the quality of faces to their extractor."""

    FINDS = (
        "enroll.second-person",
        "enroll.equal-views",
        "enroll.not-centered",
        "enroll.constant",
        "enroll.dimension-refused",
    )
    JUDGE = staticmethod(_good)


def _each_near_another(samples, profile):
    rows = np.stack([sample.vector for sample in samples])
    scores = rows @ rows.T
    threshold = threshold_for_fmr(1e-3, profile=profile, score=Score.COSINE)
    np.fill_diagonal(scores, -1)
    near = len(rows) == 1 or (scores.max(axis=1) >= threshold).all()
    return (ReplyStatus.OK if near else ReplyStatus.INCONSISTENT_SAMPLES), ()


class NeighborsOnly(_Judging):
    """Each view must be near some other: two people with two views each are."""

    FINDS = ("enroll.second-person", "enroll.equal-views")
    JUDGE = staticmethod(_each_near_another)


class OnlyTheFirstView(_Judging):
    """Looks at the first view only."""

    FINDS = ("enroll.second-person", "enroll.equal-views")
    JUDGE = staticmethod(lambda samples, profile: judge_samples(samples[:1], profile))


class ProbesUnjudged(_Judging):
    """What is too bad to enroll is good enough to show."""

    FINDS = ("match.not-centered",)
    REFUSE = staticmethod(lambda _probe, _profile: None)


class DimensionFirst(Buggy):
    """Writes the first dimension down before the enrollment is known to succeed."""

    FINDS = ("enroll.dimension-refused",)

    def _dimension_of(self, samples, replaces):
        dimension = super()._dimension_of(samples, replaces)
        self._vault._state = replace(self._vault.state, face_dimension=self._vault.state.face_dimension or dimension)
        self._vault.refuse_other_dimension = self._pinned
        return dimension

    def _pinned(self, dimension, _replaces):
        if dimension != self._vault.state.face_dimension:
            raise Refused(ReplyStatus.WRONG_DIMENSION)


class DimensionForEver(Buggy):
    """The first face decides for the life of the device."""

    FINDS = ("enroll.dimension-erased",)

    def _dimension_of(self, samples, replaces):
        if self._vault.state.face_dimension not in (0, len(samples[0])):
            raise Refused(ReplyStatus.WRONG_DIMENSION)
        return super()._dimension_of(samples, replaces)


class AnyDimension(Buggy):
    """Compares whatever is shown."""

    FINDS = ("match.dimension",)

    def _refuse_other_model(self, probe, model) -> None: ...


VARIANTS = [c for c in list(globals().values()) if isinstance(c, type) and "FINDS" in vars(c)]
