"""Types of the compiled kernel (native/module.c). Use bioguard.match.CodeGallery instead."""

import numpy as np
from numpy.typing import NDArray

def variants() -> list[str]: ...
def search(
    variant: int,
    rows: int,
    steps: int,
    m: int,
    k: int,
    threads: int,
    head_radius: int,
    heads: NDArray[np.uint32],
    tails: NDArray[np.uint32],
    live: NDArray[np.uint16],
    probes: NDArray[np.uint8],
    distances: NDArray[np.uint16],
    positions: NDArray[np.int64],
    /,
) -> None: ...
def distances(
    variant: int,
    rows: int,
    steps: int,
    m: int,
    threads: int,
    heads: NDArray[np.uint32],
    tails: NDArray[np.uint32],
    live: NDArray[np.uint16],
    probes: NDArray[np.uint8],
    distances: NDArray[np.uint16],
    /,
) -> None: ...
def histogram(
    variant: int,
    rows: int,
    steps: int,
    m: int,
    threads: int,
    heads: NDArray[np.uint32],
    tails: NDArray[np.uint32],
    live: NDArray[np.uint16],
    probes: NDArray[np.uint8],
    counts: NDArray[np.int64],
    /,
) -> None: ...
def count_within(
    variant: int,
    rows: int,
    steps: int,
    m: int,
    radius: int,
    heads: NDArray[np.uint32],
    tails: NDArray[np.uint32],
    live: NDArray[np.uint16],
    probes: NDArray[np.uint8],
    counts: NDArray[np.int64],
    /,
) -> None: ...
def list_within(
    variant: int,
    rows: int,
    steps: int,
    m: int,
    radius: int,
    heads: NDArray[np.uint32],
    tails: NDArray[np.uint32],
    live: NDArray[np.uint16],
    probes: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    distances: NDArray[np.uint16],
    positions: NDArray[np.int64],
    /,
) -> None: ...
def dot_rows(
    variant: int,
    n: int,
    d: int,
    m: int,
    rows: NDArray[np.float32],
    probes: NDArray[np.float32],
    out: NDArray[np.float32],
    /,
) -> None: ...
def unit_rows(n: int, d: int, rows: NDArray[np.float32], out: NDArray[np.float32], /) -> bool: ...
def best_rows(
    variant: int,
    n: int,
    d: int,
    m: int,
    k: int,
    rows: NDArray[np.float32],
    live: NDArray[np.bool_],
    probes: NDArray[np.float32],
    scores: NDArray[np.float32],
    positions: NDArray[np.int64],
    /,
) -> bool: ...
def select_scores(
    m: int,
    columns: int,
    start: int,
    k: int,
    room: int,
    scores: NDArray[np.float32],
    keys: NDArray[np.uint64],
    sizes: NDArray[np.uint64],
    floors: NDArray[np.float32],
    /,
) -> None: ...
def select_finish(
    m: int,
    k: int,
    room: int,
    keys: NDArray[np.uint64],
    sizes: NDArray[np.uint64],
    scores: NDArray[np.float32],
    positions: NDArray[np.int64],
    /,
) -> None: ...
def sign_codes(
    n: int,
    padded: int,
    blocks: int,
    bits: int,
    rows: NDArray[np.float32],
    signs: NDArray[np.float32],
    codes: NDArray[np.uint8],
    /,
) -> None: ...
