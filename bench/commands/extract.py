"""`extract`."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import click

from bench.console import advancing, note, show, write_json
from bench.environment import environment
from bench.extracting.figures import Scored, engine_figures, scored
from bench.extracting.pictures import PictureSet, picture_sets
from bench.extracting.report import extract_report, summary_lines
from bench.extracting.run import Named, extract_all
from bench.inputs import NAME as INPUTS
from bench.inputs import Reading
from bench.metrics.comparisons import Identities
from bench.metrics.paired import paired
from bench.shared_subjects import Shared, identities
from bench.wording import NOT_MEASURABLE
from bioguard.capture.engines import load_engine
from bioguard.capture.picture_bounds import MAX_DPI
from bioguard.errors import InputRefused
from bioguard.formats import write_iso2005
from bioguard.records.modality import Modality
from bioguard.report import render

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXTRACTED = "extracted"
MINUTIAE = "minutiae"


@click.command()
@click.option(
    "--pictures", type=FOLDER, required=True, help="Folders of <finger>_<impression>.png below DIR.", metavar="DIR"
)
@click.option(
    "--engine", "words", multiple=True, required=True, help="A name, or module:Class; once for each.", metavar="NAME"
)
@click.option(
    "--dpi", "stated", multiple=True, help="Of all pictures, or of a set; else what files state.", metavar="[SET=]N"
)
@click.option("--write-minutiae", is_flag=True, help="ISO records of every engine as well, for calibrate and accuracy.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--replicates", type=click.IntRange(20), default=200, show_default=True, help="Draws of fingers.")
@click.option("--json", "as_json", is_flag=True, help="extract.json on stdout as well.")
def extract(
    pictures: Path, words: tuple[str, ...], stated: tuple[str, ...], write_minutiae: bool, out: Path, seed: int,
    replicates: int, as_json: bool,
) -> None:  # fmt: skip
    """From pictures to error rates, engines side by side: extract.json and report.html in DIR.

    \b
    What was extracted is kept in DIR by picture and engine, and read again by the next run. It is as personal as the
    pictures are.

    \b
    Examples:
      python -m bench extract --pictures data/pictures --engine nbis --dpi 500 --out out/pictures
      python -m bench extract --pictures data/pictures --engine my.module:Engine --out out/mine
    """
    started = time.monotonic()
    engines = [Named(word, load_engine(word)) for word in dict.fromkeys(words)]
    for named in engines:
        if named.engine.modality is not Modality.FINGERPRINT:
            raise InputRefused(
                f"the engine {named.name} is of {named.engine.modality.word}s", hint="give one of fingerprints",
                code="bench.engine",
            )  # fmt: skip
    sets = picture_sets(pictures, note)
    dpi = _dpi(stated, [one.name for one in sets])
    reading = Reading([path for one in sets for path in one.paths])
    with advancing("pictures", len(engines) * sum(len(one.paths) for one in sets)) as advance:
        made = extract_all(sets, engines, dpi, out / EXTRACTED, note, advance)
    digests = reading.done()
    for name, count in made.fresh.items():
        note(f"{name}: {count} pictures extracted, {sum(map(len, made.found[name].values())) - count} kept from before")
    with advancing("comparisons", len(engines) * sum(len(one.paths) ** 2 for one in sets)) as advance:
        compared = {e.name: scored(e.engine.identity, sets, made.found[e.name], advance) for e in engines}
    if write_minutiae:
        _write_minutiae(out / MINUTIAE, compared)
    who = identities(next(iter(compared.values())).sets, Shared.NONE)
    rows: dict[str, Any] = {}
    with advancing("rates", len(engines)) as advance:
        for name, found in compared.items():
            rows[name] = engine_figures(found, who, seed=seed, replicates=replicates)
            rows[name]["ms_per_picture"]["of_this_run"] = made.fresh[name]
            advance(1)
    data = {
        "command": "extract", "seed": seed, "dpi": dict(dpi), "environment": environment(),
        "data": _described(pictures, sets), "inputs": digests.as_data(), "engines": rows,
        "differences": _differences(compared, rows, who, seed, replicates),
    }  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "extract.json", data)
    (out / INPUTS).write_text(digests.lines, encoding="utf-8", errors="surrogateescape")
    samples_ms = {
        e.name: [x.wall_ms for found in made.found[e.name].values() for x in found if x.wall_ms] for e in engines
    }
    page = extract_report(data, compared, samples_ms, created=datetime.now(UTC).isoformat(timespec="seconds"))
    (out / "report.html").write_text(render(page, "html"), encoding="utf-8")
    note(f"{time.monotonic() - started:.1f} s; extract.json, report.html and {INPUTS} in {out}")
    show(data, summary_lines(data), as_json=as_json)


def _dpi(stated: Sequence[str], names: Sequence[str]) -> Mapping[str, int | None]:
    """Dots an inch of each set: its own, or those of all, or None for what the files state."""
    found: dict[str, int | None] = {}
    for text in stated:
        name, _, number = text.rpartition("=")
        if (name and name not in names) or not number.isdecimal() or not 1 <= int(number) <= MAX_DPI:
            raise click.UsageError(f"--dpi {text}: give N, or SET=N for one of {', '.join(names)}")
        found[name] = int(number)
    return {name: found.get(name, found.get("")) for name in names}


def _described(root: Path, sets: Sequence[PictureSet]) -> str:
    return f"{root.name}: {', '.join(one.name for one in sets)}"


def _differences(
    compared: Mapping[str, Scored], rows: Mapping[str, Any], who: Identities, seed: int, replicates: int
) -> dict[str, Any]:
    """Every two engines whose rates can be told: what is higher with the second."""
    able = [name for name in compared if rows[name]["mean_eer"] != NOT_MEASURABLE]
    return {
        f"{b} minus {a}": paired(compared[a].sets, compared[b].sets, who=who, seed=seed, replicates=replicates)
        for a, b in combinations(able, 2)
    }


def _write_minutiae(root: Path, compared: Mapping[str, Scored]) -> None:
    """`<engine>/<set>/<finger>_<impression>.iso`, as `calibrate` and `accuracy` read them."""
    for name, one in compared.items():
        for templates in one.templates:
            folder = root / name.replace(":", ".") / templates.name
            folder.mkdir(parents=True, exist_ok=True)
            for impression, template in zip(templates.files, templates.templates, strict=True):
                if template is not None:
                    (folder / f"{impression}.iso").write_bytes(write_iso2005([template]))
