"""Enrolling, deciding, listing and erasing, in the secure world's own records: ids and digests are bytes here.

`Device` shows the same to people, with names and hexadecimal digits.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from bioguard.commands import biometric as commands
from bioguard.commands.biometric import EraseAuthorization, RecordSummary
from bioguard.commands.configuration import SHOW_CONFIGURATION, Configuration
from bioguard.commands.status import Nothing, ReplyStatus
from bioguard.device.answers import RecordInfo
from bioguard.device.arguments import describe_acquired, modality_of, position_of, sample_of
from bioguard.device.asking import Asker
from bioguard.device.captures import SensorSample
from bioguard.device.errors import promised
from bioguard.device.launch import Running
from bioguard.device.rates import claim_refused, search_refused
from bioguard.errors import InputRefused, IntegrityFailure
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


class Recognition:
    """The biometric trusted application of one device."""

    def __init__(self, device: Host) -> None:
        self._device = device

    def _present(self, operation: str, sample: "Features") -> "Features":
        """The sample as the sensor delivers it: by the hooks of the secure world that runs now."""
        return self._device.running.hooks.present(operation, sample_of(sample))

    def enroll(
        self,
        name: str,
        samples: "Sequence[Features | SensorSample]",
        *,
        finger: str | None,
        replace: bool,
        token: bytes,
        model: str,
    ) -> commands.Enrolled:
        """`Device.enroll`."""
        modality = modality_of(samples)
        if len(samples) > commands.MAX_VIEWS:
            raise InputRefused(
                f"{len(samples)} samples, at most {commands.MAX_VIEWS} in one enrollment",
                hint="give the best ones",
                code="enroll.too_many_samples",
            )
        request = commands.Enroll(
            user=self._device.user_handle(name),
            modality=modality,
            position=position_of(modality, finger),
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
        self, name: str, sample: "Features | SensorSample", *, fmr_inverse: int, operation_id: int, model: str
    ) -> commands.Decision:
        """`Device.authenticate`."""
        request = commands.Authenticate(
            user=self._device.user_handle(name),
            sample=b"" if isinstance(sample, SensorSample) else self._present("authenticate", sample).to_bytes(),
            capture=sample.capture_id if isinstance(sample, SensorSample) else None,
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

    def identify(self, sample: "Features | SensorSample", *, fpir_inverse: int, model: str) -> commands.Identified:
        """`Device.identify`."""
        request = commands.Identify(
            sample=b"" if isinstance(sample, SensorSample) else self._present("authenticate", sample).to_bytes(),
            capture=sample.capture_id if isinstance(sample, SensorSample) else None,
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
