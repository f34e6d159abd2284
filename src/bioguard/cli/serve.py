"""`bioguard serve`: a device for programs in any language."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioguard.cli.state import CliState, note_testing, pass_state
from bioguard.cli.streams import answer_lost
from bioguard.exit_codes import ExitCode
from bioguard.user_files import check_output, write_output

if TYPE_CHECKING:
    from bioguard.device import Device
    from bioguard.device.hooks import MakeHooks


@click.command()
@click.option("--stdio", is_flag=True, required=True, help="Speak on standard input and output; there is no other way.")
@click.option("--protocol", type=click.Choice(["1", "2"]), default="1", show_default=True, help="Its version.")
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what is asked and told as a scenario, a new file, with --protocol 2.",
    metavar="FILE",
)
@pass_state
def serve(state: CliState, stdio: bool, protocol: str, record: Path | None) -> int:
    """Drive a device by CBOR frames on standard input and output (docs/formats/serve.md, serve-2.md).

    Start it as a child process. It ends with its input. Nothing listens on any address. Version 2 has sessions with
    their events as Android's fingerprint and face HALs have them, keys, log, clock and faults. A scenario that was
    recorded on a new device with a stepped clock, and with the --seed it was made with, can be replayed.

    \b
    Example:
      cc -o client docs/examples/bioguard_client.c -lm && ./client bioguard --device ./phone serve --stdio
    """
    if record is not None:
        if protocol == "1":
            raise click.UsageError("--record is for --protocol 2")
        check_output(record, new=True)
    spoken = _Version2(state, record) if protocol == "2" else _Version1(state)
    with state.device(caches=False, hooks=spoken.hooks) as device:  # it may be asked to attest
        try:
            spoken.speak(device)
        except OSError as error:
            lost = answer_lost(error)
            if lost is not None:
                raise lost from error
    return ExitCode.OK


class _Version1:
    """Version 1 of the frames."""

    hooks: "MakeHooks | None" = None

    def __init__(self, state: CliState) -> None:
        self._state = state

    def speak(self, device: "Device") -> None:
        from bioguard.serve import loop  # noqa: PLC0415 - one version is loaded, not both
        from bioguard.serve.methods import DeviceService  # noqa: PLC0415

        note_testing(self._state, device)  # its hello has a field for a seed and none for this
        loop.serve(sys.stdin.buffer, sys.stdout.buffer, DeviceService(device, self._state.output.note))


class _Version2:
    """Version 2. record: where a scenario of it goes; None for nowhere."""

    def __init__(self, state: CliState, record: Path | None) -> None:
        from bioguard.simulate.faults.live import LiveFaults  # noqa: PLC0415 - as above

        self._state = state
        self._record = record
        self._faults = LiveFaults(state.directory)
        self.hooks: MakeHooks = self._faults

    def speak(self, device: "Device") -> None:
        from bioguard.serve.scenario.recorder import RecordedConversation  # noqa: PLC0415 - as above
        from bioguard.serve.v2.conversation import Conversation  # noqa: PLC0415
        from bioguard.serve.v2.pipe import converse, writer  # noqa: PLC0415
        from bioguard.simulate.faults.session_sensor import session_script  # noqa: PLC0415

        script, send, note = session_script(self._faults), writer(sys.stdout.buffer), self._state.output.note
        if self._record is None:
            converse(sys.stdin.fileno(), Conversation(device, send, faults=self._faults, script=script, note=note))
            return
        recorded = RecordedConversation(
            device, send, faults=self._faults, seed=self._state.seed, script=script, note=note
        )
        for number in (signal.SIGTERM, signal.SIGHUP):  # what many a client ends its child by
            signal.signal(number, signal.default_int_handler)
        try:
            converse(sys.stdin.fileno(), recorded)
        finally:
            write_output(self._record, recorded.text().encode(), new=True, private=True)
            left = (
                f"; {recorded.left_out} request(s) are not in it: they were none, or it was full"
                if recorded.left_out
                else ""
            )
            note(f"{self._record} holds PINs, samples and tokens of this conversation{left}")
