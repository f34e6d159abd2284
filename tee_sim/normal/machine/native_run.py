"""What BOOT says of native applications: where the kit that hosts them lies, and what watches them."""

import os
from collections.abc import Sequence
from dataclasses import replace

from tee_sim.normal.dev_kit import kit_folder
from tee_sim.normal.machine.applications import Application
from tee_sim.normal.machine.options import MachineOptions
from tee_sim.shared.native_run import NativeRun


def native_run_of(applications: Sequence[Application], options: MachineOptions) -> NativeRun:
    """As BOOT carries it; the kit is built if need be.

    Raises:
        MachineError: as `tee_sim.normal.dev_kit.kit_folder`.
    """
    if not any(application.manifest.native for application in applications):
        return NativeRun()
    return replace(options.native, kit=os.fsencode(kit_folder()))
