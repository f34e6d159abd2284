"""Know which comparison profile holds for which features: those of the device, sealed when it was made.

Does not promise: that features are of the model that a file does not state. Nothing in a vector shows it.
"""

from collections.abc import Sequence

from bioguard.match.thresholds import strictest
from bioguard.records import Features, FingerprintTemplate
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.modality import Modality, Profile
from bioguard.trusted.biometric.levels import Kind


class Calibration:
    """The comparison profiles of one device.

    Args:
        profiles: no two of one modality and dimension.
        keeps: what the device keeps, which decides what is compared.
    """

    def __init__(self, profiles: Sequence[ComparisonProfile], keeps: Profile) -> None:
        self._profiles = profiles
        self._protected = keeps is Profile.DIGEST_ONLY
        self._kinds: dict[tuple[Modality, int], Kind] = {}

    def kind_of(self, features: Features) -> Kind:
        """What decides on these features; one object for each model."""
        return self._kind(features.modality, 0 if isinstance(features, FingerprintTemplate) else len(features))

    def finger_kind(self) -> Kind:
        """What decides on fingers."""
        return self._kind(Modality.FINGERPRINT, 0)

    def _kind(self, *model: *tuple[Modality, int]) -> Kind:
        if model not in self._kinds:
            self._kinds[model] = Kind(self._profile(*model), self._protected)
        return self._kinds[model]

    def _profile(self, modality: Modality, dimension: int) -> ComparisonProfile:
        known = [profile for profile in self._profiles if profile.modality is modality]
        found = next((profile for profile in known if profile.dimension == dimension), None)
        return found or strictest(known, dimension)
