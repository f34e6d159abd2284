"""Entry point. A command that wants a device has its secure world started before everything else is loaded."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from bioguard.cli import streams
from bioguard.cli.command_line import device_to_start, hoist_global_options, takes_caches, traced
from bioguard.exit_codes import ExitCode
from tee_sim.shared.leaving import leave


@contextmanager
def _started_ahead(arguments: list[str]) -> Iterator[None]:
    """For a block that opens a device in the end, or finds out why it cannot."""
    directory = device_to_start(arguments)
    if directory is None:
        yield
        return
    from bioguard.device import ahead  # noqa: PLC0415 - loads what only these commands use

    try:
        ahead.start(directory, caches=takes_caches(arguments))
        yield
    finally:
        ahead.discard()


def run(args: list[str]) -> ExitCode:
    """Run one command line and return its exit code."""
    from bioguard.cli.running import run_command  # noqa: PLC0415 - loads the rest, while the child loads its own

    arguments = hoist_global_options(args)
    with traced(arguments):
        return run_command(arguments)


def main() -> NoReturn:
    """Console script. While code is loaded nothing becomes garbage: the collector rests until a command runs."""
    gc.disable()
    streams.install()
    try:
        arguments = hoist_global_options(sys.argv[1:])
        with traced(arguments), _started_ahead(arguments):
            code = run(sys.argv[1:])
            sys.stdout.flush()
    except streams.AnswerLost as lost:
        from bioguard.cli.running import answer_lost  # noqa: PLC0415 - as above

        code = answer_lost(lost)
    sys.stderr.flush()
    leave(int(code))


if __name__ == "__main__":
    main()
