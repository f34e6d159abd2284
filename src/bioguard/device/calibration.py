"""Which comparison profile a device goes by, in words; and the refusals of making one."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from bioguard.commands.biometric import AUTHENTICATE, IDENTIFY, RATE_BASIS, AskBasis
from bioguard.commands.configuration import SHOW_CONFIGURATION, Configuration, ProfileSummary
from bioguard.device.answers import RateCalibration
from bioguard.device.arguments import sensor_of
from bioguard.device.asking import Asker
from bioguard.device.captures import SensorSample
from bioguard.device.sensors import SensorChoice
from bioguard.errors import InputRefused
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.modality import Modality, Profile
from bioguard.records.scores import Basis, Score
from tee_sim.shared.ta_api import Command

if TYPE_CHECKING:
    from bioguard.records import Features

STRICTEST = "uncalibrated-strict"
"""Name of the fallback, which is no file."""
_CHANGE_NOTHING: Final = (AUTHENTICATE, IDENTIFY, RATE_BASIS, SHOW_CONFIGURATION)


class Calibrated(Protocol):
    """What is needed of a `Device`."""

    @property
    def ask(self) -> Asker: ...
    @property
    def configuration(self) -> Configuration: ...
    @property
    def profiles(self) -> tuple[ProfileSummary, ...]: ...


class RateBases:
    """What the rates of decisions go back to, asked once for each person and kind of sample: it changes with records.

    A record whose retention ends while nothing else is asked is counted on: the basis is then the weaker of both.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes | None, int, int, int], RateCalibration] = {}

    def asked(self, command: Command[Any, Any]) -> None:
        """Forget it all after a command that may change what is enrolled."""
        if command not in _CHANGE_NOTHING:
            self._known.clear()

    def of(
        self,
        device: Calibrated,
        sample: "Features | SensorSample",
        inverse: int,
        user: bytes | None = None,
        sensor: int | None = None,
    ) -> RateCalibration:
        """What the rate of a decision about this sample goes back to.

        Args:
            inverse: of the rate that was asked for; 0 for the device's.
            user: of a claim; None for a search.
            sensor: None for the first of the sample's kind.
        """
        dimension, sensor_id = _dimension(device, sample), sensor_of(device.configuration, sample.modality, sensor)
        key = user, sensor_id, dimension, inverse
        if key not in self._known:
            asked = AskBasis(user=user, sensor=sensor_id, dimension=dimension, inverse=inverse)
            self._known[key] = _in_words(device, device.ask(RATE_BASIS, asked).basis, sample.modality, dimension)
        return self._known[key]


def _dimension(device: Calibrated, sample: "Features | SensorSample") -> int:
    """Numbers of a face; of a captured one those of the sensor's profile, as nobody out here has seen it."""
    if sample.modality is not Modality.FACE:
        return 0
    if not isinstance(sample, SensorSample):
        return len(sample)
    return next((profile.dimension for profile in device.profiles if profile.modality is Modality.FACE), 0)


def _in_words(device: Calibrated, basis: Basis | None, modality: Modality, dimension: int) -> RateCalibration:
    fitting = (p for p in device.profiles if (p.modality, p.dimension) == (modality, dimension))
    found = None if modality in device.configuration.uncalibrated else next(fitting, None)
    return RateCalibration(
        basis=basis.word if basis is not None else None,
        comparison_profile=STRICTEST if found is None else found.name,
        comparison_profile_sha256=None if found is None else found.digest.hex(),
    )


def profile_names(device: Calibrated, modality: Modality) -> list[str]:
    """By what a device decides on a modality: its profiles, of each dimension, or the fallback."""
    if modality in device.configuration.uncalibrated:
        return [STRICTEST]
    return [profile.name for profile in device.profiles if profile.modality is modality]


def uncalibrated_modalities(profiles: Sequence[ComparisonProfile], *, allowed: bool) -> tuple[Modality, ...]:
    """The modalities whose features may be of any model.

    Raises:
        InputRefused: two profiles of one modality, or a fallback that nothing is left for.
    """
    named = [profile.modality for profile in profiles]
    if len(set(named)) < len(named):
        raise InputRefused(
            "two comparison profiles are of one modality",
            hint="give one of faces and one of fingerprints at most: one model a device and modality",
            code="comparison_profile.several",
        )
    left = tuple(modality for modality in Modality if modality not in named)
    if allowed and not left:
        raise InputRefused(
            "every modality has a comparison profile: no features are left for --uncalibrated strict",
            hint="leave --uncalibrated out, or the profile of the modality that may be of any model",
            code="comparison_profile.no_fallback",
        )
    return left if allowed else ()


def require_profiles(
    sensors: Sequence[SensorChoice], profiles: Sequence[ComparisonProfile], uncalibrated: Collection[Modality]
) -> None:
    """Look, before anything is made, whether there can be a profile for the extractor of each sensor.

    Raises:
        InputRefused: `match.not_calibrated`.
    """
    from bioguard.match.thresholds import extractor_profiles  # noqa: PLC0415 - loads arrays: few devices have sensors

    given = {profile.modality for profile in profiles}
    for sensor in sensors:
        built_in = any(profile.model.startswith(f"{sensor.engine} ") for profile in extractor_profiles())
        if sensor.modality not in given and sensor.modality not in uncalibrated and not built_in:
            raise _no_profile(
                f"no comparison profile is of the extractor {sensor.engine} of the {sensor.modality.word} sensor",
                sensor.modality,
            )


_MAKE_PROFILE: Final = {
    Modality.FINGERPRINT: "python -m bench extract --pictures DIR --engine ENGINE --write-minutiae --out OUT, then "
    "python -m bench calibrate --fingerprints OUT",
    Modality.FACE: "python -m bench calibrate --faces FILE.npz, the embeddings of this extractor (bioguard capture "
    "--engine face) with a label of whose each is,",
}


def _no_profile(what: str, modality: Modality) -> InputRefused:
    return InputRefused(
        what,
        hint=f"make one: {_MAKE_PROFILE[modality]} --model MODEL --out FILE, then device init "
        "--comparison-profile FILE; or try it out with --uncalibrated strict",
        code="match.not_calibrated",
    )


def sensor_profile_missing(sensors: Sequence[SensorChoice], profiles: Sequence[ComparisonProfile]) -> InputRefused:
    """The error for a sensor whose extractor, once it runs, is of another model than every profile there is."""
    named = ", ".join(f"{profile.name!r} is of {profile.model!r}" for profile in profiles) or "none was given"
    engines = " and ".join(sensor.engine for sensor in sensors)
    return _no_profile(
        f"no comparison profile is of exactly the extractor of the sensor ({engines}: name, version, weights); {named}",
        sensors[0].modality,
    )


def table_missing(profiles: Sequence[ComparisonProfile], keeps: Profile) -> InputRefused | None:
    """The error for a profile without a table of what a device that keeps this compares; None if each has them."""
    wanted = [(p, Score.of(p.modality, kind)) for p in profiles for kind in (Profile.STANDARD, keeps)]
    missing = sorted({f"{p.name!r} has none of the score {score.word!r}" for p, score in wanted if not p.table(score)})
    if not missing:
        return None
    return InputRefused(
        f"a comparison profile lacks a table that this device decides by: {', '.join(missing)}",
        hint="calibrate that score as well; a device of the digest-only profile compares protected codes",
        code="match.not_calibrated",
    )
