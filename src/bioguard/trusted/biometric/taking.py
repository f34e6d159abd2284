"""Take samples in: from the device's own sensor by the id of a capture, or, where it has none, as features of a file.

Enforces: of a modality with a sensor no features of the normal world are compared or enrolled, but on a device for
testing: what is compared was a picture that the sealed extractor has seen. A capture is taken once, whatever
becomes of the request. What an extractor made is parsed like the bytes of a stranger.

Does not promise: that a picture is of a living finger, or new: whoever holds the device chooses the picture.
"""

from collections.abc import Sequence
from dataclasses import replace

from bioguard.commands import biometric as commands
from bioguard.commands.status import ReplyStatus
from bioguard.errors import InputRefused
from bioguard.records import Features
from bioguard.records.extractor import ExtractorIdentity
from bioguard.records.features import features_from_bytes
from bioguard.records.modality import Modality
from bioguard.records.sample_origin import SampleOrigin
from bioguard.trusted.biometric.extractors import MadeBy
from bioguard.trusted.biometric.samples import decode
from bioguard.trusted.biometric.stored_objects import DeviceState
from bioguard.trusted.biometric.vault import Vault
from bioguard.trusted.refusal import Refused
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.sensor_api import Captures, TakenCapture

Probe = tuple[Features, MadeBy]
_MODALITIES = {modality.word: modality for modality in Modality}


def sealed_extractor(state: DeviceState, modality: Modality) -> ExtractorIdentity | None:
    """Of the sensor of a modality; None where the device has none."""
    return next((sensor.extractor for sensor in state.sensors if sensor.modality is modality), None)


class SampleTaker:
    """Samples of one device. Each method is Refused as what a request of the normal world may be refused for first."""

    def __init__(self, captures: Captures, vault: Vault) -> None:
        self._captures = captures
        self._vault = vault

    def enrollment(self, request: commands.Enroll) -> tuple[commands.Enroll, tuple[Features, ...], MadeBy]:
        """The samples of an enrollment, each of the kind of its sensor; the request with their bytes in it.

        Refused BAD_REQUEST, UNKNOWN_SENSOR, or as `probe`.
        """
        taken = self._take(request.captures)
        samples, made_by = self._samples(request, taken)
        if taken:
            request = replace(request, samples=tuple(capture.payload for capture in taken))
        return request, samples, made_by

    def shown(self, request: commands.Judge) -> tuple[tuple[Features, ...], MadeBy]:
        """Samples that are only looked at: a capture is there as before. Refused as `enrollment`."""
        return self._samples(request, self._take(request.captures, keep=True))

    def _samples(
        self, request: commands.Enroll | commands.Judge, taken: Sequence[TakenCapture]
    ) -> tuple[tuple[Features, ...], MadeBy]:
        if bool(request.samples) is bool(request.captures):
            raise Refused(ReplyStatus.BAD_REQUEST)
        probes = [self._captured(capture) for capture in taken]
        probes += [self._file(sample, request.model) for sample in request.samples]
        kind = self._vault.sensor(request.sensor).kind
        if any(sample.modality is not kind for sample, _ in probes):
            raise Refused(ReplyStatus.BAD_REQUEST)
        return tuple(sample for sample, _ in probes), probes[0][1]

    def probe(self, request: commands.Authenticate | commands.Identify) -> Probe:
        """The sample of a decision, of the kind of its sensor.

        Refused BAD_REQUEST for what is no sample, two, or one of another kind; UNKNOWN_SENSOR; SENSOR_ONLY for features
        where there is an extractor; UNKNOWN_CAPTURE for an id that is none, was used or is too old; OTHER_EXTRACTOR for
        one that is not the sealed one; SAMPLE_UNREADABLE for what an extractor made and no sample is.
        """
        taken = self._take([request.capture] if request.capture is not None else [])
        if taken and request.sample:
            raise Refused(ReplyStatus.BAD_REQUEST)
        found = self._captured(taken[0]) if taken else self._file(request.sample, request.model)
        if found[0].modality is not self._vault.sensor(request.sensor).kind:
            raise Refused(ReplyStatus.BAD_REQUEST)
        return found

    def _file(self, sample: bytes, stated: str) -> Probe:
        features = decode(sample)
        sealed = sealed_extractor(self._vault.state, features.modality)
        if sealed is not None and not self._vault.configuration.for_testing:
            raise Refused(ReplyStatus.SENSOR_ONLY)
        return features, MadeBy(model=stated, origin=SampleOrigin.STATED if stated else SampleOrigin.DECLARED)

    def _take(self, capture_ids: Sequence[bytes], *, keep: bool = False) -> list[TakenCapture]:
        """Each of them, before anything is refused: what a request names is used up, also beside an unknown one."""
        found = []
        for capture_id in capture_ids:
            try:
                found.append(self._captures.take(capture_id, keep=keep))
            except TeeError as error:
                if error.result is not TeeResult.ITEM_NOT_FOUND:
                    raise
        if len(found) < len(capture_ids):
            raise Refused(ReplyStatus.UNKNOWN_CAPTURE)
        return found

    def _captured(self, capture: TakenCapture) -> Probe:
        modality = _MODALITIES.get(capture.sensor)
        sealed = None if modality is None else sealed_extractor(self._vault.state, modality)
        # The whole identity, not the model that stands for it in a profile: its weights are shortened there.
        if sealed is None or capture.extractor != sealed.to_bytes():
            raise Refused(ReplyStatus.OTHER_EXTRACTOR)
        try:
            features = features_from_bytes(capture.payload)
        except InputRefused:
            raise Refused(ReplyStatus.SAMPLE_UNREADABLE) from None
        if features.modality is not modality:
            raise Refused(ReplyStatus.SAMPLE_UNREADABLE)
        return features, MadeBy(model=sealed.model, origin=SampleOrigin.CAPTURED, identity=sealed)
