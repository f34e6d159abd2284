"""The biometric application with one bug each in what it makes of time."""

from dataclasses import replace
from unittest.mock import patch

from bioguard.trusted.biometric import app as ours
from bioguard.trusted.biometric.app import BiometricApp
from bioguard.trusted.biometric.gallery_index import GalleryIndex
from bioguard.trusted.policy.audit_log import AuditLog, LogClock
from bioguard.trusted.policy.enforcement import PolicyEnforcer
from tee_sim.shared.clock import Moment


class Dated(BiometricApp):
    """Puts a buggy part into the application before it starts."""

    POLICY: type[PolicyEnforcer] = PolicyEnforcer
    LOG: type[AuditLog] = AuditLog
    CLOCK: type[LogClock] = LogClock

    def create(self, env) -> None:
        with patch.multiple(ours, PolicyEnforcer=self.POLICY, AuditLog=self.LOG, LogClock=self.CLOCK):
            super().create(env)


class BelievesEveryClock(Dated):
    """Erases whatever is over by the clock."""

    FINDS = ("date.clock-forward", "date.clock-forward-running", "date.forgotten-log")

    class POLICY(PolicyEnforcer):
        def _due(self, now_ms):
            return lambda end_ms: end_ms <= now_ms


class LooksAtStartsOnly(Dated):
    """Knows what was skipped before the start, and not what is skipped after it."""

    FINDS = ("date.clock-forward-running",)

    class POLICY(PolicyEnforcer):
        def _due(self, now_ms):
            return super()._due(min(now_ms, self.state.looked_ms)) if self._started else super()._due(now_ms)

        def purge(self, *, confirmed=False):
            if self._started:
                self._state = replace(self.state, looked_ms=self.log.now_ms(), next_expiry_ms=0)
            return super().purge(confirmed=confirmed)


class StampsByTheHost(Dated):
    """Stamps enrollments with the host's clock."""

    FINDS = ("date.worthless-enrollment",)

    CLOCK = staticmethod(lambda clock, _log: clock)


class _Host(AuditLog):
    def _now(self):
        return Moment(wall_ms=self._clock.wall_ms(), boot_ms=self._clock.boot_ms())


class _BehindNothing(AuditLog):
    def _now(self):
        return Moment(wall_ms=max(self._clock.wall_ms(), self.head.last_ms), boot_ms=self._clock.boot_ms())


class GoesBack(Dated):
    """Goes by the wall clock."""

    FINDS = ("date.revived-grant", "date.stretched-grant", "date.stretched-retention")

    LOG = _Host


class StandsStill(Dated):
    """Does not go back behind the log, and does not go on where the wall clock was set back."""

    FINDS = ("date.stretched-grant", "date.stretched-retention")

    LOG = _BehindNothing


class UsesWhatIsOver(Dated):
    """Erases what is over, and uses it until then."""

    FINDS = ("date.used-after-its-time",)

    class POLICY(PolicyEnforcer):
        def is_over(self, enrolled_s):
            return False


class FindsWhatIsOver(Dated):
    """Looks at the retention when the gallery is built."""

    FINDS = ("date.used-after-its-time",)

    def _index(self, modality):
        with patch.object(GalleryIndex, "retire", lambda *_: None):
            return super()._index(modality)


VARIANTS = [
    BelievesEveryClock, LooksAtStartsOnly, StampsByTheHost, GoesBack, StandsStill, UsesWhatIsOver, FindsWhatIsOver,
]  # fmt: skip
