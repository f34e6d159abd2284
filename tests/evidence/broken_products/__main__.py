"""`python -m tests.evidence.broken_products [NAME ...] [--list]`: each of these products alone; without a name, all.

Exit 3 when the audit of one leaves green what is broken in it.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.evidence.broken_products.play import ALONE, unseen


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.evidence.broken_products", description=__doc__)
    parser.add_argument("name", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.name) - set(ALONE)):
        parser.error(f"there is no {unknown[0]}; --list names them")
    names = options.name or list(ALONE)
    if options.list:
        sys.stdout.writelines(f"{name:26}{' '.join(ALONE[name].rows + ALONE[name].checks)}\n" for name in names)
        return 0
    survived = 0
    for name in names:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="broken-") as folder:
            green = unseen([ALONE[name]], Path(folder))
        word = f"GREEN {green}" if green else f"red   {' '.join(ALONE[name].rows + ALONE[name].checks)}"
        sys.stdout.write(f"{name:26}{time.monotonic() - started:4.0f} s  {word}\n")
        sys.stdout.flush()
        survived += bool(green)
    return 3 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
