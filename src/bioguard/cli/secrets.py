"""How a PIN gets in: a prompt without echo, a file, or standard input. Never a flag, never the environment."""

import codecs
import sys
from pathlib import Path

import click

from bioguard.cli.state import CliState
from bioguard.commands.gatekeeper import MAX_PIN_BYTES
from bioguard.device import Device
from bioguard.device.pins import has_pin, verify_pin
from bioguard.errors import InputRefused
from bioguard.printable import printable
from bioguard.user_files import open_input

pin_file_option = click.option(
    "--pin-file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Read the PIN from the first line of FILE; - is standard input.",
    metavar="FILE",
)


def read_pin(
    state: CliState,
    pin_file: Path | None,
    *,
    prompt: str = "PIN",
    confirm: bool = False,
    ways: str = "give --pin-file FILE, or - for standard input",
) -> bytes:
    """The PIN as bytes of UTF-8, as a keyboard gives it: what a file has around it must not become part of the PIN.

    Args:
        ways: the hint when there is no way to ask.

    Raises:
        InputRefused: no way to ask, unreadable file, empty, too long, or no text that can be typed.
    """
    if pin_file is None:
        if state.no_input or not sys.stdin.isatty():
            raise InputRefused(f"{_article(prompt)} is needed", hint=ways, code="pin.missing")
        text: str = click.prompt(printable(prompt), hide_input=True, confirmation_prompt=confirm, err=True)
        data = text.encode("utf-8", "surrogateescape")
    else:
        data = _first_line(state, _line_of(pin_file, MAX_PIN_BYTES + len(codecs.BOM_UTF8) + 2))
    if not 1 <= len(data) <= MAX_PIN_BYTES:
        raise InputRefused(f"a PIN has 1 to {MAX_PIN_BYTES} bytes", hint="give another one", code="pin.length")
    if not _can_be_typed(data):
        raise InputRefused(
            "the PIN is no UTF-8 text, or holds a control character", hint=_SAVE_AS_UTF8, code="pin.encoding"
        )
    return data


def _line_of(path: Path, most_bytes: int) -> bytes:
    """The first line of a file or, for `-`, of standard input."""
    if str(path) == "-":
        return sys.stdin.buffer.readline(most_bytes)
    try:
        with open_input(path) as file:
            return file.readline(most_bytes)
    except OSError as error:
        raise InputRefused(
            f"{path}: {error.strerror or 'cannot be read'}", hint="check the path", code="input.unreadable"
        ) from error


_SAVE_AS_UTF8 = "save the file as UTF-8 text, for instance: printf 4711 > pin.txt"
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def _article(prompt: str) -> str:
    return "a PIN" if prompt == "PIN" else f"the {prompt[0].lower()}{prompt[1:]}"


def _first_line(state: CliState, line: bytes) -> bytes:
    """Without its end and a byte order mark, which editors on Windows write before the text."""
    if line.startswith(_WIDE):
        raise InputRefused("the PIN file is UTF-16 or UTF-32 text", hint=_SAVE_AS_UTF8, code="pin.encoding")
    if line.startswith(codecs.BOM_UTF8):
        state.output.note("the PIN file begins with a byte order mark, which is not taken as part of the PIN")
    data = line.removeprefix(codecs.BOM_UTF8).removesuffix(b"\n").removesuffix(b"\r")
    if data != data.strip():
        state.output.note("the PIN in the file begins or ends with white space, which is part of it")
    return data


def _can_be_typed(data: bytes) -> bool:
    try:
        return data.decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return False


def person_token(state: CliState, device: Device, user: str, pin_file: Path | None) -> bytes:
    """A fresh PIN token of the user; empty for a user without a PIN, who can decide but not ask."""
    return verify_pin(device, user, read_pin(state, pin_file)) if has_pin(device, user) else b""
