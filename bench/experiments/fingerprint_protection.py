"""Accuracy of protected fingerprint codes: stolen key, own keys, and the full comparison beside them.

    python -m bench.experiments.fingerprint_protection --fingerprints DIR [--keys 3]

Leave-one-database-out as in `bench.calibration.train_projection`. "Stolen": one key for everybody, which is what an
impostor with the key meets. "Own": every finger has its own key, and impostors do not have it. Figures are means over
the keys.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.calibration.fingerprint_data import load_sets, pairs
from bench.calibration.fingerprint_training import train, unseen
from bench.import_options import add_import_options, import_options_of
from bench.metrics.rates import headline
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare_all
from bioguard.match.protected.finger_codes import FingerCoder, protected_scores


def key(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=32).digest()


def stolen(prepared: list[PreparedTemplate], number: int) -> NDArray[np.float32]:
    coder = FingerCoder(key(number))
    codes = [coder.encode(t) for t in prepared]
    return np.stack([protected_scores(c, codes) for c in codes])


def own(prepared: list[PreparedTemplate], fingers: NDArray[np.int64], number: int) -> NDArray[np.float32]:
    """Row: probe under its own finger's key; column: template under its finger's key."""
    coders = {f: FingerCoder(key(number, int(f))) for f in np.unique(fingers)}
    codes = [coders[f].encode(t) for t, f in zip(prepared, fingers, strict=True)]
    return np.stack([protected_scores(c, codes) for c in codes])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--fingerprints", type=Path, required=True)
    parser.add_argument("--keys", type=int, default=3)
    add_import_options(parser)
    options = parser.parse_args()
    parts, _ = train(load_sets(options.fingerprints, import_options_of(parser, options)))
    rates: dict[tuple[str, str], list[list[float]]] = {}
    for source, others in ((part.source, others) for part, others in unseen(parts)):
        prepared = prepare_all(source.templates, others)
        i, j, same = pairs(source.fingers)
        for number in range(options.keys):
            for kind, table in (
                ("stolen key", stolen(prepared, number)),
                ("own keys", own(prepared, source.fingers, number)),
            ):
                row = headline(table[i, j][same], table[i, j][~same])
                rates.setdefault((source.extractor, kind), []).append(row)
    print("mean over databases and keys: EER %, FNMR % at FMR 1e-2 and 1e-3")
    for (extractor, kind), rows in sorted(rates.items()):
        print(f"  {extractor:6s} {kind:12s} " + " ".join(f"{100 * r:6.2f}" for r in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
