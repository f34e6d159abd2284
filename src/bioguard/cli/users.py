"""`bioguard user`: who may enroll."""

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.errors import NotPermitted

__all__ = ["user"]


@click.group()
def user() -> None:
    """Add, list and remove users. Names stay outside the secure world, which knows 16 random bytes."""


@user.command()
@click.argument("name")
@pass_state
def add(state: CliState, name: str) -> Result:
    """Add a user."""
    with state.device() as device:
        device.add_user(name)
    return Result(
        command="user-add",
        outcome="added",
        data={"user": name},
        lines=[f"added {name}"],
        next_step=f"bioguard pin set {name}",
    )


@user.command("list")
@pass_state
def list_(state: CliState) -> Result:
    """List the users."""
    with state.device() as device:
        names = device.users()
    return Result(
        command="user-list",
        outcome="listed",
        data={"users": names},
        lines=names or ["no users"],
    )


@user.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Do not ask.")
@pass_state
def remove(state: CliState, name: str, force: bool) -> Result:
    """Erase all records of a user, then forget the name."""
    if not force:
        if state.no_input:
            raise NotPermitted("removal needs a confirmation", hint="add --force", code="user.remove_unconfirmed")
        click.confirm(f"Erase everything of {name}?", abort=True, err=True)
    with state.device() as device:
        device.remove_user(name)
    return Result(command="user-remove", outcome="removed", data={"user": name}, lines=[f"removed {name}"])
