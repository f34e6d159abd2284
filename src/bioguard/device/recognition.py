"""Enrolling, deciding, listing and erasing, in the secure world's own records: ids and digests are bytes here.

`Device` shows the same to people, with names and hexadecimal digits.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from bioguard.commands import biometric as commands
from bioguard.commands.biometric import EraseAuthorization, RecordSummary
from bioguard.commands.configuration import SHOW_CONFIGURATION, Configuration
from bioguard.commands.sensor import GET_FEATURES, SET_FEATURE, SensorRequest, SetFeature
from bioguard.commands.status import Nothing, ReplyStatus
from bioguard.device.answers import RecordInfo
from bioguard.device.arguments import describe_acquired, modality_of, position_of, sample_of, sensor_of
from bioguard.device.asking import Asker
from bioguard.device.captures import SensorSample
from bioguard.device.errors import promised
from bioguard.device.launch import Running
from bioguard.device.rates import claim_refused, search_refused
from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.records.acquired import AcquiredCode
from bioguard.records.modality import Modality

if TYPE_CHECKING:
    from bioguard.records import Features


class Host(Protocol):
    """What recognition needs of a `Device`."""

    @property
    def ask(self) -> Asker: ...
    @property
    def running(self) -> Running: ...
    @property
    def configuration(self) -> Configuration: ...
    def user_handle(self, name: str) -> bytes: ...


def _require_room(samples: "Sequence[Features | SensorSample]") -> None:
    if len(samples) > commands.MAX_VIEWS:
        raise InputRefused(
            f"{len(samples)} samples, at most {commands.MAX_VIEWS} in one enrollment",
            hint="give the best ones",
            code="enroll.too_many_samples",
        )


class Recognition:
    """The biometric trusted application of one device."""

    def __init__(self, device: Host) -> None:
        self._device = device

    def _present(self, operation: str, sample: "Features") -> "Features":
        """The sample as the sensor delivers it: by the hooks of the secure world that runs now."""
        return self._device.running.hooks.present(operation, sample_of(sample))

    def _given(self, operation: str, sample: "Features | SensorSample") -> "Features | SensorSample":
        return sample if isinstance(sample, SensorSample) else self._present(operation, sample)

    def _sensor(self, kind: Modality, sensor: int | None) -> int:
        return sensor_of(self._device.configuration, kind, sensor)

    @staticmethod
    def _position(modality: Modality, finger: str | None, *, replace: bool) -> int:
        position = position_of(modality, finger)
        if replace and modality is Modality.FINGERPRINT and not position:
            raise InputRefused(
                "a finger that nobody has named replaces none",
                hint="name the finger, or erase the other record by its id",
                code="enroll.finger",
            )
        return position

    def prepare_enrollment(self, name: str, sensor: int, token: bytes) -> None:
        """`Device.prepare_enrollment`."""
        request = commands.PrepareEnrollment(
            user=self._device.user_handle(name), sensor=self._any_sensor(sensor), token=token
        )
        self._device.ask(commands.PREPARE_ENROLLMENT, request, about=repr(name))

    def judge(
        self,
        sensor: int,
        samples_so_far: "Sequence[Features | SensorSample]",
        sample: "Features | SensorSample",
        *,
        model: str,
    ) -> AcquiredCode:
        """`Device.judge`."""
        samples = [*samples_so_far, sample]
        _require_room(samples)
        request = commands.Judge(
            sensor=self._sensor(modality_of(samples), sensor),
            samples=tuple(s.to_bytes() for s in samples if not isinstance(s, SensorSample)),
            captures=tuple(s.capture_id for s in samples if isinstance(s, SensorSample)),
            model=model,
        )
        return promised(self._device.ask(commands.JUDGE, request).acquired, "a judgment")

    def features(self, name: str, sensor: int) -> frozenset[int]:
        """`Device.features`."""
        request = SensorRequest(user=self._device.user_handle(name), sensor=self._any_sensor(sensor))
        return frozenset(self._device.ask(GET_FEATURES, request, about=repr(name)).features)

    def set_feature(self, name: str, sensor: int, token: bytes, feature: int, *, enabled: bool) -> None:
        """`Device.set_feature`."""
        request = SetFeature(
            user=self._device.user_handle(name),
            sensor=self._any_sensor(sensor),
            token=token,
            feature=feature,
            enabled=enabled,
        )
        self._device.ask(SET_FEATURE, request, about=repr(name))

    def _any_sensor(self, sensor: int) -> int:
        props = self._device.configuration.props(sensor) if type(sensor) is int else None
        return sensor_of(self._device.configuration, props.kind if props else Modality.FINGERPRINT, sensor)

    def enroll(
        self,
        name: str,
        samples: "Sequence[Features | SensorSample]",
        *,
        finger: str | None,
        replace: bool,
        token: bytes,
        model: str,
        sensor: int | None = None,
    ) -> commands.Enrolled:
        """`Device.enroll`."""
        modality = modality_of(samples)
        _require_room(samples)
        request = commands.Enroll(
            user=self._device.user_handle(name),
            sensor=self._sensor(modality, sensor),
            position=self._position(modality, finger, replace=replace),
            samples=tuple(self._present("enroll", s).to_bytes() for s in samples if not isinstance(s, SensorSample)),
            captures=tuple(s.capture_id for s in samples if isinstance(s, SensorSample)),
            replace=replace,
            token=token,
            model=model,
        )
        return self._device.ask(
            commands.ENROLL, request, about=lambda reply: describe_acquired(reply, samples), quantize_timing=True
        )

    def authenticate(
        self,
        name: str,
        sample: "Features | SensorSample",
        *,
        fmr_inverse: int,
        operation_id: int,
        model: str,
        sensor: int | None = None,
    ) -> commands.Decision:
        """`Device.authenticate`."""
        given = self._given("authenticate", sample)
        request = commands.Authenticate(
            user=self._device.user_handle(name),
            sensor=self._sensor(given.modality, sensor),
            sample=b"" if isinstance(given, SensorSample) else given.to_bytes(),
            capture=given.capture_id if isinstance(given, SensorSample) else None,
            fmr_inverse=fmr_inverse,
            operation_id=operation_id,
            model=model,
        )
        answer = self._device.ask(
            commands.AUTHENTICATE, request, quantize_timing=True, expected=(ReplyStatus.RATE_NOT_OFFERED,)
        )
        if answer.status is ReplyStatus.RATE_NOT_OFFERED:
            raise claim_refused(self._device.configuration, fmr_inverse)
        return answer

    def identify(
        self, sample: "Features | SensorSample", *, fpir_inverse: int, model: str, sensor: int | None = None
    ) -> commands.Identified:
        """`Device.identify`."""
        given = self._given("authenticate", sample)
        request = commands.Identify(
            sensor=self._sensor(given.modality, sensor),
            sample=b"" if isinstance(given, SensorSample) else given.to_bytes(),
            capture=given.capture_id if isinstance(given, SensorSample) else None,
            fpir_inverse=fpir_inverse,
            model=model,
        )
        answer = self._device.ask(
            commands.IDENTIFY, request, quantize_timing=True, expected=(ReplyStatus.RATE_NOT_OFFERED,)
        )
        if answer.status is ReplyStatus.RATE_NOT_OFFERED:
            raise search_refused(self._device.configuration, fpir_inverse)
        return answer

    def records(self, name: str | None = None) -> Iterator[RecordSummary]:
        """`Device.records`."""
        return self.records_of(self._device.user_handle(name) if name is not None else None)

    def records_of(self, user: bytes | None, *, expected: Collection[IntEnum] = ()) -> Iterator[RecordSummary]:
        """Records of one user or of all, in id order; none for a refusal that is expected."""
        after: bytes | None = None
        while True:
            page = self._device.ask(commands.LIST, commands.ListRecords(user=user, after=after), expected=expected)
            yield from page.records
            if not page.more or not page.records:
                return
            after = page.records[-1].record_id

    def digests_before_removal(self, user: bytes, *, expected: Collection[IntEnum]) -> tuple[str, ...]:
        """Of all records, in hex; none where one is damaged and cannot be listed: it does not keep the user here."""
        try:
            return tuple(record.digest.hex() for record in self.records_of(user, expected=expected))
        except IntegrityFailure:
            return ()

    def record(self, record_id: bytes) -> RecordSummary:
        """One of them."""
        answer = self._device.ask(commands.SHOW, commands.Show(record_id=record_id), about=record_id.hex())
        return promised(answer.record, "a record")

    def infos(self, name: str | None, name_of: Callable[[bytes], str | None]) -> Iterator[RecordInfo]:
        """`Device.records`."""
        models = self._models()
        for summary in self.records(name):
            yield RecordInfo.of(summary, name_of(summary.user), models.get(summary.modality) or None)

    def info(self, record_id: bytes, name_of: Callable[[bytes], str | None]) -> RecordInfo:
        """`Device.show`."""
        summary = self.record(record_id)
        return RecordInfo.of(summary, name_of(summary.user), self._models().get(summary.modality) or None)

    def _models(self) -> dict[Modality, str]:
        """By what was enrolled; empty where that is not known."""
        return {one.modality: one.model for one in self._device.ask(SHOW_CONFIGURATION, Nothing()).models}

    def erase(self, name: str, record_id: bytes, authorization: EraseAuthorization) -> bytes:
        """`Device.erase`."""
        request = commands.Erase(user=self._device.user_handle(name), record_id=record_id, leave=authorization)
        return promised(self._device.ask(commands.ERASE, request, about=record_id.hex()).digest, "a digest")
