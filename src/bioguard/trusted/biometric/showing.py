"""Answer what may be known outside: what the device is, and its records. No feature of a person is in any answer."""

from bisect import bisect_right
from collections.abc import Callable, Iterable

from bioguard.commands import biometric as commands
from bioguard.commands.configuration import SHOW_CONFIGURATION, Configured, ModelSummary, SensorSummary
from bioguard.commands.status import Nothing, ReplyStatus
from bioguard.records.modality import Modality
from bioguard.trusted.biometric.stored_objects import record_object
from bioguard.trusted.biometric.vault import Vault
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command, Platform, Store


class Showing:
    """Commands that change nothing.

    Args:
        now_ms: the time that the rules go by.
        platform: says what the sensors that run have said of themselves.
    """

    def __init__(self, store: Store, vault: Vault, now_ms: Callable[[], int], platform: Platform) -> None:
        self._store = store
        self._vault = vault
        self._now_ms = now_ms
        self._running = dict(platform.extractors)

    def handlers(self) -> Iterable[tuple[Command, Callable[..., Record]]]:  # type: ignore[type-arg]
        """Each command with what answers it."""
        yield SHOW_CONFIGURATION, self.configuration
        yield commands.LIST, self.page
        yield commands.SHOW, self.record

    def configuration(self, _request: Nothing) -> Configured:
        """What the device is."""
        state = self._vault.state
        return Configured(
            status=ReplyStatus.OK,
            configuration=state.configuration,
            profiles=self._vault.profiles,
            cohort=self._cohort_fingers(),
            models=tuple(ModelSummary.of(one.modality, one.model) for one in state.models),
            sensors=tuple(
                SensorSummary.of(
                    one.modality,
                    one.extractor,
                    runs=self._running.get(one.modality.word) == one.extractor.to_bytes(),
                )
                for one in state.sensors
            ),
        )

    def _cohort_fingers(self) -> int:
        cohort = self._vault.cohort
        return cohort.fingers(self._vault.calibration.kind(Modality.FINGERPRINT, 0), self._now_ms()) if cohort else 0

    def page(self, request: commands.ListRecords) -> commands.Page:
        """Records of one user or of all."""
        if request.user is not None:
            ids = sorted(ref.record_id for ref in self._vault.user(request.user).records)
        else:
            ids = self._vault.record_ids()
        start = bisect_right(ids, request.after) if request.after is not None else 0
        shown = ids[start : start + commands.PAGE]
        self._store.fetch([record_object(record_id) for record_id in shown])
        page = tuple(self._vault.open_record(record_id)[0] for record_id in shown)
        return commands.Page(status=ReplyStatus.OK, records=page, more=start + commands.PAGE < len(ids))

    def record(self, request: commands.Show) -> commands.Shown:
        """One record."""
        return commands.Shown(status=ReplyStatus.OK, record=self._vault.open_record(request.record_id)[0])
