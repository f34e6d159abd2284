"""`bioguard serve`: a device for programs in any language."""

import sys
from collections.abc import Callable

import click

from bioguard.cli.state import CliState, note_testing, pass_state
from bioguard.cli.streams import answer_lost
from bioguard.exit_codes import ExitCode


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
    _PROTOCOLS[protocol](state)
    return ExitCode.OK


def _speak(conversation: Callable[[], object]) -> None:
    try:
        conversation()
    except OSError as error:
        lost = answer_lost(error)
        if lost is not None:
            raise lost from error


def _version_1(state: CliState) -> None:
    from bioguard.serve import loop  # noqa: PLC0415 - one version is loaded, not both
    from bioguard.serve.methods import DeviceService  # noqa: PLC0415

    with state.device(caches=False) as device:  # it may be asked to attest
        note_testing(state, device)  # hello of protocol 1 has a field for a seed and none for this
        service = DeviceService(device, state.output.note)
        _speak(lambda: loop.serve(sys.stdin.buffer, sys.stdout.buffer, service))


def _version_2(state: CliState) -> None:
    from bioguard.serve.v2.conversation import Conversation  # noqa: PLC0415 - as above
    from bioguard.serve.v2.pipe import converse, writer  # noqa: PLC0415
    from bioguard.simulate.faults.live import LiveFaults  # noqa: PLC0415
    from bioguard.simulate.faults.session_sensor import session_script  # noqa: PLC0415

    faults = LiveFaults(state.directory)
    with state.device(caches=False, hooks=faults) as device:  # it may be asked to attest
        conversation = Conversation(
            device,
            writer(sys.stdout.buffer),
            faults=faults,
            script=session_script(faults),
            note=state.output.note,
        )
        _speak(lambda: converse(sys.stdin.fileno(), conversation))


_PROTOCOLS = {"1": _version_1, "2": _version_2}
