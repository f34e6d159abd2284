"""Looking for clear features where they must not be: a scanner that first proves itself, then scans for real.

    report = leaks.run()                                    # a temporary device, then everything it left
    report = leaks.scan([("image", image)], canaries)       # given sources
    report.clean

Rules:
* every run plants leaks of every class and must find them all; otherwise the result is UNKNOWN, not clean;
* a finding names source, form and place, never the bytes;
* what it cannot find (rotations, pads, encryption by the trusted application, fragments below 16 bytes or of fewer
  than six different ones) is bounded by the counted bits of typed replies, not by scanning.
"""

import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from bioguard.errors import WrongUsage
from bioguard.evidence.leak_scan.canaries import Canaries, make_canaries
from bioguard.evidence.leak_scan.canary_engine import canary_picture
from bioguard.evidence.leak_scan.encodings import transformed
from bioguard.evidence.leak_scan.exact import WindowIndex
from bioguard.evidence.leak_scan.exercise_device import Life, live
from bioguard.evidence.leak_scan.exercise_sensor import sensor_sources
from bioguard.evidence.leak_scan.scanner import Finding, Scanner
from bioguard.evidence.leak_scan.selftest import Score, prove
from bioguard.evidence.leak_scan.structure import looks_random

__all__ = [
    "Canaries",
    "Finding",
    "LeakReport",
    "Life",
    "Scanner",
    "Score",
    "live",
    "looks_random",
    "make_canaries",
    "run",
    "scan",
]

_PLACES = {
    "user name, raw": r"names\.json.*|exports|standard (output|error)|answers with names of the server",
    "PIN, raw": "memory of gatekeeper",
}
"""Sources in which a canary belongs, in this form and no other: patterns of the whole name."""


