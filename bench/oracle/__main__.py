"""Does a device tell more about a face than guessing does?

    python -m bench.oracle --calls 100000 --insider insider --faces FILE.npz
    python -m bench.oracle --place device --calls 2000 --attacker guess walk-1/2

Each attacker gets a fresh device with victims and an insider on it, and as many calls as it likes up to --calls. It
waits on a stepped clock, restarts, reboots, and, as an insider, gives its own PIN and shows its own face and finger.
What is judged is the best cosine to any enrolled view of a victim, of everything it showed and everything it concluded,
against the best of as many independent guesses of real-like faces (20 runs of them, and their scatter).
Exit 0 if every attacker stays within that, 3 if one does not.
"""

import argparse
import json
import sys
from pathlib import Path

from bench.interrupts import exit_of
from bench.oracle.attackers import ATTACKERS
from bench.oracle.experiment import FIELDS, Outcome, run
from bench.oracle.people import lfw, synthetic, with_head_start
from bench.oracle.places import PLACES
from bench.oracle.world import Insider
from tee_sim.shared.leaving import leave


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.oracle", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=3_000, help="budget of each attacker [3000]")
    parser.add_argument("--attacker", nargs="+", choices=ATTACKERS, default=list(ATTACKERS), metavar="NAME")
    parser.add_argument("--insider", nargs="+", choices=[i.value for i in Insider], default=["outsider", "insider"])
    parser.add_argument("--faces", type=Path, help="LFW embeddings; synthetic people without", metavar="FILE.npz")
    parser.add_argument("--victims", type=int, default=4)
    parser.add_argument(
        "--place", choices=PLACES, default="target", help="in memory, a device, or one with a locked process [target]"
    )
    parser.add_argument("--owner-every", type=int, default=0, help="calls between two days of the victims [never]")
    parser.add_argument("--head-start", type=float, metavar="COSINE", help="give the attacker a look-alike")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run, print, and say by the exit code whether anything was told."""
    chosen = parse(arguments)
    faces = lfw(chosen.faces, chosen.victims, chosen.seed) if chosen.faces else synthetic(chosen.victims, chosen.seed)
    if chosen.head_start:
        faces = with_head_start(faces, chosen.head_start)
    outcomes: list[Outcome] = []
    if not chosen.json:
        print(f"{faces.name}, {chosen.victims} victims, {chosen.place}; best cosine against as many guesses")
        print(Outcome.header(), flush=True)
    for insider in map(Insider, chosen.insider):
        for name in chosen.attacker:
            outcome = run(
                name, insider, faces, calls=chosen.calls, place=chosen.place,
                owner_every=chosen.owner_every, seed=chosen.seed,
            )  # fmt: skip
            outcomes.append(outcome)
            if not chosen.json:
                print(outcome.row(), flush=True)
    if chosen.json:
        print(json.dumps([{name: getattr(o, name) for name in FIELDS} for o in outcomes], indent=1))
    return 0 if all(o.within for o in outcomes) else 3


if __name__ == "__main__":
    leave(exit_of(lambda: main(sys.argv[1:])))
