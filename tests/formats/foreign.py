"""What programs of others do with our files, and we with theirs: every row of docs/formats/foreign.md, played again.

    python tests/formats/foreign.py                    prints the table; exit code 1 where a row is not as expected
    python tests/formats/foreign.py --update           writes the page
    python tests/formats/foreign.py --loader "LD.SO --library-path DIRS"    where a reader needs a newer C library

The packages: pip install --no-deps -r tests/formats/readers.txt. A reader that is not there is a row "not run", and
the exit code is 1: a table with holes is not a table. The tests play the same rows (test_foreign.py) and skip those.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load_bytes, write_ansi2004, write_ansi2009, write_iso2005, write_iso2011
from bioguard.formats.convert import Target, convert
from bioguard.records import FingerprintTemplate
from bioguard.simulate.people import finger_impressions

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "formats" / "foreign.md"
ABSENT = 77
NOT_RUN = "not run"
Told = tuple[int, str, str]


def finger() -> FingerprintTemplate:
    """A synthetic finger whose minutiae lie on whole pixels and whole degrees of no format."""
    (made,) = load_bytes(write_iso2005(finger_impressions(11, person=0, count=1)), "x.iso").features
    assert isinstance(made, FingerprintTemplate)
    return made


FINGER = finger()
OURS: dict[str, bytes] = {
    "iso2005": write_iso2005([FINGER, FINGER], position=2),
    "iso2011": write_iso2011(FINGER, position=2),
    "ansi2004": write_ansi2004(FINGER, position=2),
    "ansi2009": write_ansi2009(FINGER, position=2),
    "xyt": convert(load_bytes(write_iso2005(FINGER), "x.iso"), Target.XYT).octets,
}


def told(what: str, name: str, octets: bytes) -> Told:
    """Exit code, standard output and the last line of standard error of a foreign program."""
    loader = shlex.split(os.environ.get("BIOGUARD_FOREIGN_LOADER", ""))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "sample.iso"
        path.write_bytes(octets)
        command = [*loader, sys.executable, str(HERE / "foreign_readers.py"), what, name, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""


def compared(rows: list[list[float]], *, angle_deg: float, quality: Callable[[int], float]) -> str:
    """Their minutiae against ours: what is the same, in words."""
    if len(rows) != len(FINGER):
        return f"{len(rows)} of {len(FINGER)} minutiae"
    x, y, angle = (np.array([row[i] for row in rows], dtype=np.float64) for i in range(3))
    same = ["all minutiae"]
    same.append("positions" if np.array_equal(x, FINGER.x_px500) and np.array_equal(y, FINGER.y_px500) else "MOVED")
    turn = (angle - np.degrees(FINGER.angle_rad) + 180) % 360 - 180
    same.append(f"angles within {angle_deg:g} degrees" if np.abs(turn).max() <= angle_deg + 0.01 else "TURNED")
    names = {0: "other", 1: "ending", 2: "bifurcation"}
    kinds = [names[k] for k in FINGER.kind.tolist()]
    same.append("types" if [row[3] for row in rows] == kinds else "OTHER TYPES")
    wanted = [quality(q) for q in FINGER.quality.tolist()]
    same.append("qualities" if np.allclose([float(row[4]) for row in rows], wanted, atol=1e-6) else "OTHER QUALITIES")
    return ", ".join(same)


def read_by(
    name: str, ours: str, *, angle_deg: float = 0.0, quality: Callable[[int], float] = float
) -> Callable[[], str]:
    """What reader `name` makes of our file."""

    def play() -> str:
        code, out, error = told("read", name, OURS[ours])
        if code == ABSENT:
            return f"{NOT_RUN}: {error}"
        return f"refused: {error}" if code else compared(json.loads(out), angle_deg=angle_deg, quality=quality)

    return play


def xyt_read() -> str:
    """Raw rows of our .xyt as the reader hands them out."""
    code, out, error = told("read", "afis-xyt", OURS["xyt"])
    if code:
        return f"{NOT_RUN}: {error}"
    rows = [[int(v) for v in line.split()] for line in OURS["xyt"].decode().splitlines()]
    same = [[r[0], r[1], r[2], r[4]] for r in json.loads(out)] == rows
    return "all rows as written" if same else "OTHER ROWS"


def written_by(name: str, file: str, options: ImportOptions, source: str = "iso2005") -> Callable[[], str]:
    """What we make of a file of writer `name`, of the same finger."""

    def play() -> str:
        code, out, error = told("write", name, write_iso2005(FINGER) if source == "iso2005" else OURS[source])
        if code:
            return f"{NOT_RUN}: {error}"
        octets = bytes.fromhex(json.loads(out))
        try:
            result = load_bytes(octets, file, options)
        except InputRefused as refusal:
            return f"refused: {refusal.code}"
        codes = ", ".join(sorted({w.code for w in result.warnings})) or "none"
        (found,) = result.features
        assert isinstance(found, FingerprintTemplate)
        return f"{_likeness(found)}; warnings: {codes}"

    return play


def _likeness(found: FingerprintTemplate) -> str:
    """Against ours, by index: the writers keep the order, or sort by quality."""
    if len(found) != len(FINGER):
        return f"{len(found)} of {len(FINGER)} minutiae"
    turn = (found.angle_rad.astype(np.float64) - FINGER.angle_rad + np.pi) % (2 * np.pi) - np.pi
    scale = float(np.ptp(found.x_px500) / np.ptp(FINGER.x_px500))
    size = "same size" if abs(scale - 1) < 0.01 else f"{scale:.2f} times as large"
    flipped = float(np.corrcoef(found.y_px500, FINGER.y_px500)[0, 1]) < 0
    upright = "upside down" if flipped else "upright"
    return f"{size}, {upright}, directions turned by {np.degrees(np.median(np.abs(turn))):.0f} degrees"


@dataclass(frozen=True)
class Row:
    """One line of the page. `expected` is what the last run of the whole table gave."""

    package: str
    what: str
    play: Callable[[], str]
    expected: str
    remark: str = ""


SAME = "all minutiae, positions, angles within 0 degrees, types, qualities"
LENIENT, DPI = ImportOptions(lenient=True), ImportOptions(dpi=(500, 500))
ROWS = (
    Row("afis", "reads our ISO :2005", read_by("afis", "iso2005", quality=lambda q: q / 255), SAME,
        "it divides quality by 255, so our 100 becomes 0.39; px/cm is handed out as dpi"),
    Row("pyfing", "reads our ISO :2005", read_by("pyfing", "iso2005"), SAME, "the first view only"),
    Row("nbis-python", "reads our ISO :2005", read_by("nbis-2005", "iso2005"), f"0 of {len(FINGER)} minutiae",
        "no error; it expects a layout of its own"),
    Row("nbis-python", "reads our ISO :2011",
        read_by("nbis-2011", "iso2011", angle_deg=11.25, quality=lambda q: q / 100),
        "all minutiae, positions, angles within 11.25 degrees, types, qualities", "angles in 32 steps, rounded down"),
    Row("afis", "reads our xyt", xyt_read, "all rows as written", "no convention is applied"),
    Row("pyfing", "reads our ANSI 378-2004", read_by("pyfing", "ansi2004"), f"0 of {len(FINGER)} minutiae",
        "no error: it takes the file for ISO"),
    Row("afis", "reads our ANSI 378-2004", read_by("afis", "ansi2004"), "refused: ValueError: Truncated FMR record."),
    Row("nbis-python", "reads our ANSI 378-2009", read_by("nbis-2011", "ansi2009"),
        "refused: InvalidTemplate: 'unsupported FPCOUNT: 0'"),
    Row("afis", "its :2005, read by us", written_by("afis-2005", "x.iso", ImportOptions()),
        "refused: format.bad_version"),
    Row("afis", "its :2005, --lenient --dpi 500",
        written_by("afis-2005", "x.iso", ImportOptions(lenient=True, dpi=(500, 500))),
        "same size, upright, directions turned by 0 degrees; warnings: data.quality, header.version",
        "version 020; 500 in the px/cm fields, so --dpi is needed; qualities to 255, not taken"),
    Row("afis", "its :2011, read by us", written_by("afis-2011", "x.fmr", ImportOptions()),
        "2.00 times as large, upright, directions turned by 0 degrees; warnings: geometry.suspect_resolution",
        "99 px/cm for 500 dpi: the warning says so"),
    Row("afis", "its :2011, --dpi 500", written_by("afis-2011", "x.fmr", DPI),
        "same size, upright, directions turned by 0 degrees; warnings: none"),
    Row("nbis-python", "its :2011, --dpi 500", written_by("nbis-2011", "x.fmr", DPI, source="iso2011"),
        "same size, upright, directions turned by 3 degrees; warnings: none",
        "99 px/cm as well; its own 32 directions"),
    Row("afis", "its xyt", written_by("afis-xyt", "x.xyt", ImportOptions()),
        "same size, upside down, directions turned by 180 degrees; "
        "warnings: data.extra_columns, geometry.assumed_500_dpi",
        "origin top left and ISO directions, which is neither convention: the warning says to take ISO"),
    Row("afis", "its xyt with flip_y", written_by("afis-xyt-flipped", "x.xyt", ImportOptions()),
        "same size, upright, directions turned by 180 degrees; "
        "warnings: data.extra_columns, geometry.assumed_500_dpi", "origin of NIST, directions of ISO"),
)  # fmt: skip


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


HEAD = """# Readers and writers of others

