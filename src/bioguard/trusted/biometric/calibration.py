"""Know which comparison profile holds for which features: those of the device, sealed when it was made.

Enforces: features of a model that no profile is of are not enrolled and not compared (Refused NOT_CALIBRATED), so that
no rate is promised that nobody measured; except of a modality for which the maker of the device named the fallback.

Does not promise: that features are of the model that their file says, or does not say. Nothing in a vector shows it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Self

from bioguard.commands.configuration import Configuration, ProfileSummary
from bioguard.commands.status import ReplyStatus
from bioguard.errors import InputRefused
from bioguard.match.thresholds import builtin_profiles, extractor_profile, strictest
from bioguard.records import Features, FingerprintTemplate
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.modality import Modality, Profile
from bioguard.records.scores import Score
from bioguard.trusted.biometric.levels import Kind
from bioguard.trusted.refusal import Refused


class Calibration:
    """The comparison profiles of one device.

    Args:
        profiles: no two of one modality and dimension.
        uncalibrated: modalities that are decided on at the highest threshold of their profiles, whatever the model.
        keeps: what the device keeps, which decides what is compared.
    """

    def __init__(
        self, profiles: Sequence[ComparisonProfile], uncalibrated: Collection[Modality], keeps: Profile
    ) -> None:
        self.profiles = tuple(profiles)
        self._uncalibrated = uncalibrated
        self._protected = keeps is Profile.DIGEST_ONLY
        self._kinds: dict[tuple[Modality, int], Kind] = {}

    @classmethod
    def chosen(
        cls, provided: Sequence[ComparisonProfile], wanted: Configuration, models: Mapping[Modality, str]
    ) -> Self:
        """What a device is made with: what its maker provided, and the built-in profiles of other modalities: where
        there is a sensor, the one of its extractor.

        Refused BAD_REQUEST where the digests in the configuration are not those that were provided (the secure world
        may have ended in between), or the fallback is asked for beside a profile, or twice; NOT_CALIBRATED for a
        missing table, or a sensor of whose extractor there is no profile.

        Args:
            models: of the extractors of the device's sensors.
        """
        named, any_model = {profile.modality for profile in provided}, set(wanted.uncalibrated)
        twice = len(any_model) < len(wanted.uncalibrated)  # no token could state it
        if wanted.comparison != tuple(profile.digest for profile in provided) or named & any_model or twice:
            raise Refused(ReplyStatus.BAD_REQUEST)
        own = [extractor_profile(models[m]) for m in models if m not in named | any_model]
        others = (profile for profile in builtin_profiles() if profile.modality not in named | {*models} - any_model)
        profiles = (*provided, *(profile for profile in own if profile is not None), *others)
        if any(models[m] not in {p.model for p in profiles if p.modality is m} for m in {*models} - any_model):
            raise Refused(ReplyStatus.NOT_CALIBRATED)
        for profile in profiles:  # enrollment compares plain features, whatever is kept of them
            needed = (Score.of(profile.modality, keeps) for keeps in (Profile.STANDARD, wanted.profile))
            if not all(profile.table(score) for score in needed):
                raise Refused(ReplyStatus.NOT_CALIBRATED)
        return cls(profiles, wanted.uncalibrated, wanted.profile)

    def kind(self, modality: Modality, dimension: int) -> Kind:
        """What decides on features of this dimension, 0 for a finger; always one object. Refused NOT_CALIBRATED."""
        key = modality, dimension
        if key not in self._kinds:
            self._kinds[key] = Kind(self._profile(*key), self._protected)
        return self._kinds[key]

    def kind_of(self, features: Features, model: str = "") -> Kind:
        """What decides on these features. Refused NOT_CALIBRATED.

        Args:
            model: of which their file says they are; empty if it says nothing.
        """
        kind = self.kind(features.modality, 0 if isinstance(features, FingerprintTemplate) else len(features))
        if model and model != kind.profile.model and features.modality not in self._uncalibrated:
            raise Refused(ReplyStatus.NOT_CALIBRATED)
        return kind

    def model_of(self, features: Features, stated: str) -> str:
        """The model of features whose file states one or nothing; empty where nothing is known of them.

        Refused NOT_CALIBRATED for a dimension that no profile is of.
        """
        if stated or features.modality in self._uncalibrated:
            return stated
        return self.kind_of(features).profile.model

    def summaries(self) -> tuple[ProfileSummary, ...]:
        """What may be known outside: not one number of a table, though all are public."""
        return tuple(
            ProfileSummary(
                letters=tuple(profile.name.encode("ascii")),
                digest=profile.digest,
                modality=profile.modality,
                dimension=profile.dimension,
            )
            for profile in self.profiles
        )

    def _profile(self, modality: Modality, dimension: int) -> ComparisonProfile:
        known = [profile for profile in self.profiles if profile.modality is modality]
        if modality in self._uncalibrated:
            try:
                return strictest(known, dimension)
            except InputRefused:  # no features of this modality have so many numbers
                raise Refused(ReplyStatus.NOT_CALIBRATED) from None
        found = next((profile for profile in known if profile.dimension == dimension), None)
        if found is None:
            raise Refused(ReplyStatus.NOT_CALIBRATED)
        return found
