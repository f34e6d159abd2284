"""Hand a test a machine with its trusted applications: sessions, restarts, power cuts and faults in one object."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from tee_sim.normal.captured import Captured
from tee_sim.normal.client import Context, Session
from tee_sim.normal.machine.applications import Application, SensorSource
from tee_sim.normal.machine.machine import Machine
from tee_sim.normal.machine.options import MachineOptions
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.shared.native_run import NativeRun
from tee_sim.shared.params import NO_PARAMS, Params
from tee_sim.shared.wire import LockProfile
from tee_sim.testing.faults.machine_faults import MachineFaults
from tee_sim.testing.in_process_machine import TEST_SECRET, begin_in_process

MODES = ("process", "locked", "debug")
"""In the test's process; locked, the real thing; locked by the profile that denies instead of killing."""
_PROFILES = {
    "locked": (LockProfile.STRICT, Level.ENFORCED),
    "debug": (LockProfile.PERMISSIVE_DEBUG, Level.PARTIAL),
}
FIRST_MS = 1_767_225_600_000
"""Where the stepped clock of every machine of a test begins: 2026-01-01, so that runs are alike."""


class Tee:
    """What the fixture `tee` is.

    Attributes:
        mode: one of `MODES`.
        notes: what no answer says: why the secure world was started again.
    """

    def __init__(self, machine: Machine, mode: str, faults: MachineFaults, notes: list[str]) -> None:
        self._machine = machine
        self._faults = faults
        self.mode = mode
        self.notes = notes

    @property
    def context(self) -> Context:
        """The client API: sessions by UUID, time, key renewal."""
        return self._machine.context

    @property
    def path(self) -> Path:
        """The machine's directory."""
        return self._machine.path

    def uuid(self, name: str = "") -> UUID:
        """The identity of an application under test, by name; of the only one without.

        Raises:
            LookupError: there is none of this name, or there are several.
        """
        manifests = [a.manifest for a in self._machine.applications]
        found = [m.ta_uuid for m in manifests if name in ("", m.name)]
        if len(found) != 1:
            raise LookupError(f"under test are: {', '.join(m.name for m in manifests)}; {name or 'no name'} was given")
        return found[0]

    def session(self, name: str = "", params: Params = NO_PARAMS) -> Session:
        """Open a session with an application under test. Raises LookupError as `uuid`, TeeError as `open_session`."""
        return self.context.open_session(self.uuid(name), params)

    def capture(self, sensor: str, picture: bytes) -> Captured:
        """Have a sensor under test read a picture. Raises TeeError as `Context.capture`."""
        return self.context.capture(sensor, picture)

    def restart(self) -> None:
        """Shut down in order, and boot again."""
        self._machine.restart()

    def power_cut(self) -> None:
        """Cut the power now, and boot again."""
        self._machine.power_cut()

    def fault(self, plan: str) -> None:
        """Have disk and RPMB go wrong by this plan from now on; empty ends it.

        Raises:
            TeeError: BAD_PARAMETERS, with the rule that is wrong.
        """
        self._faults.set(plan)

    @property
    def fired(self) -> tuple[str, ...]:
        """Which faults of the current plan have happened."""
        return tuple(f"{fault.point}: {fault.action}" for fault in self._faults.plan.fired)

    def advance_clock(self, ms: int) -> None:
        """Move the machine's clock forward."""
        self.context.advance_clock(ms)


@contextmanager
def machine_for_test(
    applications: Sequence[Application],
    mode: str = "process",
    *,
    fault: str = "",
    sensors: Sequence[SensorSource] = (),
) -> Iterator[Tee]:
    """A new machine for one test, gone afterwards.

    Raises:
        TeeError: as `Machine.open`.
    """
    notes: list[str] = []
    faults = MachineFaults(fault)
    profile, level = _PROFILES.get(mode, _PROFILES["locked"])
    options = MachineOptions(
        profile=profile,
        level=level,
        secret=TEST_SECRET,
        stepped_wall_ms=FIRST_MS,
        seed=bytes(32),
        faults=faults,
        native=faults.plan.of_native(NativeRun()),
        note=notes.append,
        begin=begin_in_process if mode == "process" else None,
    )
    with (
        tempfile.TemporaryDirectory(prefix="tee-sim-") as folder,
        Machine.open(Path(folder) / "machine", applications, options, sensors=sensors) as machine,
    ):
        yield Tee(machine, mode, faults, notes)
