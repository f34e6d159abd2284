"""Does the device ever differ from the model?

    python -m tests.model --steps 20000
    python -m tests.model --steps 5000 --processes

Random stories of users, PINs, challenges, enrollments, 1:1, 1:N, lockouts, tokens, sessions, restarts, reboots and
time, on our applications and on the model of tests/model/reference.py. The first difference is made as short as it
gets and printed. Exit 0 without one, 3 with one.
"""

import argparse
import sys

from bench.oracle.places import fast_pins
from tests.model.play import first_divergence, shortened
from tests.model.steps import random_steps

STORY = 500


def main(arguments: list[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--story", type=int, default=STORY, help=f"steps on one device [{STORY}]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--processes", action="store_true", help="one for each application, which are killed now and then"
    )
    chosen = parser.parse_args(arguments)
    played = 0
    with fast_pins():
        while played < chosen.steps:
            seed = chosen.seed + played
            how = {"require_pin": bool(seed // chosen.story % 2), "seed": seed, "processes": chosen.processes}
            found = first_divergence(random_steps(seed, chosen.story, deaths=chosen.processes), **how)
            if found is not None:
                sys.stdout.write(f"story {seed}, require_pin={how['require_pin']}: {shortened(found, **how)}\n")
                return 3
            played += chosen.story
            sys.stdout.write(f"{played} steps, no difference\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
