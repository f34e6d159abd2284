"""`bioguard user`: who may enroll."""

from pathlib import Path

import click

from bioguard.cli.erasing import (
    confirm_erasure,
    erase_authorization,
    erase_options,
    erased_lines,
    receipt_option,
    receipt_step,
    write_receipt,
)
from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state


@click.group()
def user() -> None:
    """Add, list and remove users. Names stay outside the secure world, which knows 16 random bytes."""


@user.command()
@click.argument("name")
@pass_state
def add(state: CliState, name: str) -> Result:
    """Add a user. A name that people would take for another user's, by case or by look-alike letters, is refused."""
    with state.device() as device:
        device.add_user(name)
    return Result(outcome="added", data={"user": name}, lines=[f"added {name}"], next_step=f"bioguard pin set {name}")


@user.command("list")
@pass_state
def show_names(state: CliState) -> Result:
    """List the users."""
    with state.device() as device:
        names = device.users()
    return Result(outcome="listed", data={"users": names}, lines=names or ["no users"])


@user.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Do not ask.")
@receipt_option
@erase_options
@pass_state
def remove(
    state: CliState, name: str, *, force: bool, receipt: Path | None, operator: bool, pin_file: Path | None
) -> Result:
    """Erase all records of a user, then forget the name. A user with a PIN is asked for it."""
    confirm_erasure(state, f"everything of {name}", force=force, receipt=receipt)
    with state.device() as device:
        authorization = erase_authorization(state, device, name, pin_file, operator=operator)
        digests = list(device.remove_user(name, authorization))
        written = write_receipt(state, device, digests, receipt)
    return Result(
        outcome="removed",
        data={"user": name, "erased": digests, "receipt": str(receipt) if written else None},
        lines=[f"removed {name}", *erased_lines(digests), *written],
        next_step=receipt_step(digests, written),
    )
