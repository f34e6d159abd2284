"""`bioguard pin`: PINs of users, and ending a lockout with one."""

from pathlib import Path

import click

from bioguard.cli.output import Result
from bioguard.cli.secrets import pin_file_option, read_pin
from bioguard.cli.sensors_shown import names_of
from bioguard.cli.state import CliState, pass_state
from bioguard.cli.token_files import token_option
from bioguard.device import clock
from bioguard.device.pins import has_pin, lock_info, set_pin, unlock, verify_pin
from bioguard.device.strong_auth_rules import android_fallback, apple_fallback
from bioguard.device.strong_auth_times import record_unlock, unlock_times
from bioguard.errors import BioguardError, NotPermitted
from bioguard.exit_codes import ExitCode
from bioguard.records.strength import SensorStrength
from bioguard.text import word
from bioguard.user_files import check_output, write_output
from tee_sim.shared.limits import U64_MAX

_CURRENT = "give --current-pin-file FILE; or --reset, which replaces the PIN without it and gives a new secure user id"


@click.group()
def pin() -> None:
    """Set and check PINs. A PIN comes from a prompt, a file or standard input, never from a flag."""


@pin.command("set")
@click.argument("user")
@pin_file_option
@click.option(
    "--current-pin-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The present PIN; without it a changed PIN loses what was bound to the old one.",
    metavar="FILE",
)
@click.option("--reset", is_flag=True, help="Replace a PIN without knowing it.")
@pass_state
def change(state: CliState, user: str, pin_file: Path | None, current_pin_file: Path | None, reset: bool) -> Result:
    """Set or change the PIN of USER. With the present PIN the secure user id stays; with --reset it changes.

    \b
    Examples:
      bioguard pin set alice
      echo 4711 | bioguard pin set alice --pin-file -
    """
    with state.device() as device:
        known = has_pin(device, user)
        current = None
        if known and not reset:
            current = read_pin(state, current_pin_file, prompt="Current PIN", ways=_CURRENT)
        fresh = read_pin(state, pin_file, prompt="New PIN", confirm=True)
        secure_user_id = set_pin(device, user, fresh, current=current)
    outcome = "changed" if current is not None else "set"
    return Result(
        outcome=outcome,
        data={"user": user, "secure_user_id": f"{secure_user_id:016x}", "secure_user_id_kept": current is not None},
        lines=[f"PIN of {user} {outcome}; secure user id {secure_user_id:016x}"],
        next_step=f"bioguard consent grant {user} --purpose unlock --of-age",
    )


@pin.command()
@click.argument("user")
@pin_file_option
@click.option("--challenge", type=click.IntRange(0, U64_MAX), default=0, help="Goes into the token.  [default: 0]")
@token_option
@pass_state
def verify(state: CliState, user: str, pin_file: Path | None, challenge: int, token_file: Path | None) -> Result:
    """Check the PIN of USER. Exit 0 if it is right, 3 if it is wrong, 5 while it is throttled."""
    if token_file is not None:
        check_output(token_file)
    with state.device() as device:
        try:
            token = verify_pin(device, user, read_pin(state, pin_file), challenge=challenge)
        except NotPermitted as error:
            if error.code != "pin.wrong":
                raise
            return _wrong(user, error)
        record_unlock(device.directory, device.user_handle(user), clock.now(device).boot_ms, credential=True)
    if token_file is not None:
        write_output(token_file, token, private=True)
    return Result(
        outcome="right",
        data={"user": user, "token_file": str(token_file) if token_file else None},
        lines=["the PIN is right", *([f"token written to {token_file}"] if token_file else [])],
    )


def _wrong(user: str, error: BioguardError) -> Result:
    return Result(
        outcome="wrong",
        data={"user": user, "token_file": None},
        lines=[error.message],
        exit_code=ExitCode.NO,
    )


@pin.command("unlock")
@click.argument("user")
@pin_file_option
@pass_state
def end_lockout(state: CliState, user: str, pin_file: Path | None) -> Result:
    """End a lockout of USER's fingers and faces with the PIN."""
    with state.device() as device:
        unlock(device, user, read_pin(state, pin_file))
        record_unlock(device.directory, device.user_handle(user), clock.now(device).boot_ms, credential=True)
    return Result(outcome="unlocked", data={"user": user}, lines=[f"unlocked {user}"])


@pin.command()
@click.argument("user")
@pass_state
def status(state: CliState, user: str) -> Result:
    """Show whether USER has a PIN, is locked, and whether a framework would ask for the PIN before a biometric.

    The last part follows Android's and Apple's timers over what `pin verify` and `authenticate` saw since the boot.
    """
    with state.device() as device:
        known = has_pin(device, user)
        locks = {
            name: lock_info(device, user, props.kind, props.sensor_id)
            for name, props in names_of(device.configuration.sensor_table).items()
        }
        now_ms = clock.now(device).boot_ms
        times = unlock_times(device.directory, device.user_handle(user), now_ms)
    reasons = {f"android {s.name.lower()}": android_fallback(times, s, now_ms) for s in SensorStrength}
    reasons["apple"] = apple_fallback(times, now_ms)
    return Result(
        outcome="shown",
        data={
            "user": user,
            "has_pin": known,
            "locks": {
                name: {"lock": word(info.lock), "remaining_ms": info.remaining_ms} for name, info in locks.items()
            },
            "pin_needed": {name: reason.name.lower() if reason else None for name, reason in reasons.items()},
        },
        lines=[
            f"PIN: {'set' if known else 'none'}",
            *(f"{name}: lock {word(info.lock)}, {info.remaining_ms} ms left" for name, info in locks.items()),
            *(
                f"{name}: {f'PIN first, {reason.value}' if reason else 'biometric is enough'}"
                for name, reason in reasons.items()
            ),
        ],
    )
