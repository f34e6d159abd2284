"""`bioguard token verify`: by the device that made it, or by the key of an application of one's own."""

from pathlib import Path

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.cli.token_files import file_argument, read_key, read_token, token_fields, token_lines
from bioguard.device.pins import check_token
from bioguard.exit_codes import ExitCode
from bioguard.records.tokens import AuthToken, TokenRejected


@click.command()
@file_argument
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Check with the 32-byte token key in FILE instead of the device: for tokens of your own application.",
    metavar="FILE",
)
@pass_state
def verify(state: CliState, file: Path, key_file: Path | None) -> Result:
    """Check that this device made the token in this boot. Exit 0 if so, 3 if not.

    \b
    Example:
      bioguard authenticate alice probe.iso --token t.bin && bioguard token verify t.bin
    """
    data = read_token(file)
    try:
        if key_file is not None:
            seen = AuthToken.from_bytes(data).verify(read_key(key_file))
        else:
            AuthToken.from_bytes(data)
            with state.device() as device:
                seen = check_token(device, data)
    except TokenRejected as error:
        return Result(
            outcome="rejected",
            data={"token": token_fields(AuthToken.from_bytes(data)), "verified": False},
            lines=[error.message],
            exit_code=ExitCode.NO,
        )
    return Result(
        outcome="verified",
        data={"token": token_fields(seen), "verified": True},
        lines=["verified", *token_lines(seen)],
    )
