"""`python -m bench`: measure matching the way a quality lab would sign it."""

import signal
import sys
from typing import NoReturn

import click

from bench.interrupts import interrupted, leave_at_once, said
from bioguard.errors import BioguardError, InputRefused

if __name__ == "__main__":
    signal.signal(signal.SIGINT, leave_at_once)

from bench.commands.all import COMMANDS  # Ctrl-C is answered already
from tee_sim.lazy_group import LazyGroup
from tee_sim.shared.leaving import leave


@click.group(cls=LazyGroup, table=COMMANDS, package="bench.commands")
def cli() -> None:
    """Accuracy, speed, protection and regressions of bioguard. Metrics and layouts: docs/benchmarks.md."""


def run(arguments: list[str]) -> int:
    """One command line; refusals end as in `bioguard`: one line, one hint, the exit code of their kind."""
    try:
        ended = cli.main(arguments, prog_name="python -m bench", standalone_mode=False)
        return ended if isinstance(ended, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return said(interrupted(arguments[0]))
    except BioguardError as error:
        return said(error)
    except OSError as error:
        if error.filename is None:
            raise
        return said(
            InputRefused(
                f"{error.filename}: {error.strerror or 'cannot be used'}",
                hint="look at its permissions and at the disk, or name another place",
                code="input.unusable",
            )
        )


def main() -> NoReturn:
    """Run the command line of this process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    leave(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
