"""The scanner proves itself first: leaks of every class, planted in material like the real sources, must be found.

A scan that finds nothing means something only if the same scanner, in the same run, found everything that was planted.
"""

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from bioguard.evidence.leak_scan.canaries import Canaries
from bioguard.evidence.leak_scan.encodings import base_encodings, encodings
from bioguard.evidence.leak_scan.exact import MIN_DISTINCT, MIN_RUN_BYTES
from bioguard.evidence.leak_scan.scanner import Scanner

_PADDING = 160
_FRAGMENTS = (1.0, 0.25, 0.05)


@dataclass(frozen=True, slots=True)
class Score:
    """How many planted leaks of a class were found.

    Attributes:
        missed: names of those that were not.
    """

    kind: str
    planted: int
    found: int
    missed: tuple[str, ...] = ()


def _host_random(generator: np.random.Generator, size: int) -> bytes:
    return generator.bytes(size)


def _host_log(generator: np.random.Generator, size: int) -> bytes:
    words = ["session", "opened", "for", "user", "closed", "2026-01-31T12:00:00Z", "INFO", "ok", "retry=3"]
    text = " ".join(words[int(i)] for i in generator.integers(0, len(words), size // 6 + 1))
    return text.encode()[:size]


def _host_frame(generator: np.random.Generator, size: int) -> bytes:
    return (b"\xa4\x01\x02\x03\x58\x20" + generator.bytes(6) + b"\x18\x64")[:size].ljust(size, b"\xf6")


def _host_page(generator: np.random.Generator, size: int) -> bytes:
    return (b"\x0d\x00\x00\x00\x01" + bytes(11) + generator.bytes(8)).ljust(size, b"\0")[:size]


_HOSTS: dict[str, Callable[[np.random.Generator, int], bytes]] = {
    "random": _host_random,
    "log": _host_log,
    "frame": _host_frame,
    "database page": _host_page,
}


def _exact_class(
    scanner: Scanner, whole: Mapping[str, bytes], identities: Collection[str], fraction: float, host: str
) -> Score:
    """A fragment of every encoding that the scan claims to find, in one kind of material; of an identity the whole."""
    generator = np.random.default_rng(int(fraction * 100))
    material = bytearray()
    spans = []
    for name, data in whole.items():
        size = min(max(int(len(data) * fraction), MIN_RUN_BYTES * 2), len(data))
        if name.partition(",")[0] in identities:
            size = len(data)  # a part of a name or a PIN can be too plain to tell from chance
        start = int(generator.integers(0, len(data) - size + 1))
        while size < len(data) and len({*data[start : start + size]}) < MIN_DISTINCT:  # too plain to count anywhere
            start, size = max(start - 1, 0), size + 1
        material += _HOSTS[host](generator, _PADDING)
        spans.append((name, len(material), len(material) + size))
        material += data[start : start + size]
    material += _HOSTS[host](generator, _PADDING)
    hits = sorted((hit.offset + hit.length, hit.offset) for hit in scanner.scan_exact(bytes(material)))
    ends = [end for end, _ in hits]
    earliest = [*accumulate((start for _, start in reversed(hits)), min, initial=len(material))][::-1]
    missed = tuple(name for name, start, end in spans if earliest[bisect_right(ends, start)] >= end)
    return Score(f"exact, {fraction:.0%}, in {host}", len(spans), len(spans) - len(missed), missed)


def _archive(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x", data)
    return buffer.getvalue()


def _array(values: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def _transformed(canaries: Canaries) -> Iterator[tuple[str, str, bytes]]:
    """Class, name and bytes of copies that share few or no bytes with any encoding."""
    generator = np.random.default_rng(99)
    face = canaries.face
    noise = generator.normal(0, 0.02, face.size)
    for name, copy in (
        ("scaled", face * np.float32(37.3)),
        ("negated", -face * np.float32(1.7)),
        ("noisy", face + noise),
        ("shifted", face * 3 + 0.5),
    ):
        for kind in ("<f4", "<f2"):
            yield "correlation", f"{name} {kind}", copy.astype(kind).tobytes()
    for scale in (90, 700, 333.3):
        yield "correlation", f"requantized {scale}", np.clip(np.rint(face * scale), -128, 127).astype(np.int8).tobytes()
    yield "correlation", "requantized i2", np.rint(face * 9000).astype("<i2").tobytes()
    raw = base_encodings(canaries)["face f4<"]
    minutiae = base_encodings(canaries)["canonical minutiae"]
    for content, body in (("face", raw), ("minutiae", minutiae)):
        for name, pack in (
            ("zlib", zlib.compress),
            ("gzip", gzip.compress),
            ("zip", _archive),
            ("bzip2", bz2.compress),
        ):
            yield "structure", f"{content} {name}", pack(body)
        yield "structure", f"{content} xz", lzma.compress(body)
        yield "structure", f"{content} twice", gzip.compress(zlib.compress(body))
    yield "structure", "JSON in gzip", gzip.compress(json.dumps([float(v) for v in face]).encode())
    yield "container", "pickle", pickle.dumps({"template": face.tolist(), "array": raw})
    yield "container", "npy", _array(face)
    yield "shuffled", "face", generator.permutation(face).astype("<f4").tobytes()
    yield "shuffled", "face rounded", generator.permutation(canaries.embedding.vector).astype("<f4").tobytes()
    yield "shuffled", "minutiae", generator.permutation(np.frombuffer(minutiae, "<u8")).tobytes()
    for mask in (1, 0x55, 0xAA, 0xFF):
        for content, body in (("face", raw), ("minutiae", minutiae), ("key", canaries.key)):
            if body:
                yield "masked", f"{content} xor {mask:#x}", bytes(b ^ mask for b in body)


def prove(scanner: Scanner, canaries: Canaries) -> tuple[Score, ...]:
    """Plant, scan, count. The caller refuses to report a clean scan unless every score is full."""
    whole, identities = encodings(canaries), canaries.identities
    scores = [_exact_class(scanner, whole, identities, part, host) for part in _FRAGMENTS for host in _HOSTS]
    generator = np.random.default_rng(5)
    counts: dict[str, list[tuple[str, bool]]] = {}
    for kind, name, data in _transformed(canaries):
        host = list(_HOSTS.values())[len(counts.get(kind, [])) % len(_HOSTS)]
        material = host(generator, 4096 + int(generator.integers(0, 8))) + data + host(generator, 4096)
        counts.setdefault(kind, []).append((name, bool(scanner.scan("planted", material))))
    for kind, results in counts.items():
        missed = tuple(name for name, found in results if not found)
        scores.append(Score(kind, len(results), len(results) - len(missed), missed))
    return tuple(scores)
