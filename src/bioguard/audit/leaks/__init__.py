"""Looking for clear features where they must not be: a scanner that first proves itself, then scans for real.

    report = leaks.scan([("storage.db", image), ("frames to secure world", frames)], canaries)
    report.clean

Rules:
* every run plants leaks of every class and must find them all; otherwise the result is UNKNOWN, not clean;
* a finding names source, form and place, never the bytes;
* what it cannot find (rotations, pads, encryption by the trusted application, fragments below 16 bytes) is bounded by
  the counted bits of typed replies, not by scanning.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bioguard.audit.leaks.canaries import Canaries, make_canaries
from bioguard.audit.leaks.scanner import Finding, Scanner
from bioguard.audit.leaks.selftest import Score, prove
from bioguard.audit.leaks.structure import looks_random

__all__ = ["Canaries", "Finding", "LeakReport", "Scanner", "Score", "looks_random", "make_canaries", "scan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakReport:
    """What was looked at, what was found, and whether the scanner could be believed.

    Attributes:
        sources: (name, bytes) of everything scanned.
        scores: the self-test.
        findings: canaries found.
        windows: indexed 8-byte windows.
    """

    sources: tuple[tuple[str, int], ...]
    scores: tuple[Score, ...]
    findings: tuple[Finding, ...]
    windows: int

    @property
    def proven(self) -> bool:
        """Whether every planted leak was found."""
        return bool(self.scores) and all(s.found == s.planted for s in self.scores)

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
            "classes": [[s.kind, s.planted, s.found, list(s.missed)] for s in self.scores],
            "sources": [list(s) for s in self.sources],
            "findings": [[f.source, f.stage, f.form, f.offset, f.length] for f in self.findings],
        }


def scan(sources: Iterable[tuple[str, bytes]], canaries: Canaries) -> LeakReport:
    """Prove the scanner on planted leaks, then scan the sources for the canaries."""
    scanner = Scanner(canaries)
    scores = prove(scanner, canaries)
    seen: list[tuple[str, int]] = []
    findings: list[Finding] = []
    for name, data in sources:
        seen.append((name, len(data)))
        findings += scanner.scan(name, data)
    return LeakReport(sources=tuple(seen), scores=scores, findings=tuple(findings), windows=scanner.windows)
