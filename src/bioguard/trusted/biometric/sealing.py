"""Seal what a device is, once: its comparison profiles first, then its configuration, which names them.

Enforces: nothing of it changes once it is sealed, also when nobody is enrolled any more.
"""

from dataclasses import replace

from bioguard.commands.configuration import Configuration
from bioguard.commands.status import ReplyStatus
from bioguard.errors import InputRefused
from bioguard.records.audit_events import Event
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.sensor_props import flaw_of_table
from bioguard.trusted.biometric.calibration import Calibration
from bioguard.trusted.biometric.extractors import sealed_sensors
from bioguard.trusted.biometric.rates import require_offered
from bioguard.trusted.biometric.stored_objects import DEVICE_OBJECT, DeviceState
from bioguard.trusted.policy.audit_log import AuditLog
from bioguard.trusted.refusal import Refused
from tee_sim.shared.ta_api import TaEnv


class DeviceSealing:
    """What a device that is being made has been given so far."""

    def __init__(self, env: TaEnv, log: AuditLog) -> None:
        self._env = env
        self._log = log
        self._provided: list[ComparisonProfile] = []

    def provide(self, state: DeviceState, data: bytes) -> None:
        """Take a comparison profile for `seal`. Refused NOT_CONFIGURABLE, PROFILE_REFUSED."""
        if state.code_epoch:
            raise Refused(ReplyStatus.NOT_CONFIGURABLE)
        try:
            profile = ComparisonProfile.from_bytes(data)
        except InputRefused:
            raise Refused(ReplyStatus.PROFILE_REFUSED) from None
        if any(other.modality is profile.modality for other in self._provided):
            raise Refused(ReplyStatus.PROFILE_REFUSED)
        self._provided.append(profile)

    def seal(self, state: DeviceState, configuration: Configuration) -> DeviceState:
        """Store what this device is, and return it.

        Refused NOT_CONFIGURABLE if that was said before, RATE_NOT_OFFERED, BAD_REQUEST for a table of sensors that no
        device has, or as `Calibration.chosen`.
        """
        if state.code_epoch:
            raise Refused(ReplyStatus.NOT_CONFIGURABLE)
        require_offered(configuration)
        kinds = {props.kind for props in configuration.sensor_table}
        if flaw_of_table(configuration.sensor_table) or not kinds.issuperset(configuration.sensors):
            raise Refused(ReplyStatus.BAD_REQUEST)
        sensors = sealed_sensors(self._env.platform, configuration.sensors)
        models = {sensor.modality: sensor.extractor.model for sensor in sensors}
        calibration = Calibration.chosen(self._provided, configuration, models)
        made = DeviceState(
            configuration=replace(configuration, comparison=tuple(p.digest for p in calibration.profiles)),
            code_epoch=1,
            code_secret=self._env.rng.bytes(32),
            profiles=tuple(profile.to_bytes() for profile in calibration.profiles),
            sensors=sensors,
        )
        with self._env.store.transaction() as transaction:
            transaction.put(DEVICE_OBJECT, made.to_bytes(), kind="device")
            for profile in calibration.profiles:
                self._log.note(Event.PROFILE_SEALED, modality=profile.modality, digest=profile.digest)
            for sensor in sensors:
                self._log.note(Event.SENSOR_SEALED, modality=sensor.modality, digest=sensor.extractor.sha256)
            for modality in configuration.uncalibrated:
                self._log.note(Event.UNCALIBRATED_ALLOWED, modality=modality)
        return made
