"""Two-stage identification: does it decide as an exhaustive exact search does, and how much faster is it?

    python -m bench.experiments.identify agreement --faces FILE.npz
    python -m bench.experiments.identify scale --faces FILE.npz --people 100000 1000000 [--out identify.json]

`agreement`: real faces only. The people of one half are enrolled with one photograph each, their other photographs are
mated probes, everybody of the other half is a non-mated probe; then the halves change places.

`scale`: synthetic people fill the gallery up, laid along the principal axes of the real development half, so that they
are among its people. Mated probes are real people and synthetic people. Every record is an AES-256-GCM box under its
own key; stage two opens the candidates' boxes. faiss.IndexFlatIP is the exhaustive search and the other side of the
timing.

A lost match is one that exhaustive search accepts with the right person and two-stage search does not return.

A large gallery is searched by the first 320 bits of its codes first (`twostage.head_radius_for`). `agreement` tries
that too, though its galleries are small (`heads_first`); `scale` times it next to reading all of every code, in turn.
"""

import argparse
import hashlib
import json
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

import faiss
import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import ArrayLike, NDArray

from bench.calibration.face_data import FaceSet, load_faces
from bench.metrics.resampling import proportion
from bench.single_thread import rerun_single_threaded
from bench.timing import Call, in_turn
from bioguard.match import CodeGallery, FaceGallery
from bioguard.match.arrays import HEAD_BITS
from bioguard.match.protected import CodeContext, SignCoder
from bioguard.match.thresholds import builtin_profile, threshold_for_fpir
from bioguard.match.twostage import Opener, candidates, candidates_for, head_radius_for, identify
from bioguard.records.modality import Modality
from bioguard.records.scores import Score
from bioguard.simulate.people.faces import EDGEFACE_XS, FacePopulation

FPIR = 0.01
SECRET = bytes(range(32))
CHUNK = 20_000
SYNTHETIC_PROBES = 2_000
SEED = 11
SECONDS = 1.0
"""Each side of a timing takes so long, and at least 100 calls."""

Figures = dict[str, object]


def coder(epoch: int) -> SignCoder:
    """Codes of one epoch."""
    return SignCoder(CodeContext(secret=SECRET, dimension=512, model_id="edgeface_xs", epoch=epoch))


