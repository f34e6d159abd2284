"""All four stages over one named source."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bioguard.evidence.leak_scan.canaries import Canaries
from bioguard.evidence.leak_scan.correlate import correlate
from bioguard.evidence.leak_scan.encodings import base_encodings, encodings
from bioguard.evidence.leak_scan.exact import Hit, WindowIndex
from bioguard.evidence.leak_scan.sets import ElementSet, differences
from bioguard.evidence.leak_scan.structure import inside, useful

_MAX_DEPTH: Final = 3
_SHUFFLED = ("face f4<", "face canonical f4<", "minutiae f4 rows", "canonical minutiae")


@dataclass(frozen=True, slots=True)
class Finding:
    """A canary where it must not be. It names the place and the form, and never repeats the bytes.

    Attributes:
        source: name of the source, with the streams it was inside of.
        stage: 1 exact, 2 correlation, 3 inside a stream, 4 shuffled or masked, 5 told by a server.
        form: encoding.
        offset: in bytes from the start of the source or stream. length: bytes.
    """

    source: str
    stage: int
    form: str
    offset: int
    length: int


class Scanner:
    """Looks for one set of canaries. Building it takes about a second; then it may scan any number of sources."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        binary = base_encodings(canaries)
        self._exact = WindowIndex(encodings(canaries))
        self._masked = WindowIndex({f"{name}, one-byte mask": differences(data) for name, data in binary.items()})
        self._shuffled = ElementSet({name: binary[name] for name in _SHUFFLED})

    @property
    def windows(self) -> int:
        """Indexed 8-byte windows."""
        return len(self._exact)

    def scan(self, source: str, data: bytes) -> list[Finding]:
        """Everything found in one source."""
        return list(self._scan(source, data, 0))

    def scan_exact(self, data: bytes) -> list[Hit]:
        """Stage 1 alone."""
        return self._exact.search(data)

    def _scan(self, source: str, data: bytes, depth: int) -> Iterator[Finding]:
        stage = 3 if depth else 1
        hits = self._exact.search(data)
        for hit in hits:
            yield _finding(source, stage, hit)
        exact = [(hit.offset, hit.offset + hit.length) for hit in hits]
        for hit in correlate(data, self._canaries):
            yield _finding(source, 3 if depth else 2, hit)
        for hit in self._masked.search(differences(data)):
            if not _covered(hit, exact):
                yield _finding(source, 3 if depth else 4, hit)
        for hit in self._shuffled.search(data):
            if not _covered(hit, exact):
                yield _finding(source, 3 if depth else 4, hit)
        if depth < _MAX_DEPTH:
            for kind, at, content in inside(data):
                if useful(content):
                    yield from self._scan(f"{source} > {kind} at {at}", content, depth + 1)


def _covered(hit: Hit, spans: list[tuple[int, int]]) -> bool:
    """A copy already found byte for byte is not reported again as a shuffled or masked one."""
    return any(start <= hit.offset + hit.length // 2 <= end for start, end in spans)


def _finding(source: str, stage: int, hit: Hit) -> Finding:
    return Finding(source, stage, hit.name, hit.offset, hit.length)
