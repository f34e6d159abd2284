"""What a new device is made as: chosen by its maker, sealed at `Device.init`, never changed."""

from collections.abc import Sequence

from bioguard.commands.configuration import (
    DEFAULT_FMR_INVERSE,
    DEFAULT_FPIR_INVERSE,
    Configuration,
    LockoutChoice,
)
from bioguard.device.calibration import uncalibrated_modalities
from bioguard.device.provisioning import require_limits, require_table
from bioguard.device.rates import init_refused
from bioguard.device.sensors import SensorChoice
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.modality import Profile
from bioguard.records.sensor_props import SensorProps, default_table
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """What a device is (`bioguard.commands.configuration`).

    Attributes:
        profile: what an enrollment leaves behind.
        sensor_table: what enrolls and decides, numbered from 0; empty for a strong sensor of each kind.
        max_fingers, max_faces: records of a user on these two; without a meaning beside a table.
        lockout, lockout_cascade: limits of failed attempts, and whether the lock of a sensor is that of weaker ones.
        require_pin: whether nobody enrolls without a PIN.
        for_testing: a device of a laboratory: its callers choose any rate, and it gives no token.
        fmr_inverse, fpir_inverse: the rates of 1:1 and 1:N, as 1/N.
        comparison_profiles: at most one a modality; of a modality without one the built-in ones are taken.
        uncalibrated: features of modalities without a profile here may be of any model, and are decided on at the
            highest threshold of the built-in profiles: a rate that nobody knows for that model.
        sensors: the engines of sensors that read pictures: `fingerprint=nbis`, `face=FILE.toml`,
            `MODALITY=module:Class`: at most one a modality, whose samples come from pictures then and, unless
            `for_testing`, from nothing else.
    """

    profile: Profile = Profile.STANDARD
    sensor_table: tuple[SensorProps, ...] = ()
    max_fingers: int = 5
    max_faces: int = 2
    lockout: LockoutChoice = LockoutChoice.ANDROID_13
    lockout_cascade: bool = False
    require_pin: bool = True
    for_testing: bool = False
    fmr_inverse: int = DEFAULT_FMR_INVERSE
    fpir_inverse: int = DEFAULT_FPIR_INVERSE
    comparison_profiles: Sequence[ComparisonProfile] = ()
    uncalibrated: bool = False
    sensors: Sequence[str] = ()

    def configuration(self, choices: Sequence[SensorChoice]) -> Configuration:
        """What the secure world is told.

        Args:
            choices: what `sensors` names.

        Raises:
            InputRefused: a limit outside 1..10, a table or a rate that no device has, two profiles of one modality, or
                no modality left for `uncalibrated`.
        """
        require_limits(self.max_fingers, self.max_faces)
        table = tuple(self.sensor_table) or default_table(self.max_fingers, self.max_faces)
        require_table(table, choices)
        configuration = Configuration(
            profile=self.profile,
            lockout=self.lockout,
            lockout_cascade=self.lockout_cascade,
            require_pin=self.require_pin,
            for_testing=self.for_testing,
            fmr_inverse=self.fmr_inverse,
            fpir_inverse=self.fpir_inverse,
            comparison=tuple(one.digest for one in self.comparison_profiles),
            uncalibrated=uncalibrated_modalities(self.comparison_profiles, allowed=self.uncalibrated),
            sensors=tuple(choice.modality for choice in choices),
            sensor_table=table,
        )
        if not configuration.rates_offered:
            raise init_refused(configuration)
        return configuration
