"""`bioguard token show`, and the files that the commands about tokens read."""

import sys
from pathlib import Path

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.errors import InputRefused
from bioguard.records.tokens import AuthenticatorType, AuthToken
from bioguard.user_files import read_input

KEY_BYTES = 32
MAX_FILE_BYTES = 4096


def read_token(path: Path) -> bytes:
    """A token file: 69 bytes, or their hexadecimal digits."""
    data = sys.stdin.buffer.read(MAX_FILE_BYTES) if str(path) == "-" else read_input(path, most_bytes=MAX_FILE_BYTES)
    if len(data) != AuthToken.SIZE_BYTES:
        try:
            return bytes.fromhex(data.decode("ascii"))
        except ValueError:
            return data
    return data


def token_fields(token: AuthToken) -> dict[str, object]:
    kind = token.authenticator_type
    names = [t.name for t in (AuthenticatorType.PASSWORD, AuthenticatorType.FINGERPRINT) if kind & t]
    return {
        "version": AuthToken.VERSION,
        "challenge": f"{token.challenge:016x}",
        "user_id": f"{token.user_id:016x}",
        "authenticator_id": f"{token.authenticator_id:016x}",
        "authenticator_type": f"{kind:08x}",
        "authenticator_type_names": names,
        "timestamp_ms": token.timestamp_ms,
    }


def token_lines(token: AuthToken) -> list[str]:
    shown = {k: ", ".join(v) if isinstance(v, list) else v for k, v in token_fields(token).items()}
    return [f"{name + ':':<26}{value}" for name, value in shown.items()]


token_option = click.option(
    "--token",
    "token_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the auth token here.",
    metavar="FILE",
)
file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))


def read_key(path: Path) -> bytes:
    """A token key: 32 raw bytes. Raises InputRefused."""
    key = read_input(path, most_bytes=MAX_FILE_BYTES)
    if len(key) != KEY_BYTES:
        raise InputRefused(f"{path}: a token key has {KEY_BYTES} bytes", hint="raw bytes, not text", code="token.key")
    return key


@click.command()
@file_argument
@pass_state
def show(_state: CliState, file: Path) -> Result:
    """Decode a token. Says nothing about whether it is genuine; needs no device."""
    seen = AuthToken.from_bytes(read_token(file))
    return Result(
        outcome="decoded",
        data={"token": token_fields(seen), "verified": None},
        lines=[*token_lines(seen), "not verified: run bioguard token verify"],
    )
