"""Peak memory of reading one feature file, each in a process of its own: bombs, and the largest files that are read.

    python tests/formats/embeddings_memory.py            # all files, a table, exit 1 above 64 MiB
    python tests/formats/embeddings_memory.py --only npz

What is counted is the resident set at its highest, minus what it was when the file was opened (/proc/self/status,
reset by /proc/self/clear_refs: proc(5)). The tests run the small files.
"""

import argparse
import io
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

MAX_OVER_START_BYTES = 64 << 20
ENROLL, DECIDE, DEFAULT = 16, 1, 16_384
_CHILD = """
import sys, re
from pathlib import Path
from bioguard.errors import InputRefused
from bioguard.formats import load
def field(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
Path("/proc/self/clear_refs").write_text("5")
start = field("VmRSS")
try:
    kept = load(sys.argv[1], max_views=int(sys.argv[2]))
    end = f"{len(kept.features)} views"
except InputRefused as error:
    end = error.code
print(field("VmHWM") - start, end)
"""


def _zip(name: str, content: bytes, compress: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compress) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def _npy(shape: tuple[int, ...], dtype: str, fill: int | None = None, order: str = "C") -> bytes:
    array = np.full(shape, fill, dtype, order) if fill is not None else _random(shape, dtype, order)
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _random(shape: tuple[int, ...], dtype: str, order: str) -> np.ndarray:
    rows = np.random.default_rng(1).normal(size=shape) * (100 if np.dtype(dtype).kind in "iu" else 1)
    return np.asarray(rows.clip(-120, 120) if np.dtype(dtype).kind in "iu" else rows, dtype, order)


def _text(views: int, dimension: int) -> bytes:
    line = ",".join(f"{v:.9f}" for v in np.random.default_rng(1).normal(size=dimension)).encode()
    return (line + b"\n") * views


FILES: dict[str, tuple[int, Callable[[], bytes]]] = {
    "bomb-enroll.npz": (ENROLL, lambda: _zip("embeddings.npy", _npy((65_500, 1024), "<f4", 1))),
    "bomb-decide.npz": (DECIDE, lambda: _zip("embeddings.npy", _npy((65_536, 1024), "|u1", 1))),
    "slow-bomb.npz": (DEFAULT, lambda: _zip("embeddings.npy", _npy((65_536, 64), "<f2"))),
    "directory.npz": (DEFAULT, lambda: _directory(400_000)),
    "views.npy": (ENROLL, lambda: _npy((4096, 1024), "<f8")),
    "largest.npy": (DEFAULT, lambda: _npy((4096, 1024), "<f8")),
    "largest-fortran.npy": (DEFAULT, lambda: _npy((4096, 1024), "<f8", order="F")),
    "largest-views.npy": (DEFAULT, lambda: _npy((16_384, 256), ">f8")),
    "largest-bytes.npy": (DEFAULT, lambda: _npy((16_384, 256), "|i1")),
    "largest.npz": (DEFAULT, lambda: _zip("embeddings.npy", _npy((8192, 512), "<f8"))),
    "stored.npz": (DEFAULT, lambda: _zip("embeddings.npy", _npy((8192, 512), "<f8"), zipfile.ZIP_STORED)),
    "too-large.npy": (DEFAULT, lambda: _npy((65_536, 1024), "|u1", 1)),
    "newlines.csv": (DECIDE, lambda: b"\n" * (262 << 20 >> 1)),
    "comments.csv": (ENROLL, lambda: (b"#" * 60_000 + b"\n") * 2000),
    "one-line.csv": (ENROLL, lambda: b"1" * (64 << 20)),
    "commas.csv": (ENROLL, lambda: b"," * (64 << 20)),
    "rows.csv": (ENROLL, lambda: _text(4096, 1024)),
    "largest.csv": (DEFAULT, lambda: _text(4096, 1024)),
}
"""Name, views the caller allows, content. The first two and the csv files are those of the report that asked for it."""
QUICK = ("bomb-enroll.npz", "directory.npz", "views.npy", "newlines.csv", "commas.csv", "comments.csv")


def _directory(members: int) -> bytes:
    """An archive whose directory alone is large."""
    entry = b"PK\1\2" + bytes(24) + struct.pack("<HHH", 1, 0, 0) + bytes(12) + b"a"
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 65_535, 65_535, len(entry) * members, 4, 0)
    return b"PK\3\4" + entry * members + end


def measure(name: str, folder: Path) -> tuple[int, str]:
    """Bytes over start, and how it ended: a code or the number of views."""
    max_views, make = FILES[name]
    path = folder / name
    path.write_bytes(make())
    line = [sys.executable, "-c", _CHILD, str(path), str(max_views)]
    over, end = subprocess.run(line, capture_output=True, text=True, check=True).stdout.split(maxsplit=1)
    path.unlink()
    return int(over), end.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="files whose name holds this")
    wanted = [name for name in FILES if parser.parse_args().only in name]
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            over, end = measure(name, Path(folder))
            worst = max(worst, over)
            sys.stdout.write(f"{name:<22}{over / (1 << 20):8.1f} MiB  {end}\n")
            sys.stdout.flush()
    return int(worst > MAX_OVER_START_BYTES)


if __name__ == "__main__":
    sys.exit(main())
