"""`bioguard token`: look at and check 69-byte auth tokens."""

from pathlib import Path

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.device.credentials import check_token
from bioguard.errors import InputRefused
from bioguard.exit_codes import ExitCode
from bioguard.records.tokens import AuthenticatorType, AuthToken, TokenRejected

__all__ = ["token"]

KEY_BYTES = 32
MAX_FILE_BYTES = 4096


def _read(path: Path) -> bytes:
    """A token file: 69 bytes, or their hexadecimal digits."""
    try:
        with click.open_file(str(path), "rb") as file:
            data: bytes = file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise InputRefused(
            f"{path}: {error.strerror or 'cannot be read'}", hint="check the path", code="input.unreadable"
        ) from error
    if len(data) != AuthToken.SIZE_BYTES:
        try:
            return bytes.fromhex(data.decode("ascii"))
        except ValueError:
            return data
    return data


def _fields(token: AuthToken) -> dict[str, object]:
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


def _lines(token: AuthToken) -> list[str]:
    shown = {k: ", ".join(v) if isinstance(v, list) else v for k, v in _fields(token).items()}
    return [f"{name + ':':<26}{value}" for name, value in shown.items()]


file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))


@click.group()
def token() -> None:
    """Decode and check auth tokens (docs/formats/token.md). The MAC is a credential and is not shown."""


@token.command()
@file_argument
@pass_state
def show(_state: CliState, file: Path) -> Result:
    """Decode a token. Says nothing about whether it is genuine; needs no device."""
    seen = AuthToken.from_bytes(_read(file))
    return Result(
        command="token-show",
        outcome="decoded",
        data={"token": _fields(seen), "verified": None},
        lines=[*_lines(seen), "not verified: run bioguard token verify"],
    )


@token.command()
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
    data = _read(file)
    try:
        if key_file is not None:
            seen = AuthToken.from_bytes(data).verify(_key(key_file))
        else:
            AuthToken.from_bytes(data)
            with state.device() as device:
                seen = check_token(device, data)
    except TokenRejected as error:
        return Result(
            command="token-verify",
            outcome="rejected",
            data={"token": _fields(AuthToken.from_bytes(data)), "verified": False},
            lines=[error.message],
            exit_code=ExitCode.NO,
        )
    return Result(
        command="token-verify",
        outcome="verified",
        data={"token": _fields(seen), "verified": True},
        lines=["verified", *_lines(seen)],
    )


def _key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except OSError as error:
        raise InputRefused(
            f"{path}: {error.strerror or 'cannot be read'}", hint="check the path", code="input.unreadable"
        ) from error
    if len(key) != KEY_BYTES:
        raise InputRefused(f"{path}: a token key has {KEY_BYTES} bytes", hint="raw bytes, not text", code="token.key")
    return key
