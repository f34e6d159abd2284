"""The trusted applications of a device, and what its secure world is told of them before it is locked."""

import os
import pkgutil
from collections.abc import Sequence

from bioguard.device.sensors import SensorChoice
from bioguard.errors import WrongUsage
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.wire import Boot, LockProfile

MANIFESTS = tuple(f"trusted/{name}/manifest.toml" for name in ("biometric", "gatekeeper", "keystore"))
"""Of the trusted applications of this device, as files of `bioguard`: to read one loads no package of theirs."""


PACKAGES = ("bioguard", "tee_sim")
"""What is measured whole: the product, in both worlds, and the simulator that runs it."""


def manifests() -> tuple[Manifest, ...]:
    """The trusted applications of a device."""
    texts = {file: pkgutil.get_data("bioguard", file) for file in MANIFESTS}
    return tuple(Manifest.from_toml(text.decode(), file=f"bioguard/{file}") for file, text in texts.items() if text)


def hosted() -> tuple[Manifest, ...]:
    """The trusted applications of a device, as far as a device may host them.

    Raises:
        WrongUsage: one answers with free bytes, a template could be among them; or it is native, and nothing holds its
            answers to anything; or nothing bounds what it lets out.
    """
    ours = manifests()
    for manifest in ours:
        if manifest.native:
            raise WrongUsage(
                f"a device does not host {manifest.name}: it is machine code, which answers with any bytes",
                hint="host it on a machine of its own: tee-sim run",
                code="device.native",
            )
        if manifest.budget_bits is None:
            raise WrongUsage(
                f"a device does not host {manifest.name}: its manifest has no budget",
                hint="write under [budget] for instance: bits = 4096; elsewhere, tee-sim hosts it",
                code="device.no_budget",
            )
        if manifest.replies is not Replies.CLOSED:
            raise WrongUsage(
                f"a device does not host {manifest.name}: its manifest says replies = "
                f'"{manifest.replies.name.lower()}"',
                hint='let it answer with closed records and write replies = "closed"; elsewhere, tee-sim hosts it',
                code="device.free_replies",
            )
    return ours


def boot_message(
    profile: LockProfile = LockProfile.STRICT,
    *,
    namespaces: bool = True,
    attests: bool = True,
    sensors: Sequence[SensorChoice] = (),
) -> Boot:
    """What to load and how to lock.

    Args:
        attests: whether the files of the whole product are measured too, for attestation.
        sensors: of the device.

    Raises:
        WrongUsage: as `hosted`.
    """
    packages = PACKAGES if attests else ()
    ours = hosted()
    soon = (ours[0].uuid,)  # the biometric application: asked at every start what it has erased
    return Boot(
        manifests=ours,
        profile=profile,
        namespaces=namespaces,
        packages=packages,
        soon=soon,
        sensors=tuple(sensor.manifest() for sensor in sensors),
        sensor_folders=tuple(os.fsencode(sensor.folder) for sensor in sensors),
    )
