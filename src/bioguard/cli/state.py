"""What every command is given: global options, the output, and a way to the device."""

from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioguard.cli.output import Output
from bioguard.errors import NotPermitted
from bioguard.printable import printable
from tee_sim.shared.dataclass import dataclass

if TYPE_CHECKING:
    from bioguard.device import Device, DeviceOptions
    from bioguard.device.hooks import MakeHooks


@dataclass(slots=True, kw_only=True)
class CliState:
    """Global options of one run.

    Attributes:
        named: whether the directory was given, as an option or in the environment.
        seed, clock, allow_level, storage_log: as they stood on the command line.
    """

    directory: Path
    output: Output
    no_input: bool
    named: bool = False
    seed: str | None = None
    clock: str | None = None
    allow_level: str | None = None
    storage_log: Path | None = None
    _options: "DeviceOptions | None" = field(default=None, init=False)

    @property
    def options(self) -> "DeviceOptions":
        """The options of a device, as far as this run chooses them.

        Raises:
            InputRefused: the clock is none, or the storage log cannot be written.
        """
        from bioguard.cli.opening import device_options  # noqa: PLC0415 - loads all that a device is made of

        if self._options is None:
            self._options = device_options(
                self.output,
                seed=self.seed,
                clock=self.clock,
                allow_level=self.allow_level,
                storage_log=self.storage_log,
            )
        return self._options

    def device(self, *, caches: bool = True, hooks: "MakeHooks | None" = None) -> "Device":
        """Start the device's secure world. Use it as a context manager. Open incidents are noted first.

        Args:
            caches: as of `DeviceOptions`; a command that starts without is in `command_line.WITHOUT_CACHES`.
            hooks: in place of those that play the scenario saved with the device.
        """
        from bioguard.cli.opening import open_device  # noqa: PLC0415 - as above

        options = replace(self.options, caches=caches, hooks=hooks or self.options.hooks)
        return open_device(self.directory, options, self.output)

    def confirm(self, question: str, *, force: bool, code: str) -> None:
        """Ask, unless `--force` was given. Raises NotPermitted with this code if there is nobody to ask."""
        if force:
            return
        if self.no_input:
            raise NotPermitted("this needs a confirmation", hint="add --force", code=code)
        click.confirm(printable(question), abort=True, err=True)


def note_testing(state: CliState, device: "Device") -> None:
    """Say on standard error that a device is for testing, where the answer has no field or line for it.

    Asked of the secure world, and so not at every command: scenarios count the messages that they let pass.
    """
    if device.configuration.for_testing:
        state.output.note("this device is FOR TESTING: callers choose how alike is enough, and no match gives a token")


pass_state = click.make_pass_decorator(CliState)
