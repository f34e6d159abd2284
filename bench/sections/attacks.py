"""Presentation attacks."""

from collections.abc import Mapping
from typing import Any

from bench.wording import percent
from bioguard.report import Section, Table


def attacks(found: Mapping[str, Any]) -> Section:
    def cell(rate: Any) -> str:
        return f"{percent(rate['rate'])} ({rate['count']} / {rate['trials']})" if isinstance(rate, dict) else str(rate)

    table = Table(
        title="Presentation attacks by species",
        columns=("species", "APCER", "IAPAR"),
        rows=tuple((name, cell(r["apcer"]), cell(r["iapar"])) for name, r in found["species"].items()),
        numeric=frozenset({1, 2}),
        note=f"BPCER {cell(found['bpcer'])}; bona fide presentations rejected by the whole system "
        f"{cell(found['bona_fide_rejected'])}.",
    )
    return Section(title="Presentation attacks", tables=(table,))
