"""Know which extractor made the samples that are enrolled, and refuse those of another one.

Enforces: what is compared is of one model, that of the comparison profile; where a device goes by none, of the one that
is enrolled. Two extractors find other minutiae in one picture, and two models give one face
vectors that have nothing to do with each other: no rate is known of such a comparison.

Does not promise: that a file is of the model that it states, or of the one that it is declared to be.
"""

from collections.abc import Sequence
from dataclasses import replace

from bioguard.commands.status import ReplyStatus
from bioguard.errors import InputRefused
from bioguard.records.audit_events import Cause
from bioguard.records.extractor import ExtractorIdentity
from bioguard.records.modality import Modality
from bioguard.records.sample_origin import SampleOrigin
from bioguard.trusted.biometric.stored_objects import (
    DeviceState,
    EnrolledModel,
    RecordRef,
    SealedSensor,
    record_object,
)
from bioguard.trusted.refusal import Refused
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError
from tee_sim.shared.ta_api import Platform, Store

CAUSES = {
    SampleOrigin.DECLARED: Cause.MODEL_DECLARED,
    SampleOrigin.STATED: Cause.MODEL_STATED,
    SampleOrigin.CAPTURED: Cause.MODEL_CAPTURED,
}
"""As the log has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBy:
    """Which extractor made samples.

    Attributes:
        model: what a comparison profile is for; empty where a file says nothing and any model is taken.
        identity: of a sensor's extractor; None for files.
    """

    model: str
    origin: SampleOrigin
    identity: ExtractorIdentity | None = None


def sealed_sensors(platform: Platform, wanted: Sequence[Modality]) -> tuple[SealedSensor, ...]:
    """The sensors that a device is made with, as they run now: nobody in the normal world says what they are.

    Refused NO_SENSOR for one that does not run or does not say what it is; BAD_REQUEST for one named twice.
    """
    stated = dict(platform.extractors)
    if len(set(wanted)) < len(wanted):
        raise Refused(ReplyStatus.BAD_REQUEST)
    try:
        return tuple(
            SealedSensor(modality=modality, extractor=ExtractorIdentity.from_bytes(stated[modality.word]))
            for modality in wanted
        )
    except (KeyError, InputRefused, TeeError):
        raise Refused(ReplyStatus.NO_SENSOR) from None


def enrolled_model(state: DeviceState, modality: Modality) -> str | None:
    """Of which model what is enrolled is, or the last that was; None where nothing ever was."""
    return next((one.model for one in state.models if one.modality is modality), None)


def with_model(state: DeviceState, modality: Modality, model: str) -> DeviceState:
    """The state once samples of this model are enrolled."""
    others = [one for one in state.models if one.modality is not modality]
    models = sorted([*others, EnrolledModel(modality=modality, model=model)], key=lambda one: one.modality)
    return replace(state, models=tuple(models))


def any_other(store: Store, modality: Modality, replaces: RecordRef | None) -> bool:
    """Whether there is a record of this modality besides the one that is replaced.

    Looked up when it matters: so model and dimension are free when nothing is left, whichever way the last record went
    (`enroll.dimension-erased`).
    """
    gone = record_object(replaces.record_id) if replaces else None
    return any(header.kind == modality.word and header.object_id != gone for header in store.headers())


def is_other_extractor(state: DeviceState, modality: Modality, made_by: MadeBy) -> bool:
    """Whether samples cannot be compared with what is enrolled.

    It depends on the model and the device alone, so nothing is learned from it and nothing is counted.
    """
    return enrolled_model(state, modality) not in (None, made_by.model)
