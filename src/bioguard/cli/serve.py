"""`bioguard serve`: a device for programs in any language."""

import sys

import click

from bioguard.cli.state import CliState, note_testing, pass_state
from bioguard.cli.streams import answer_lost
from bioguard.exit_codes import ExitCode
from bioguard.serve import loop
from bioguard.serve.methods import DeviceService


@click.command()
@click.option("--stdio", is_flag=True, required=True, help="Speak on standard input and output; there is no other way.")
@pass_state
def serve(state: CliState, stdio: bool) -> int:
    """Drive a device by CBOR frames on standard input and output (docs/formats/serve.md).

    Start it as a child process. It ends with its input. Nothing listens on any address.

    \b
    Example:
      cc -o client docs/examples/bioguard_client.c -lm && ./client bioguard --device ./phone serve --stdio
    """
    with state.device(caches=False) as device:  # it may be asked to attest
        note_testing(state, device)  # hello of protocol 1 has a field for a seed and none for this
        try:
            loop.serve(sys.stdin.buffer, sys.stdout.buffer, DeviceService(device, state.output.note))
        except OSError as error:
            lost = answer_lost(error)
            if lost is not None:
                raise lost from error
    return ExitCode.OK
