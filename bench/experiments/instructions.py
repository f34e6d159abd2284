"""Instructions per comparison, which two machines of one architecture can compare; seconds they cannot.

`perf stat` counts them where the host lets it. A process is counted with few and with many repeats of one kernel call:
the difference is the kernel, without start-up. Run as a program it is that process.
"""

import os
import re
import shutil
import subprocess
import sys
from typing import Any

import numpy as np

from bioguard.match import CodeGallery, FaceGallery, FingerprintGallery
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation
from bioguard.simulate.people.counter_rng import words

ROWS = {"code": 4096, "face": 1024, "fingerprint": 64}
FEW, MANY = 2, 12


def measure() -> dict[str, Any] | str:
    """Instructions for one comparison of each kind, or why they are not known."""
    perf = shutil.which("perf")
    if perf is None:
        return "not measured: perf is not installed"
    found: dict[str, Any] = {}
    for kind, rows in ROWS.items():
        few, many = (_count(perf, kind, repeats) for repeats in (FEW, MANY))
        if few is None or many is None:
            return "not measured: this host does not let processes count instructions"
        found[kind] = {"instructions_per_comparison": round((many - few) / (MANY - FEW) / rows)}
    return found


def _count(perf: str, kind: str, repeats: int) -> int | None:
    line = [
        perf,
        "stat",
        "-x,",
        "-e",
        "instructions:u",
        sys.executable,
        "-m",
        "bench.experiments.instructions",
        kind,
        str(repeats),
    ]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    match = re.search(r"^(\d+),[^,]*,instructions", done.stderr, re.MULTILINE)
    return int(match[1]) if match and done.returncode == 0 else None


def _work(kind: str, repeats: int) -> None:
    rows = ROWS[kind]
    if kind == "code":
        codes = words(1, 0x503, np.arange(rows), 0, 32).view(np.uint8)
        gallery = CodeGallery(codes)
        for i in range(repeats):
            gallery.search(codes[i : i + 1], 64)
    elif kind == "face":
        faces = FacePopulation(EDGEFACE_XS, 1).embeddings(0, rows, 0)
        index = FaceGallery(faces)
        for i in range(repeats):
            index.search(faces[i : i + 1], 64)
    else:
        touches = list(FingerPopulation(1).stream((person, 2, 0) for person in range(rows)))
        fingers = FingerprintGallery(touches)
        for i in range(repeats):
            fingers.scores(fingers.template(i))


if __name__ == "__main__":
    _work(sys.argv[1], int(sys.argv[2]))
