"""Presentation attacks (ISO/IEC 30107-3): APCER, BPCER and IAPAR from a scenario file.

A scenario file is CSV with a header, one presentation a line:

    kind        attack or bona_fide
    species     name of the attack instrument species; empty for bona fide
    decision    what the attack detector said: attack, bona_fide, or empty if there is none
    match       whether the whole system accepted: 1, 0, or empty if it was not tried

APCER and IAPAR are given for each species and for the worst one, never as an average over species.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.metrics.resampling import proportion
from bench.tables import rows_of
from bioguard.errors import InputRefused

COLUMNS = ("kind", "species", "decision", "match")
DECISIONS = frozenset({"attack", "bona_fide", ""})


def presentation_attacks(path: Path) -> dict[str, Any]:
    """Rates of a scenario file.

    Raises:
        InputRefused: another header, or a value that is not listed above, with its line.
    """
    attacks: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    bona_fide: list[Mapping[str, str]] = []
    for line, row in rows_of(path, COLUMNS, "bench.attacks", others=False):
        if row["kind"] not in {"attack", "bona_fide"} or row["decision"] not in DECISIONS:
            raise _refuse(path, line, "unknown kind or decision")
        if row["match"] not in {"0", "1", ""} or bool(row["species"]) != (row["kind"] == "attack"):
            raise _refuse(path, line, "match is 0, 1 or empty; attacks, and only attacks, name a species")
        (bona_fide if row["kind"] == "bona_fide" else attacks[row["species"]]).append(row)
    species = {
        name: {
            "apcer": _rate([r["decision"] == "bona_fide" for r in rows if r["decision"]]),
            "iapar": _rate([r["match"] == "1" for r in rows if r["match"]]),
        }
        for name, rows in sorted(attacks.items())
    }
    return {
        "species": species,
        "worst_apcer": _worst(species, "apcer"),
        "worst_iapar": _worst(species, "iapar"),
        "bpcer": _rate([r["decision"] == "attack" for r in bona_fide if r["decision"]]),
        "bona_fide_rejected": _rate([r["match"] == "0" for r in bona_fide if r["match"]]),
    }


def _rate(events: list[bool]) -> dict[str, Any] | str:
    if not events:
        return "not measured"
    count = sum(events)
    return {
        "rate": count / len(events),
        "count": count,
        "trials": len(events),
        "interval_95": proportion(count, len(events)),
    }


def _worst(species: dict[str, dict[str, Any]], name: str) -> dict[str, Any] | str:
    measured = [(found[name]["rate"], who) for who, found in species.items() if found[name] != "not measured"]
    if not measured:
        return "not measured"
    rate, who = max(measured)
    return {"species": who, "rate": rate}


def _refuse(path: Path, line: int, what: str) -> InputRefused:
    return InputRefused(
        f"{path} line {line}: {what}", hint="see docs/benchmarks.md for the layout", code="bench.attacks"
    )
