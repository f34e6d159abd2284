"""The table of functions as docs/gp-api.md has it. `python -m tests.native.api.function_table` prints it."""

import sys

from tee_sim.shared.gp_functions import Function


def row(function: Function) -> str:
    """One line."""
    if function.allowed is None:
        results = "any"
    else:
        results = ", ".join(result.name for result in sorted(function.allowed)) or "none"
    place = function.place.value
    return f"| {function.section} | {function.c_name} | 0x{function.number:x} | {place} | {results} |"


def table() -> str:
    """All of it, in the order of the specification."""
    return "\n".join(
        ["| section | function | number | where | results |", "|---|---|---|---|---|", *map(row, Function)]
    )


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
