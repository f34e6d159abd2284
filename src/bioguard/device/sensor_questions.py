"""What `Device` is asked of one sensor besides enrolling and deciding."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bioguard.device.captures import SensorSample
from bioguard.device.recognition import Recognition
from bioguard.records.acquired import AcquiredCode

if TYPE_CHECKING:
    from bioguard.records import Features

    Sample = Features | SensorSample


class SensorQuestions(ABC):
    """A part of `Device`."""

    @property
    @abstractmethod
    def _recognition(self) -> Recognition: ...

    def prepare_enrollment(self, name: str, sensor: int, token: bytes = b"") -> None:
        """Ask whether an enrollment would be let begin, before anybody touches the sensor.

        Raises:
            InputRefused: unknown user or sensor.
            NotPermitted: as `enroll`, for all that it refuses before it looks at a sample.
        """
        self._recognition.prepare_enrollment(name, sensor, token)

    def judge(
        self, sensor: int, samples_so_far: "Sequence[Sample]", sample: "Sample", *, model: str = ""
    ) -> AcquiredCode:
        """How good one more touch or view is beside the earlier ones of an enrollment. Nothing that is enrolled is
        compared, and a capture stays to be enrolled.

        Raises:
            InputRefused: unknown sensor; samples of another kind, too many, or of no model of the device.
        """
        return self._recognition.judge(sensor, samples_so_far, sample, model=model)

    def features(self, name: str, sensor: int) -> frozenset[int]:
        """The features that are on for a user of a face sensor, by AIDL's numbers. They change no decision.

        Raises:
            InputRefused: unknown user or sensor, a fingerprint sensor, or nothing is enrolled on it.
        """
        return self._recognition.features(name, sensor)

    def set_feature(self, name: str, sensor: int, token: bytes, feature: int, enabled: bool) -> None:
        """Switch a feature. token: of `bioguard.device.pins.verify_pin`, not older than ten minutes.

        Raises:
            InputRefused: as `features`.
            NotPermitted: not a token of the PIN that what is enrolled belongs to.
        """
        self._recognition.set_feature(name, sensor, token, feature, enabled=enabled)