What programs of others do with our files, and we with theirs. Generated: `python tests/formats/foreign.py --update`
plays every row; the tests play the same ones where the programs are installed (`tests/formats/readers.txt`). All on
one synthetic finger. Formats: [minutiae.md](minutiae.md); what the codes mean: sections 7 to 9 there.

"""
TAIL = """
Not in the table: no program that reads INCITS 378 is among the packages that the tests can install; those files are
checked by the second reader of the tests (minutiae.md section 10). FingerprintIO (Java), by its source, reads and
writes the block lengths of extended data in ISO/IEC 19794-2:2005 as `ExtendedData.of(..., LengthRule.DATA_ONLY)` does.
nbis-python 0.1.21 is tagged manylinux_2_28 but needs glibc 2.38: where the system has an older one, `--loader` starts
it with another (`tests/formats/newer_libc.sh` fetches one). nbis-py 0.1.3, its predecessor, reads 0 minutiae from a
standard :2005 record and writes a layout of its own.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--update", action="store_true", help="write the page")
    parser.add_argument("--loader", help="command that starts a program with another C library")
    arguments = parser.parse_args()
    if arguments.loader:
        os.environ["BIOGUARD_FOREIGN_LOADER"] = arguments.loader
    lines, wrong = [], 0
    for row in ROWS:
        found = row.play()
        wrong += found != row.expected
        mark = "" if found == row.expected else f" (expected: {row.expected})"
        lines.append(f"| {row.package} {installed(row.package)} | {row.what} | {found}{mark} | {row.remark} |")
    table = "\n".join(["| program | what | result | remark |", "|---|---|---|---|", *lines])
    sys.stdout.write(table + "\n")
    if arguments.update and not wrong:
        PAGE.write_text(f"{HEAD}Last run: {date.today().isoformat()}.\n\n{table}\n{TAIL}", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
