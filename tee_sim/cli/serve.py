"""`tee-sim serve`: the machine of a program that has started it itself, over two pipes that it was given."""

import signal
from contextlib import ExitStack
from pathlib import Path

import click

from tee_sim.cli.options import applications, kit_of, note, started
from tee_sim.normal.link import Link, error_to_plain
from tee_sim.normal.machine.hosted import Hosted
from tee_sim.normal.relay import Relay
from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError
from tee_sim.shared.wire import framed


def _two(_ctx: click.Context, _option: click.Parameter, value: str) -> tuple[int, int]:
    numbers = value.split(",")
    if len(numbers) != 2 or not all(number.isdecimal() and len(number) < 10 for number in numbers):
        raise click.BadParameter(f"{value!r} are no two numbers of descriptors, as in 3,4")
    return int(numbers[0]), int(numbers[1])


@click.command()
@click.option("--pipes", required=True, callback=_two, metavar="READ,WRITE", help="Descriptors that were inherited.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
def serve(pipes: tuple[int, int], directory: Path) -> None:
    """Start the machine in DIR with the applications that it hosted last, and answer over two pipes.

    This is what libteec runs for TEE_SIM_MACHINE=DIR. The first frame says that it is ready, or why it is not; what
    else travels is described in tee_sim/normal/link.py. It ends when the last program that has the pipes has ended;
    Ctrl-C is for the program.

    \b
    Example:
      tee-sim run --machine phone counter -- true && tee-sim serve --pipes 0,1 phone </dev/null | od -c
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link = Link(*pipes)
    try:
        with ExitStack() as stack:
            try:
                hosted = Hosted.read(directory)
                machine, _faults = stack.enter_context(
                    started(
                        applications(hosted.paths),
                        machine=directory,
                        fault="",
                        clock=None,
                        debug=hosted.debug,
                        allow_level=hosted.allow_level,
                    )
                )
            except TeeError as error:
                link.send(framed(codec.encode(error_to_plain(error))))
                raise
            link.send(framed(codec.encode([])))
            Relay(machine, link, note, kit_of(machine)).serve()
    finally:
        link.close()  # last: whoever started it waits for this, and may start it again then
