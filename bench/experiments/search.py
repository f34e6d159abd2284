"""Hamming and cosine search next to faiss, on one thread, in one run.

    python -m bench.experiments.search [--quick] [--out search.json]

Both sides are timed in turn, call by call, and the median of the ratios is given: the machine's mood hits both. Times
of one thread are processor time, which other processes do not add to; two threads against one are wall time. Every
timed pair of results is compared first, distance by distance. Bytes per second are set against what a plain read of the
same number of bytes reaches in the same process.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from bench.peers import Search, face_peers
from bench.single_thread import rerun_single_threaded
from bench.timing import MOST, Call, in_turn
from bioguard.match import CodeGallery, FaceGallery
from bioguard.match.kernels import available, describe

Row = dict[str, float | int | str]
PROBES = 64
"""Different probes of a part that times one at a time."""
TARGET_SECONDS = 0.25
"""Measure each case about this long on each side, at least five times."""


def both(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    least: int = 5,
    clock: Callable[[], float] = time.thread_time,
) -> tuple[float, float, float]:
    """Time two calls in turn. Returns median seconds of each and the median of their ratio (theirs / ours)."""
    calls = {"ours": lambda _: ours(), "theirs": lambda _: theirs()}
    found = in_turn(calls, 1, seconds=TARGET_SECONDS, least=least, clock=clock)
    return found["ours"]["p50_ms"] / 1e3, found["theirs"]["p50_ms"] / 1e3, found["theirs"]["ours_times_faster"]


def read_bandwidth(n_bytes: int) -> float:
    """Bytes a second of reading an array of this size, best of several passes."""
    array = np.zeros(n_bytes // 8, np.uint64)
    array[:] = 1
    best = 0.0
    for _ in range(max(5, int(2e9 // n_bytes))):
        start = time.thread_time()
        np.bitwise_or.reduce(array)
        best = max(best, n_bytes / (time.thread_time() - start))
    return best


def random_codes(n: int, n_bytes: int, seed: int) -> NDArray[np.uint8]:
    """Uniform codes: the distances that unrelated people have."""
    return np.random.default_rng(seed).integers(0, 256, (n, n_bytes), dtype=np.uint8)


def hamming(sizes: tuple[int, ...]) -> list[Row]:
    """Top-k search against faiss.IndexBinaryFlat."""
    rows: list[Row] = []
    for bits in (512, 1024):
        for n in sizes:
            codes = random_codes(n, bits // 8, 1)
            index, gallery = faiss.IndexBinaryFlat(bits), CodeGallery(codes)
            index.add(codes)
            limit = read_bandwidth(codes.nbytes)
            for m in (1, 16, 256):
                probes = random_codes(m, bits // 8, 2)
                for k in (1, 64):
                    if not np.array_equal(index.search(probes, k)[0], gallery.search(probes, k)[0]):
                        raise SystemExit(f"distances differ from faiss at {bits} bits, {n} rows, {m} probes, k={k}")
                    ours, theirs, ratio = both(
                        lambda p=probes, k=k, g=gallery: g.search(p, k),  # type: ignore[misc]
                        lambda p=probes, k=k, i=index: i.search(p, k),  # type: ignore[misc]
                    )
                    rate = n * m / ours
                    rows.append(
                        {
                            "bits": bits, "rows": n, "probes": m, "k": k, "ratio": round(ratio, 2),
                            "million_per_s": round(rate / 1e6), "faiss_million_per_s": round(n * m / theirs / 1e6),
                            "gb_per_s": round(codes.nbytes / ours / 1e9, 1), "read_gb_per_s": round(limit / 1e9, 1),
                        }
                    )  # fmt: skip
                    say(rows[-1])
    return rows


def variants(n: int = 200_000) -> list[Row]:
    """Every kernel that runs here, side by side with the fastest."""
    codes, probes = random_codes(n, 128, 1), random_codes(16, 128, 2)
    galleries = {name: CodeGallery(codes, kernel=name) for name in available()}
    fastest = galleries[available()[0]]
    rows: list[Row] = []
    for name, gallery in galleries.items():
        ours, _, ratio = both(
            lambda g=gallery: g.search(probes, 64),  # type: ignore[misc]
            lambda: fastest.search(probes, 64),
        )
        rows.append({"kernel": name, "million_per_s": round(n * 16 / ours / 1e6), "of_fastest": round(ratio, 3)})
        say(rows[-1])
    return rows


def all_pairs(n: int) -> list[Row]:
    """Histogram of all pairs, against the distance matrix of NumPy in blocks, and one thread against two."""
    codes = random_codes(n, 128, 3)
    gallery = CodeGallery(codes)
    words = codes.view(np.uint64)

    def by_matrix() -> NDArray[np.int64]:
        counts = np.zeros(1025, np.int64)
        for row in words:
            distances = np.bitwise_count(words ^ row).sum(axis=1, dtype=np.uint16)
            counts += np.bincount(distances, minlength=1025)
        return counts

    def by_faiss() -> NDArray[np.int64]:
        counts = np.zeros(1025, np.int64)
        for start in range(0, n, 64):
            counts += np.bincount(index.search(codes[start : start + 64], n)[0].ravel(), minlength=1025)
        return counts

    index = faiss.IndexBinaryFlat(1024)
    index.add(codes)
    if not np.array_equal(gallery.histogram(codes), by_matrix()):
        raise SystemExit("histogram differs from NumPy")
    rows: list[Row] = []
    for name, other in (("numpy matrix", by_matrix), ("faiss full lists", by_faiss)):
        ours, _, ratio = both(lambda: gallery.histogram(codes), other, least=3)
        rows.append(
            {"against": name, "pairs": n * n, "million_per_s": round(n * n / ours / 1e6), "ratio": round(ratio, 2)}
        )
        say(rows[-1])
    two, _, ratio = both(lambda: gallery.histogram(codes, threads=2), lambda: gallery.histogram(codes), least=15)
    rows.append(
        {
            "against": "own, 1 thread",
            "pairs": n * n,
            "million_per_s": round(n * n / two / 1e6),
            "ratio": round(ratio, 2),
        }
    )
    say(rows[-1])
    return rows


def cosine(sizes: tuple[int, ...]) -> list[Row]:
    """FaceGallery against faiss.IndexFlatIP."""
    rows: list[Row] = []
    for d in (512, 128):
        for n in sizes:
            vectors = np.random.default_rng(4).standard_normal((n, d), dtype=np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            index, gallery = faiss.IndexFlatIP(d), FaceGallery(vectors)
            index.add(vectors)
            for m in (1, 16, 256):
                probes = np.ascontiguousarray(vectors[:m])
                for k in (1, 64):
                    if np.abs(index.search(probes, k)[0] - gallery.search(probes, k)[0]).max() > 1e-5:
                        raise SystemExit(f"scores differ from faiss at {n} rows, {m} probes")
                    ours, theirs, ratio = both(
                        lambda p=probes, k=k, g=gallery: g.search(p, k),  # type: ignore[misc]
                        lambda p=probes, k=k, i=index: i.search(p, k),  # type: ignore[misc]
                    )
                    rows.append(
                        {"dimension": d, "rows": n, "probes": m, "k": k, "ratio": round(ratio, 2),
                         "ms": round(ours * 1e3, 3), "faiss_ms": round(theirs * 1e3, 3)}
                    )  # fmt: skip
                    say(rows[-1])
    return rows


def small() -> list[Row]:
    """One probe in a small FaceGallery, against faiss and NumPy: what a call costs besides the products."""
    rows: list[Row] = []
    for d in (512, 128):
        for n in (100, 500, 1_000, 2_000, 5_000):
            vectors = np.random.default_rng(4).standard_normal((n + PROBES, d), dtype=np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            gallery, probes = FaceGallery(vectors[PROBES:]), vectors[:PROBES, np.newaxis]
            for k in (1, 64):
                searches: dict[str, Search] = {"ours": partial(gallery.search, k=k), **face_peers(vectors[PROBES:], k)}
                calls: dict[str, Call] = {
                    name: lambda turn, s=search, p=probes: s(p[turn % PROBES])  # type: ignore[misc]
                    for name, search in searches.items()
                }
                kept: dict[str, list[float]] = {}
                found = in_turn(calls, 1, seconds=TARGET_SECONDS, least=MOST, keep=kept, clock=time.thread_time)
                row: Row = {"dimension": d, "rows": n, "k": k, "us": round(1e3 * min(kept["ours"]), 1)}
                for name in calls:
                    if name != "ours":
                        row[name] = round(found[name]["ours_times_faster"], 2)
                        row[f"{name}, shortest"] = round(min(kept[name]) / min(kept["ours"]), 2)
                rows.append(row)
                say(row)
    return rows


def say(row: Row) -> None:
    """One line a case, as it comes."""
    print("  " + "  ".join(f"{key} {value}" for key, value in row.items()), flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.experiments.search", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--only", choices=("hamming", "variants", "all_pairs", "cosine", "small"), help="one part")
    options = parser.parse_args()
    rerun_single_threaded("bench.experiments.search")
    faiss.omp_set_num_threads(1)
    quick = options.quick
    parts: dict[str, Callable[[], list[Row]]] = {
        "hamming": lambda: hamming((10_000,) if quick else (10_000, 200_000, 2_000_000)),
        "variants": lambda: variants(20_000 if quick else 200_000),
        "all_pairs": lambda: all_pairs(2_000 if quick else 10_000),
        "cosine": lambda: cosine((10_000,) if quick else (10_000, 100_000)),
        "small": small,
    }
    results: dict[str, object] = {"kernel": describe().active, "faiss": faiss.__version__}
    print(f"kernel {describe().active}, faiss {faiss.__version__} ({faiss.get_compile_options().strip()}), 1 thread")
    for name, run in parts.items():
        if options.only in (None, name):
            print(name)
            results[name] = run()
    if options.out:
        options.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
