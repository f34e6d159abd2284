"""What a device answers: frozen, without a score, a threshold or a feature."""

from dataclasses import field
from typing import Self

from bioguard.commands.biometric import Decision, Enrolled, Identified, RecordSummary
from bioguard.commands.configuration import Configuration
from bioguard.device.errors import promised
from bioguard.device.fingers import finger_name
from bioguard.records.modality import Modality
from bioguard.text import iso, word
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """A new record."""

    record_id: str
    digest: str
    views: int

    @classmethod
    def of(cls, made: Enrolled) -> Self:
        """In words. Raises IntegrityFailure for a yes without a record."""
        return cls(
            record_id=promised(made.record_id, "a record").hex(),
            digest=promised(made.digest, "a digest").hex(),
            views=made.views,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCalibration:
    """What the rate of a decision goes back to.

    Attributes:
        basis: "measured", "synthetic" or "extrapolated": how far the threshold of this rate is founded; None where
            nothing was compared.
        comparison_profile: its name.
        comparison_profile_sha256: its digest; None for the strict fallback, which is no file.
    """

    basis: str | None
    comparison_profile: str
    comparison_profile_sha256: str | None

    def words(self) -> str:
        """A line for people."""
        return f"the rate is {self.basis} by comparison profile {self.comparison_profile}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Answer of a 1:1 comparison.

    Attributes:
        target_fmr: the false match rate it was made at, "1/50000".
        for_testing: made by a device for testing; it gives no token, and its rate may be any.
        calibration: what its rate goes back to.
        token: the 69 bytes of the auth token, for a match of a user who has a PIN.
    """

    match: bool
    record_id: str | None
    target_fmr: str
    for_testing: bool
    calibration: RateCalibration
    token: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, answer: Decision, device: Configuration, inverse: int, calibration: RateCalibration) -> Self:
        """In words. inverse: of the rate that was asked for, 0 for the device's."""
        return cls(
            match=answer.match,
            record_id=answer.record_id.hex() if answer.record_id else None,
            target_fmr=f"1/{inverse or device.fmr_inverse}",
            for_testing=device.for_testing,
            calibration=calibration,
            token=answer.token,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """Answer of a 1:N search.

    Attributes:
        user: None when the device knows the record but not the name.
        target_fpir: the false positive identification rate it was made at, "1/100".
        for_testing: made by a device for testing.
        calibration: what its rate goes back to.
    """

    match: bool
    user: str | None
    record_id: str | None
    target_fpir: str
    for_testing: bool
    calibration: RateCalibration

    @classmethod
    def of(
        cls, answer: Identified, user: str | None, device: Configuration, inverse: int, calibration: RateCalibration
    ) -> Self:
        """In words, with the name of who was found. inverse: as of `Verification.of`."""
        return cls(
            match=answer.match,
            user=user,
            record_id=answer.record_id.hex() if answer.record_id else None,
            target_fpir=f"1/{inverse or device.fpir_inverse}",
            for_testing=device.for_testing,
            calibration=calibration,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordInfo:
    """What may be shown of a record.

    Attributes:
        sensor: id of the sensor that it was enrolled on.
        extractor: the model or extractor that made its samples; None where nothing says which.
        extractor_is: "declared" to be the one of the comparison profile, "stated" by the files, or "captured": the
            device's own sensor.
    """

    record_id: str
    user: str | None
    sensor: int
    modality: str
    position: str
    views: int
    profile: str
    enrolled_s: int
    digest: str
    extractor: str | None
    extractor_is: str

    @classmethod
    def of(cls, summary: RecordSummary, user: str | None, extractor: str | None) -> Self:
        """In words, with the name of its user and of what made its samples."""
        return cls(
            record_id=summary.record_id.hex(),
            user=user,
            modality=word(summary.modality),
            sensor=summary.sensor,
            position="face" if summary.modality is Modality.FACE else finger_name(summary.position),
            views=summary.views,
            profile=word(summary.profile),
            enrolled_s=summary.enrolled_s,
            digest=summary.digest.hex(),
            extractor=extractor,
            extractor_is=summary.origin.word,
        )


def public_record(info: RecordInfo) -> dict[str, object]:
    """Return what may be shown of a record."""
    return {
        "record_id": info.record_id,
        "sensor": info.sensor,
        "modality": info.modality,
        "position": info.position,
        "views": info.views,
        "profile": info.profile,
        "enrolled": iso(info.enrolled_s * 1000),
        "digest": info.digest,
        "extractor": info.extractor,
        "extractor_is": info.extractor_is,
    }
