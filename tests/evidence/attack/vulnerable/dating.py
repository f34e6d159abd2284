"""The biometric application with one bug each in what it makes of time."""

from dataclasses import replace
from unittest.mock import patch

from bioguard.trusted.biometric import app as ours
from bioguard.trusted.biometric.app import BiometricApp
from bioguard.trusted.biometric.gallery_index import GalleryIndex
from bioguard.trusted.policy.audit_log import AuditLog
from bioguard.trusted.policy.enforcement import PolicyEnforcer
from tee_sim.shared.clock import Moment


class Dated(BiometricApp):
    """Puts a buggy desk into the application before it starts."""

    DESK: type[PolicyEnforcer] = PolicyEnforcer

    def create(self, env) -> None:
        with patch.object(ours, "PolicyEnforcer", self.DESK):
            super().create(env)


class BelievesEveryClock(Dated):
    """Erases whatever is over by the clock."""

    FINDS = ("date.clock-forward", "date.clock-forward-running", "date.forgotten-log")

    class DESK(PolicyEnforcer):
        def _due(self, now_ms):
            return lambda end_ms: end_ms <= now_ms


class LooksAtStartsOnly(Dated):
    """Knows what was skipped before the start, and not what is skipped after it."""

    FINDS = ("date.clock-forward-running",)

    class DESK(PolicyEnforcer):
        def _due(self, now_ms):
            return super()._due(min(now_ms, self.state.looked_ms)) if self._started else super()._due(now_ms)

        def purge(self, *, confirmed=False):
            if self._started:
                self.state = replace(self.state, looked_ms=self.journal.now_ms(), next_expiry_ms=0)
            return super().purge(confirmed=confirmed)


class StampsByTheHost(Dated):
    """Stamps enrollments with the host's clock."""

    FINDS = ("date.worthless-enrollment",)

    class DESK(PolicyEnforcer):
        def __init__(self, env) -> None:
            super().__init__(env)
            self.env = replace(self.env, clock=env.clock)


class _Host(AuditLog):
    def _now(self):
        return Moment(wall_ms=self._clock.wall_ms(), boot_ms=self._clock.boot_ms())


class _BehindNothing(AuditLog):
    def _now(self):
        return Moment(wall_ms=max(self._clock.wall_ms(), self.head.last_ms), boot_ms=self._clock.boot_ms())


class GoesBack(Dated):
    """Goes by the wall clock."""

    FINDS = ("date.revived-grant", "date.stretched-grant", "date.stretched-retention")

    class DESK(PolicyEnforcer):
        def __init__(self, env) -> None:
            super().__init__(env)
            self.journal.__class__ = _Host


class StandsStill(Dated):
    """Does not go back behind the log, and does not go on where the wall clock was set back."""

    FINDS = ("date.stretched-grant", "date.stretched-retention")

    class DESK(PolicyEnforcer):
        def __init__(self, env) -> None:
            super().__init__(env)
            self.journal.__class__ = _BehindNothing


class UsesWhatIsOver(Dated):
    """Erases what is over, and uses it until then."""

    FINDS = ("date.used-after-its-time",)

    class DESK(PolicyEnforcer):
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
