"""`bioguard token agree`: a token key for applications that live apart."""

from pathlib import Path

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.cli.token_files import read_key
from bioguard.errors import InputRefused
from bioguard.hal.shared_secret import SharingParameters, agree, check_value, confirm
from bioguard.user_files import check_output, write_output


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


@click.command("agree")
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
    agreed = agree(read_key(pre_shared_file), parties)
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
