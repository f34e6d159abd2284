"""`bioguard token`: look at and check 69-byte auth tokens."""

import sys
from pathlib import Path

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.device.pins import check_token
from bioguard.errors import InputRefused
from bioguard.exit_codes import ExitCode
from bioguard.hal.shared_secret import SharingParameters, agree, check_value, confirm
from bioguard.records.tokens import AuthenticatorType, AuthToken, TokenRejected
from bioguard.user_files import check_output, read_input, write_output

KEY_BYTES = 32
MAX_FILE_BYTES = 4096


def _read(path: Path) -> bytes:
    """A token file: 69 bytes, or their hexadecimal digits."""
    data = sys.stdin.buffer.read(MAX_FILE_BYTES) if str(path) == "-" else read_input(path, most_bytes=MAX_FILE_BYTES)
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
            outcome="rejected",
            data={"token": _fields(AuthToken.from_bytes(data)), "verified": False},
            lines=[error.message],
            exit_code=ExitCode.NO,
        )
    return Result(
        outcome="verified",
        data={"token": _fields(seen), "verified": True},
        lines=["verified", *_lines(seen)],
    )


class Party(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 only
    """What one party contributes: SEED:NONCE in hexadecimal; the seed may be empty."""

    name = "SEED:NONCE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> SharingParameters:
        seed, colon, nonce = str(value).partition(":")
        try:
            if not colon:
                raise ValueError
            return SharingParameters(bytes.fromhex(seed), bytes.fromhex(nonce))
        except (ValueError, InputRefused):
            self.fail("write hexadecimal SEED:NONCE, a seed of 0 or 32 bytes and a nonce of 32", param, ctx)


@token.command("agree")
@click.argument("parties", nargs=-1, required=True, type=Party())
@click.option(
    "--pre-shared-file",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The 32-byte pre-shared key.",
    metavar="FILE",
)
@click.option(
    "--key-out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the token key here, mode 0600.",
    metavar="FILE",
)
@click.option("--expect", help="Check value of another party, in hexadecimal.")
@pass_state
def agree_(
    _state: CliState,
    parties: tuple[SharingParameters, ...],
    pre_shared_file: Path,
    key_out: Path | None,
    expect: str | None,
) -> Result:
    """Agree on a token key as ISharedSecret does, and show the check value. For applications that live apart.

    \b
    Example (one party without a seed):
      bioguard token agree --pre-shared-file k.bin :$(openssl rand -hex 32)
    """
    if key_out is not None:
        check_output(key_out)
    agreed = agree(_key(pre_shared_file), parties)
    if expect is not None:
        try:
            confirm(agreed, [bytes.fromhex(expect)])
        except ValueError:
            raise InputRefused("--expect is not hexadecimal", hint="give 64 digits", code="token.sharing") from None
    if key_out is not None:
        write_output(key_out, agreed, private=True)
    value = check_value(agreed).hex()
    return Result(
        outcome="agreed",
        data={"check_value": value, "parties": len(parties), "key_file": str(key_out) if key_out else None},
        lines=[f"check value {value}", *([f"token key written to {key_out}"] if key_out else [])],
    )


def _key(path: Path) -> bytes:
    key = read_input(path, most_bytes=MAX_FILE_BYTES)
    if len(key) != KEY_BYTES:
        raise InputRefused(f"{path}: a token key has {KEY_BYTES} bytes", hint="raw bytes, not text", code="token.key")
    return key
