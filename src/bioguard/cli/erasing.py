"""What every command that erases has in common: who authorizes it, and the receipt."""

from collections.abc import Callable, Iterable, Sequence, Sized
from pathlib import Path
from typing import Any, TypeVar

import click

from bioguard.cli.secrets import person_token, pin_file_option
from bioguard.cli.state import CliState
from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import Device
from bioguard.errors import InputRefused
from bioguard.user_files import check_output, write_output

F = TypeVar("F", bound=Callable[..., Any])

receipt_option = click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a receipt for what is erased to FILE, which must be new.",
    metavar="FILE",
)
_operator_option = click.option(
    "--operator", is_flag=True, help="Without the person's PIN, for instance a forgotten one. The log tells."
)


def erase_options(command: F) -> F:
    """`--pin-file` and `--operator`."""
    return pin_file_option(_operator_option(command))


def erase_authorization(
    state: CliState, device: Device, user: str, pin_file: Path | None, *, operator: bool
) -> EraseAuthorization:
    """Return the operator's authorization, or the person's: a token of their PIN, if they have one."""
    return (
        EraseAuthorization(by_operator=True)
        if operator
        else EraseAuthorization(token=person_token(state, device, user, pin_file))
    )


def confirm_erasure(state: CliState, what: str, *, force: bool, receipt: Path | None) -> None:
    """Look at the receipt's place and ask, before anything is erased. Raises as `check_output` and `confirm`."""
    if receipt is not None:
        check_output(receipt, new=True, code="receipt.exists")
    state.confirm(f"Erase {what}?", force=force, code="erase.unconfirmed")


def erased_lines(digests: Iterable[str]) -> list[str]:
    """What was erased, for people."""
    return [f"erased the record with digest {digest}" for digest in digests]


def receipt_step(digests: Sized, written: Sized) -> str:
    """The next step after an erasure: a receipt, if something was erased and none was written."""
    return "bioguard log receipt DIGEST --out receipt.json" if digests and not written else ""


def write_receipt(state: CliState, device: Device, digests: Sequence[str], path: Path | None) -> list[str]:
    """Write the receipt, if one is wanted and something was erased; return the line that says how to check it.

    A receipt that cannot be written is no reason to report a failure: the erasure has happened.
    """
    if path is None or not digests:
        return []
    from bioguard.device.receipts import erasure_receipt  # noqa: PLC0415 - loads signatures

    receipt = erasure_receipt(device, digests)
    try:
        write_output(path, receipt.to_text().encode(), new=True)
    except InputRefused as error:
        again = f"bioguard log receipt {' '.join(digests)}"
        state.output.note(f"{error.message}; the records are erased, for the receipt run: {again}")
        return []
    return [f"receipt written to {path}; check it anywhere: bioguard log verify {path} --key {receipt.key.vkey}"]
