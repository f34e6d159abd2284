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


OWN = "the result is the application's own: look there for what raises it"


@pytest.mark.parametrize(
    ("result", "origin", "hint"),
    [
        *((result, Origin.TRUSTED_APP, OWN) for result in (
            TeeResult.ITEM_NOT_FOUND, TeeResult.BUSY, TeeResult.SECURITY, TeeResult.CORRUPT_OBJECT,
            TeeResult.STORAGE_NO_SPACE, TeeResult.TARGET_DEAD, TeeResult.BAD_STATE, TeeResult(0x1234),
        )),
        (
            TeeResult.ITEM_NOT_FOUND,
            Origin.TEE,
            "look at what is hosted (tee-sim list PATH), and in the application at the object that it reads",
        ),
        (
            TeeResult.BUSY,
            Origin.TEE,
            "close the other session, or add the flag multi_session to the manifest; where none is open, repeat the "
            "command",
        ),
        (TeeResult.BAD_FORMAT, Origin.API, "nothing was sent: look at what was given"),
        (TeeResult.BAD_STATE, Origin.TEE, "the secure world refused: look in the application at what it asked for"),
        (
            TeeResult.COMMUNICATION,
            Origin.COMMS,
            "repeat the command; where that does not help, run: tee-sim check PATH",
        ),
        (
            TeeResult.SHORT_BUFFER,
            Origin.TRUSTED_APP,
            "give an output more room: the size that is needed stands with the parameter",
        ),
    ],
)  # fmt: skip
def test_a_hint_goes_by_result_and_origin(result: TeeResult, origin: Origin, hint: str) -> None:
    assert hint_of(TeeError(result, "no", origin=origin)) == hint


@pytest.mark.parametrize("result", [r for r in TeeResult if r is not TeeResult.SUCCESS])
@pytest.mark.parametrize("origin", Origin)
def test_no_hint_says_to_do_what_was_done(result: TeeResult, origin: Origin) -> None:
    error = TeeError(result, "no", origin=origin)
    assert "--debug" not in hint_of(error, debugged=True)
    assert ("application's own" in hint_of(error)) <= (origin is Origin.TRUSTED_APP)


@pytest.mark.parametrize("code", RESULTS)
def test_every_code_of_a_machine(code: str) -> None:
    error = MachineError(code, "no", hint="do this")
    assert (code_of(error), hint_of(error)) == (code, "do this")
    assert exit_of(error) in (
        ExitStatus.INPUT_REFUSED, ExitStatus.MACHINE_REFUSED, ExitStatus.UNAVAILABLE, ExitStatus.INTEGRITY,
    )  # fmt: skip