_CARRY_TOKENS = ("frames from the secure world", "frames with a token of the server")
TOLD = 5
"""Stage of a finding that is no canary: a server told what it has not to tell (`told`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakReport:
    """What was looked at, what was found, and whether the scanner could be believed.

    Attributes:
        sources: (name, bytes) of everything scanned.
        scores: the self-test.
        findings: canaries found.
        windows: indexed 8-byte windows.
        live_control: whether the canaries were found in the frames that took them in; None without a device.
        memory_residue: runs and bytes of canaries in the memory of core and biometric application after erasure; None
            where this caller may not read it. Python's copies cannot be wiped, so this is stated, not judged
            (docs/sandbox.md section 7). Every other process of the secure world is a source.
    """

    sources: tuple[tuple[str, int], ...]
    scores: tuple[Score, ...]
    findings: tuple[Finding, ...]
    windows: int
    live_control: bool | None = None
    memory_residue: tuple[int, int] | None = None

    @property
    def proven(self) -> bool:
        """Whether every planted leak was found, and the canaries where a device took them in."""
        return bool(self.scores) and all(s.found == s.planted for s in self.scores) and self.live_control is not False

    @property
    def clean(self) -> bool | None:
        """True: nothing found by a proven scanner. None: the scanner is not proven, or there was nothing to scan."""
        if self.findings:
            return False
        return True if self.proven and self.sources else None

    @property
    def mutation_score(self) -> tuple[int, int]:
        """Planted leaks found, and planted."""
        return sum(s.found for s in self.scores), sum(s.planted for s in self.scores)

    def to_record(self) -> dict[str, object]:
        """Plain values for evidence and JSON."""
        found, planted = self.mutation_score
        return {
            "proven": self.proven,
            "clean": self.clean,
            "planted": planted,
            "found": found,
            "windows": self.windows,
            "live_control": self.live_control,
            "memory_residue": list(self.memory_residue) if self.memory_residue else None,
            "classes": [[s.kind, s.planted, s.found, list(s.missed)] for s in self.scores],
            "sources": [list(s) for s in self.sources],
            "findings": [[f.source, f.stage, f.form, f.offset, f.length] for f in self.findings],
        }


def scan(sources: Iterable[tuple[str, bytes]], canaries: Canaries, *, life: Life | None = None) -> LeakReport:
    """Prove the scanner on planted leaks, then scan the sources for the canaries.

    Args:
        sources: what must hold no canary.
        canaries: what to look for.
        life: a device that lived with these canaries; its sources are scanned too, its other parts are controls.
    """
    scanner = Scanner(canaries)
    scores = prove(scanner, canaries)
    seen: list[tuple[str, int]] = []
    findings: list[Finding] = []
    known: set[bytes] = set()
    for name, data in (*(life.sources if life else ()), *sources):
        seen.append((name, len(data)))
        digest = sha256(data).digest()
        if digest not in known:  # a file that did not change between two stages
            known.add(digest)
            findings += (f for f in scanner.scan(name, data) if not _belongs(f))
    for name, data in life.bystanders if life else ():
        seen.append((name, len(data)))
        hits = (Finding(name, 1, hit.name, hit.offset, hit.length) for hit in scanner.scan_exact(data))
        findings += (f for f in hits if not _belongs(f))
    if life:
        findings += _identities(scanner, life)
    if life and life.served:
        findings += (Finding(where, TOLD, what, 0, 0) for where, what in life.served.complaints())
    residue = scanner.scan_exact(life.memory) if life and life.memory else None
    return LeakReport(
        sources=tuple(seen),
        scores=scores,
        findings=tuple(findings),
        windows=scanner.windows,
        live_control=_all_carried(scanner, life) if life else None,
        memory_residue=(len(residue), sum(hit.length for hit in residue)) if residue is not None else None,
    )


def _belongs(finding: Finding) -> bool:
    """The name of a person stands in the one file that maps it, and in what is said to people; a PIN with Gatekeeper.

    What Python copied of a PIN that was checked cannot be wiped there (docs/sandbox.md section 7).
    """
    place = _PLACES.get(finding.form)
    return place is not None and re.fullmatch(place, finding.source) is not None


def _identities(scanner: Scanner, life: Life) -> Iterator[Finding]:
    """A name must not even go in; a token comes out in a reply and stands nowhere else."""
    for hit in scanner.scan_exact(life.carried):
        if hit.name.startswith("user name"):
            yield Finding("frames to the secure world", 1, hit.name, hit.offset, hit.length)
    tokens = WindowIndex(transformed({f"token {i}": code for i, code in enumerate(life.tokens)}))
    for name, data in life.sources:
        if not name.startswith("frames"):
            yield from (Finding(name, 1, hit.name, hit.offset, hit.length) for hit in tokens.search(data))


def _all_carried(scanner: Scanner, life: Life) -> bool:
    """Both modalities and the PIN went in, so all must be seen going in; and tokens must have come out."""
    forms = _forms(scanner, life.carried)
    sent = _forms(scanner, life.served.carried) if life.served else forms | {"user"}
    frames = b"".join(data for name, data in life.sources if name in _CARRY_TOKENS)
    carried = {"face", "canonical", "PIN"} <= forms and {"face", "canonical", "PIN", "user"} <= sent
    return carried and bool(life.tokens) and all(t in frames for t in life.tokens)


def _forms(scanner: Scanner, data: bytes) -> set[str]:
    return {finding.form.split()[0].rstrip(",") for finding in scanner.scan("carried", data)}


def run(*, seed: int | None = None, sources: Iterable[tuple[str, bytes]] = ()) -> LeakReport:
    """Let a temporary device live with canaries, then scan everything it left, and `sources`.

    Args:
        seed: of the canaries; fresh by default, so that no build can know them.

    Raises:
        TeeUnavailable: the device did not live to its end.
    """
    chosen = secrets.randbits(32) if seed is None else seed
    with tempfile.TemporaryDirectory() as name:  # a name that says nothing
        life = live(Path(name) / "device", Path(name) / "kept", chosen)
        seen = sources_of_a_sensor(Path(name) / "sensor", chosen)
        report = scan([*sources, *seen], make_canaries(chosen, with_key=False), life=life)
        return replace(report, findings=(*report.findings, *pictures_in(seen, chosen)))


def sources_of_a_sensor(directory: Path, seed: int) -> list[tuple[str, bytes]]:
    """As `exercise_sensor.sensor_sources`; none without the extra `capture`: then no device here has a sensor."""
    try:
        return sensor_sources(directory, seed)
    except WrongUsage as error:
        if error.code != "capture.missing":
            raise
        return []


def pictures_in(sources: Iterable[tuple[str, bytes]], seed: int) -> list[Finding]:
    """Where 16 bytes or more of the canary picture are."""
    index = WindowIndex(transformed({"picture": canary_picture(seed)[1]}))
    return [Finding(name, 1, hit.name, hit.offset, hit.length) for name, data in sources for hit in index.search(data)]
