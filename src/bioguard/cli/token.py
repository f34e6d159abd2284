"""`bioguard token`: look at and check 69-byte auth tokens."""

import click

from tee_sim.lazy_group import LazyGroup, Table

COMMANDS: Table = {
    "agree": (
        "token_agree:agree_",
        "Agree on a token key as ISharedSecret does, and show the check value.",
    ),
    "show": ("token_files:show", "Decode a token."),
    "verify": ("token_verify:verify", "Check that this device made the token in this boot."),
}


@click.group(cls=LazyGroup, table=COMMANDS, package="bioguard.cli")
def token() -> None:
    """Decode and check auth tokens (docs/formats/token.md). The MAC is a credential and is not shown."""
