"""How a PIN gets in: a prompt without echo, a file, or standard input. Never a flag, never the environment."""

import sys
from pathlib import Path

import click

from bioguard.cli.state import CliState
from bioguard.commands.gatekeeper import MAX_PIN_BYTES
from bioguard.device import Device
from bioguard.device.credentials import has_pin, verify_pin
from bioguard.errors import InputRefused

__all__ = ["person_token", "pin_file_option", "read_pin"]

pin_file_option = click.option(
    "--pin-file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Read the PIN from the first line of FILE; - is standard input.",
    metavar="FILE",
)


def read_pin(state: CliState, pin_file: Path | None, *, prompt: str = "PIN", confirm: bool = False) -> bytes:
    """The PIN as bytes.

    Raises:
        InputRefused: no way to ask, unreadable file, empty or too long.
    """
    if pin_file is None:
        if state.no_input or not sys.stdin.isatty():
            raise InputRefused(
                "a PIN is needed", hint="give --pin-file FILE, or - for standard input", code="pin.missing"
            )
        text: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
        data = text.encode()
    else:
        try:
            with click.open_file(str(pin_file), "rb") as file:
                data = file.readline(MAX_PIN_BYTES + 2).removesuffix(b"\n").removesuffix(b"\r")
        except OSError as error:
            raise InputRefused(
                f"{pin_file}: {error.strerror or 'cannot be read'}", hint="check the path", code="input.unreadable"
            ) from error
    if not 1 <= len(data) <= MAX_PIN_BYTES:
        raise InputRefused(f"a PIN has 1 to {MAX_PIN_BYTES} bytes", hint="give another one", code="pin.length")
    return data


def person_token(state: CliState, device: Device, user: str, pin_file: Path | None) -> bytes:
    """A fresh PIN token of the user; empty for a user without a PIN, who can decide but not ask."""
    return verify_pin(device, user, read_pin(state, pin_file)) if has_pin(device, user) else b""
