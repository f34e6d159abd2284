"""`baseline`: what a change is held against, and the short check of every change."""

import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

from bench.accuracy import figures
from bench.campaign import figures as campaign_figures
from bench.campaign import run
from bench.compare import Rule, compare, read_result
from bench.console import advancing, note, show, write_json
from bench.environment import ROOT, environment, machine_kind
from bench.load import FingerprintSet
from bench.matchers import code_similarities, cosines, fingerprint_comparisons, fingerprint_scores
from bench.metrics.comparisons import Comparisons
from bench.single_thread import rerun_single_threaded
from bench.speed import measure
from bioguard.exit_codes import ExitCode
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation

SEED = 1
FINGERS, TOUCHES, FACES, CAMPAIGN = 40, 4, 1000, 2500
SPEED_SIZES = (1_000, 10_000)
PEOPLE_RULES = ("eer:+0.2pp", "accuracy.*.fnmr_at_fmr.*.fnmr:+0.5pp", "histogram_genuine:=", "histogram_impostor:=")
"""Synthetic people are the same everywhere: accuracy may wobble with BLAS, counts of code distances may not."""
SPEED_RULES = ("ours_times_faster:-50%",)
"""Ratios to peers in one run; a shared machine moves them by a third."""


@click.command()
@click.option(
    "--check", is_flag=True, help="Compare with what is stored instead of storing; exit 3 if a rule is broken."
)
@click.option("--no-speed", is_flag=True, help="Leave the ratios to peers out.")
@click.option(
    "--directory", type=click.Path(file_okay=False, path_type=Path), default=ROOT / "bench" / "baselines", hidden=True
)
@click.option("--json", "as_json", is_flag=True)
def baseline(check: bool, no_speed: bool, directory: Path, as_json: bool) -> None:
    """Store figures of synthetic people and, for this kind of machine, ratios to peers; or check against them.

    people.json holds on every machine; <machine kind>/speed.json on machines of its kind only.
    """
    rerun_single_threaded("bench")
    fresh: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {}
    with advancing("baseline", 2 - no_speed) as advance:
        fresh["people.json"] = people_figures(), PEOPLE_RULES
        advance(1)
        if not no_speed:
            cases = measure(sizes=SPEED_SIZES, seconds=0.3, seed=SEED, keep={}, device=False)
            data = {"command": "speed", "environment": environment(), "cases": cases}
            fresh[f"{machine_kind()}/speed.json"] = data, SPEED_RULES
            advance(1)
    if not check:
        for name, (data, _) in fresh.items():
            write_json(directory / name, data)
        show({"command": "baseline", "stored": sorted(fresh)}, [f"stored {name}" for name in fresh], as_json=as_json)
        return
    lines, failures = [], 0
    for name, (data, rules) in fresh.items():
        if not (directory / name).exists():
            lines.append(f"UNKNOWN {name}: no baseline is stored for this kind of machine")
            continue
        changes, looked = compare(read_result(directory / name), data, [Rule.parse(rule) for rule in rules])
        broken = [c for c in changes if c.broken]
        failures += len(broken)
        lines += [c.line() for c in broken]
        lines.append(f"{'FAIL' if broken else 'PASS'} {name}: {'; '.join(looked)}")
    show({"command": "baseline", "checked": lines, "failures": failures}, lines, as_json=as_json)
    if failures:
        note("a deliberate change? python -m bench baseline stores the new figures")
        sys.exit(int(ExitCode.NO))


def people_figures() -> dict[str, Any]:
    """Accuracy and code distances of fixed synthetic people."""
    which = [(person, 2, touch) for person in range(FINGERS) for touch in range(TOUCHES)]
    touches = list(FingerPopulation(SEED).stream(which))
    files = [f"{person}_{touch}" for person, _, touch in which]
    one = FingerprintSet("fingerprint", files, [str(person) for person, _, _ in which], touches)
    sets = [fingerprint_comparisons(one, fingerprint_scores(one))]
    population = FacePopulation(EDGEFACE_XS, SEED)
    rows = np.concatenate([population.embeddings(0, FACES, view) for view in range(2)])
    subjects, names = np.tile(np.arange(FACES, dtype=np.int64), 2), [str(i) for i in range(2 * FACES)]
    sets.append(Comparisons("face_cosine", cosines(rows), subjects, names))
    sets.append(Comparisons("face_code", code_similarities(rows, seed=SEED), subjects, names))
    accuracy = {}
    for compared in sets:
        found = figures([compared], seed=SEED, replicates=50)
        del found["subjects"]
        accuracy[compared.name] = found
    counts = campaign_figures(run(people=CAMPAIGN, seed=SEED, block=CAMPAIGN))
    return {"command": "baseline", "environment": environment(), "accuracy": accuracy, "campaign": counts}
