"""Every error has a code, something that can be done, and an exit status that says whose turn it is."""

import pytest

from tee_sim.cli.exit_codes import ExitStatus, code_of, exit_of, hint_of
from tee_sim.normal.machine.errors import RESULTS, MachineError
from tee_sim.shared.errors import Origin, TeeError, TeeResult


@pytest.mark.parametrize("result", [r for r in TeeResult if r is not TeeResult.SUCCESS])
@pytest.mark.parametrize("origin", Origin)
def test_every_result(result: TeeResult, origin: Origin) -> None:
    error = TeeError(result, "no", origin=origin)
    assert hint_of(error)
    assert code_of(error) == f"tee.{result.name.lower()}"
    assert exit_of(error) not in (ExitStatus.OK, ExitStatus.UNEXPECTED, ExitStatus.USAGE)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TeeError(TeeResult.BAD_STATE, "no", origin=Origin.TRUSTED_APP), ExitStatus.NO),
        (TeeError(TeeResult.BAD_PARAMETERS, "no", origin=Origin.API), ExitStatus.INPUT_REFUSED),
        (TeeError(TeeResult.TARGET_DEAD, "no", origin=Origin.TEE), ExitStatus.UNAVAILABLE),
        (TeeError(TeeResult.TIMEOUT, "no", origin=Origin.COMMS), ExitStatus.UNAVAILABLE),
        (TeeError(TeeResult.SECURITY, "no", origin=Origin.TEE), ExitStatus.INTEGRITY),
        (TeeError(TeeResult.SECURITY, "no", origin=Origin.TRUSTED_APP), ExitStatus.NO),
        (TeeError(0x1234, "an application's own", origin=Origin.TRUSTED_APP), ExitStatus.NO),
        (MachineError("machine.in_use", "no", hint="wait"), ExitStatus.MACHINE_REFUSED),
        (MachineError("machine.foreign", "no", hint="another"), ExitStatus.MACHINE_REFUSED),
        (MachineError("machine.fuse_damaged", "no", hint="another"), ExitStatus.INTEGRITY),
        (MachineError("machine.path", "no", hint="another"), ExitStatus.INPUT_REFUSED),
        (MachineError("machine.power", "no", hint="again"), ExitStatus.UNAVAILABLE),
    ],
)
def test_whose_turn_it_is(error: TeeError, status: ExitStatus) -> None:
    assert exit_of(error) is status


@pytest.mark.parametrize("code", RESULTS)
def test_every_code_of_a_machine(code: str) -> None:
    error = MachineError(code, "no", hint="do this")
    assert (code_of(error), hint_of(error)) == (code, "do this")
    assert exit_of(error) in (
        ExitStatus.INPUT_REFUSED, ExitStatus.MACHINE_REFUSED, ExitStatus.UNAVAILABLE, ExitStatus.INTEGRITY,
    )  # fmt: skip
