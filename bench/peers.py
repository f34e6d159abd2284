"""Other searchers on the same arrays. A peer that is not installed is named as such and not measured."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

Search = Callable[[NDArray[Any]], object]
PEERS = {"faiss": "faiss-cpu", "cv2": "opencv-python-headless"}


def missing_peers() -> list[str]:
    """Packages that would be measured if they were installed."""
    return [package for module, package in PEERS.items() if find_spec(module) is None]


def face_peers(gallery: NDArray[np.float32], k: int) -> dict[str, Search]:
    """Exact inner-product search, top k, of probes float32 [m, d]."""
    peers: dict[str, Search] = {"numpy": lambda probes: _numpy_best(probes @ gallery.T, k)}
    if find_spec("faiss") is not None:
        faiss = import_module("faiss")
        index = faiss.IndexFlatIP(gallery.shape[1])
        index.add(gallery)
        peers["faiss flat"] = lambda probes: index.search(probes, k)
    return peers


def code_peers(gallery: NDArray[np.uint8], k: int) -> dict[str, Search]:
    """Exact Hamming search, top k, of probes uint8 [m, n_bytes]."""
    wide = gallery.view(np.uint64)

    def by_numpy(probes: NDArray[np.uint8]) -> object:
        distances = np.stack([np.bitwise_count(wide ^ p).sum(axis=1, dtype=np.int32) for p in probes.view(np.uint64)])
        return _numpy_best(-distances, k)

    peers: dict[str, Search] = {"numpy": by_numpy}
    if find_spec("faiss") is not None:
        faiss = import_module("faiss")
        index = faiss.IndexBinaryFlat(8 * gallery.shape[1])
        index.add(gallery)
        peers["faiss binary flat"] = lambda probes: index.search(probes, k)
    if find_spec("cv2") is not None:
        cv2 = import_module("cv2")
        matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
        peers["opencv brute force"] = lambda probes: matcher.knnMatch(probes, gallery, k)
    return peers


def _numpy_best(scores: NDArray[Any], k: int) -> NDArray[np.int64]:
    k = min(k, scores.shape[1])
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)