def one_each(faces: FaceSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the first photograph of everybody, and all other rows."""
    first = np.unique(faces.labels, return_index=True)[1]
    return first, np.setdiff1d(np.arange(len(faces)), first)


class HeadsFirst(CodeGallery):
    """A gallery that is searched as a large one is, whatever its size."""

    radius: int

    def search(
        self, probes: ArrayLike, k: int, *, threads: int = 1, head_radius: int = HEAD_BITS
    ) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """As `CodeGallery.search`, with this gallery's radius."""
        return super().search(probes, k, threads=threads, head_radius=min(head_radius, self.radius))


def agreement(faces: FaceSet, epochs: int) -> Figures:
    """Decisions of both searches over real faces, under several epochs."""
    figures: Figures = {"fpir_target": FPIR, "epochs": epochs}
    searches = differ = mated = accepted = lost = non_mated = false = heads_differ = heads_lost = 0
    for enrolled_half, other_half in (("development", "test"), ("test", "development")):
        enrolled, strangers = faces.half(enrolled_half), faces.half(other_half)
        first, rest = one_each(enrolled)
        gallery_rows, labels = enrolled.embeddings[first], enrolled.labels[first]
        probes = np.concatenate([enrolled.embeddings[rest], strangers.embeddings])
        truth = np.concatenate([enrolled.labels[rest], np.full(len(strangers), -1)])
        threshold = threshold_for_fpir(
            FPIR, len(labels), profile=builtin_profile(Modality.FACE, 512), score=Score.COSINE
        )
        scores, best = FaceGallery(gallery_rows).search(probes, 1)
        exhaustive = np.where(scores[:, 0] >= threshold, best[:, 0], -1)
        for epoch in range(epochs):
            codes = coder(epoch)
            enrolled_codes, probe_codes = codes.encode(gallery_rows), codes.encode(probes)
            heads = HeadsFirst(enrolled_codes)
            heads.radius = head_radius_for(threshold)
            two_stage, heads_first = (
                np.array([-1 if f is None else f.index for f in found])
                for found in (
                    [
                        identify(p, c, gallery, lambda rows, g=gallery_rows: g[rows], threshold)  # type: ignore[misc]
                        for p, c in zip(probes, probe_codes, strict=True)
                    ]
                    for gallery in (CodeGallery(enrolled_codes), heads)
                )
            )
            searches += len(probes)
            differ += int((two_stage != exhaustive).sum())
            right = (exhaustive >= 0) & (labels[exhaustive] == truth)
            lost += int((right & (two_stage != exhaustive)).sum())
            heads_differ += int((heads_first != exhaustive).sum())
            heads_lost += int((right & (heads_first != exhaustive)).sum())
            accepted += int(right.sum())
            mated += int((truth >= 0).sum())
            non_mated += int((truth < 0).sum())
            false += int((exhaustive[truth < 0] >= 0).sum())
    figures |= {
        "searches": searches, "decisions_that_differ": differ, "mated_searches": mated, "accepted_right": accepted,
        "lost": lost, "lost_interval_95": proportion(lost, accepted),
        "heads_first": {
            "decisions_that_differ": heads_differ,
            "lost": heads_lost,
            "lost_interval_95": proportion(heads_lost, accepted),
        },
        "non_mated_searches": non_mated // epochs, "false_positives": false // epochs,
        "fpir": round(false / non_mated, 4), "fpir_interval_95": proportion(false // epochs, non_mated // epochs),
    }  # fmt: skip
    return figures


class Vault:
    """Sealed records: nonce, float16 embedding and tag of each, under a key of its own."""

    def __init__(self, n: int) -> None:
        self._boxes = np.zeros((n, 12 + 1024 + 16), np.uint8)
        self._rng = np.random.default_rng(SEED)

    def _cipher(self, row: int) -> AESGCM:
        return AESGCM(hashlib.blake2b(row.to_bytes(8, "big"), key=SECRET, digest_size=32).digest())

    def seal(self, start: int, rows: NDArray[np.float32]) -> None:
        """Seal records start, start + 1, ..."""
        for offset, row in enumerate(rows.astype(np.float16)):
            nonce = self._rng.bytes(12)
            box = nonce + self._cipher(start + offset).encrypt(nonce, row.tobytes(), b"record")
            self._boxes[start + offset] = np.frombuffer(box, np.uint8)

    def open(self, rows: NDArray[np.int64]) -> Iterable[NDArray[np.float16]]:
        """Open records: what the secure world does with its candidates."""
        for row in rows.tolist():
            box = self._boxes[row].tobytes()
            yield np.frombuffer(self._cipher(row).decrypt(box[:12], box[12:], b"record"), np.float16)


def principal_axes(faces: FaceSet, rank: int) -> NDArray[np.float32]:
    """Orthonormal axes of falling variance, float32 [d, rank]."""
    vectors = np.linalg.svd(faces.embeddings.astype(np.float64), full_matrices=False)[2][:rank]
    return np.ascontiguousarray(vectors.T.astype(np.float32))


def scale(faces: FaceSet, n: int, repeats: int) -> Figures:
    """Both searches in a gallery of n people; times of a single probe and of sixteen."""
    pool = FacePopulation(EDGEFACE_XS, SEED, basis=principal_axes(faces.half("development"), EDGEFACE_XS.rank))
    first, rest = one_each(faces)
    several = faces.labels[first][np.bincount(faces.labels)[faces.labels[first]] > 1]
    real = first[np.isin(faces.labels[first], several)]
    index, codes, vault = faiss.IndexFlatIP(512), coder(0), Vault(n)
    gallery = CodeGallery(np.zeros((0, 128), np.uint8))
    for start in range(0, n, CHUNK):
        rows = pool.embeddings(start, min(CHUNK, n - start), 0)
        if start == 0:
            rows[: len(real)] = faces.embeddings[real]
        rows = rows.astype(np.float16).astype(np.float32)  # both sides see what the box holds
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        index.add(rows)
        gallery.add(codes.encode(rows))
        vault.seal(start, rows)
    chosen = np.isin(faces.labels[rest], several)
    synthetic = np.arange(n - SYNTHETIC_PROBES, n)
    probes = np.concatenate(
        [
            faces.embeddings[rest][chosen],
            pool.embeddings(int(synthetic[0]), synthetic.size, 1),
            pool.embeddings(n, 1000, 1),
        ]
    )
    place = dict(zip(faces.labels[real].tolist(), range(len(real)), strict=True))
    truth = np.concatenate([[place[int(label)] for label in faces.labels[rest][chosen]], synthetic, np.full(1000, -1)])
    threshold = threshold_for_fpir(FPIR, n, profile=builtin_profile(Modality.FACE, 512), score=Score.COSINE)
    scores, best = index.search(probes, 1)
    exhaustive = np.where(scores[:, 0] >= threshold, best[:, 0], -1)
    probe_codes = codes.encode(probes)
    found = [identify(p, c, gallery, vault.open, threshold) for p, c in zip(probes, probe_codes, strict=True)]
    two_stage = np.array([-1 if f is None else f.index for f in found])
    right, is_real = (exhaustive == truth) & (truth >= 0), np.arange(len(probes)) < int(chosen.sum())
    lost = right & (two_stage != exhaustive)
    figures: Figures = {"people": n, "candidates": candidates_for(n), "fpir_target": FPIR, "searches": len(probes)}
    for name, group in (("real", is_real), ("synthetic", ~is_real & (truth >= 0))):
        figures[name] = {
            "mated": int(group.sum()), "accepted_right": int((right & group).sum()), "lost": int((lost & group).sum()),
            "lost_interval_95": proportion(int((lost & group).sum()), int((right & group).sum())),
        }  # fmt: skip
    figures["decisions_that_differ"] = int((two_stage != exhaustive).sum())
    figures["non_mated_false_positives_of_1000"] = int((exhaustive[truth < 0] >= 0).sum())
    return figures | timings(index, gallery, vault, probes[:repeats], codes, threshold)


def timings(
    index: faiss.IndexFlatIP,
    gallery: CodeGallery,
    vault: Vault,
    probes: NDArray[np.float32],
    codes: SignCoder,
    threshold: float,
) -> Figures:
    """Milliseconds of processor time for one search: encode, scan, open, score; against faiss, in turn."""
    ours, theirs = [], []
    for probe in probes:
        a = time.thread_time()
        identify(probe, codes.encode(probe), gallery, vault.open, threshold)
        b = time.thread_time()
        index.search(probe[np.newaxis], 1)
        ours.append(b - a)
        theirs.append(time.thread_time() - b)
    batch = []
    for start in range(0, len(probes) - 15, 16):
        part = probes[start : start + 16]
        a = time.thread_time()
        _, lists = gallery.search(codes.encode(part), candidates_for(len(gallery)))
        for probe, rows in zip(part, lists, strict=True):
            (np.stack(list(vault.open(rows))).astype(np.float32) @ probe).max()
        b = time.thread_time()
        index.search(part, 1)
        batch.append((time.thread_time() - b) / (b - a))
    return {
        "ms_p50": round(statistics.median(ours) * 1e3, 2),
        "ms_p95": round(statistics.quantiles(ours, n=20)[18] * 1e3, 2),
        "faiss_ms_p50": round(statistics.median(theirs) * 1e3, 2),
        "ratio_one_probe": round(statistics.median(t / o for t, o in zip(theirs, ours, strict=True)), 1),
        "ratio_16_probes": round(statistics.median(batch), 1),
        "heads_first": heads_first(gallery, vault, probes, codes, threshold),
    }


def heads_first(
    gallery: CodeGallery, vault: Vault, probes: NDArray[np.float32], codes: SignCoder, threshold: float
) -> Figures:
    """What looking at the first 320 bits first is worth: the scan alone, and all of a search."""
    n, radius, coded = len(gallery), head_radius_for(threshold), codes.encode(probes)
    lists = [
        candidates(probe, code, gallery, lambda rows: np.zeros((len(rows), 512)) + 1, least)[0]
        for probe, code in zip(probes, coded, strict=True)
        for least in (-1.0, threshold)
    ]
    wanted = np.unique(np.concatenate(lists))
    held = dict(zip(wanted.tolist(), vault.open(wanted), strict=True))

    def in_memory(rows: NDArray[np.int64]) -> Iterable[NDArray[np.float16]]:
        return [held[row] for row in rows.tolist()]

    def scan(head_radius: int) -> Call:
        return lambda turn: gallery.search(coded[turn % len(coded)], candidates_for(n), head_radius=head_radius)

    def search(opener: Opener, least: float) -> Call:
        def call(turn: int) -> object:
            probe = probes[turn % len(probes)]
            return candidates(probe, codes.encode(probe), gallery, opener, least)

        return call

    cases: dict[str, dict[str, Call]] = {
        "scan": {"ours": scan(radius), "all bits": scan(HEAD_BITS)},
        "views in memory": {"ours": search(in_memory, threshold), "all bits": search(in_memory, -1.0)},
        "views in boxes": {"ours": search(vault.open, threshold), "all bits": search(vault.open, -1.0)},
    }
    figures: Figures = {"head_radius": radius}
    for name, calls in cases.items():
        kept: dict[str, list[float]] = {}
        found = in_turn(calls, n, seconds=SECONDS, least=100, keep=kept, clock=time.thread_time)
        ours, others = kept["ours"], kept["all bits"]
        figures[name] = {
            "ms_p50": round(found["ours"]["p50_ms"], 3), "ms_shortest": round(min(ours), 3),
            "all_bits_ms_p50": round(found["all bits"]["p50_ms"], 3), "all_bits_ms_shortest": round(min(others), 3),
            "ratio": round(found["all bits"]["ours_times_faster"], 2),
            "ratio_of_shortest": round(min(others) / min(ours), 2),
        }  # fmt: skip
    return figures


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.experiments.identify", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("part", choices=("agreement", "scale"))
    parser.add_argument("--faces", type=Path, required=True, help="EdgeFace-XS embeddings and labels")
    parser.add_argument("--people", type=int, nargs="+", default=[100_000], help="gallery sizes of `scale`")
    parser.add_argument("--epochs", type=int, default=5, help="epochs of `agreement`")
    parser.add_argument("--repeats", type=int, default=48, help="timed searches of `scale`")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    rerun_single_threaded("bench.experiments.identify")
    faiss.omp_set_num_threads(1)
    faces = load_faces(options.faces)
    results = []
    for n in options.people if options.part == "scale" else [0]:
        results.append(scale(faces, n, options.repeats) if n else agreement(faces, options.epochs))
        print(json.dumps(results[-1], indent=2), flush=True)
    if options.out:
        options.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
