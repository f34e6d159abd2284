"""`bioguard serve`: a device for programs in any language."""

import sys
from typing import TYPE_CHECKING

import click

from bioguard.cli.state import CliState, note_testing, pass_state
from bioguard.cli.streams import answer_lost
from bioguard.exit_codes import ExitCode

if TYPE_CHECKING:
    from bioguard.device import Device


@click.command()
@click.option("--stdio", is_flag=True, required=True, help="Speak on standard input and output; there is no other way.")
@click.option(
    "--protocol", type=click.Choice(["1", "2"]), default="1", show_default=True, help="Version of the frames."
)
@pass_state
def serve(state: CliState, stdio: bool, protocol: str) -> int:
    """Drive a device by CBOR frames on standard input and output (docs/formats/serve.md, serve-2.md).

    Start it as a child process. It ends with its input. Nothing listens on any address. Version 2 has sessions with
    their events as Android's fingerprint and face HALs have them, keys, log, clock and faults.

    \b
    Example:
      cc -o client docs/examples/bioguard_client.c -lm && ./client bioguard --device ./phone serve --stdio
    """
    with state.device(caches=False) as device:  # it may be asked to attest
        note_testing(state, device)  # hello of protocol 1 has a field for a seed and none for this
        try:
            _PROTOCOLS[protocol](state, device)
        except OSError as error:
            lost = answer_lost(error)
            if lost is not None:
                raise lost from error
    return ExitCode.OK


def _version_1(state: CliState, device: "Device") -> None:
    from bioguard.serve import loop  # noqa: PLC0415 - one version is loaded, not both
    from bioguard.serve.methods import DeviceService  # noqa: PLC0415

    loop.serve(sys.stdin.buffer, sys.stdout.buffer, DeviceService(device, state.output.note))


def _version_2(state: CliState, device: "Device") -> None:
    from bioguard.serve.v2.conversation import Conversation  # noqa: PLC0415 - as above
    from bioguard.serve.v2.pipe import converse, writer  # noqa: PLC0415

    converse(sys.stdin.fileno(), Conversation(device, writer(sys.stdout.buffer), note=state.output.note))


_PROTOCOLS = {"1": _version_1, "2": _version_2}
