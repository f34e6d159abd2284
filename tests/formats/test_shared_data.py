"""Every development template: byte-exact round trip, second reader, no warning, writers lose nothing at 500 dpi."""

from pathlib import Path

import numpy as np

from bioguard.formats import load, load_bytes, parse_minutiae, write_iso2005, write_iso2011
from bioguard.records import FingerprintTemplate


def test_all_files(shared_fingerprints: Path, oracle, plain) -> None:
    files = sorted(shared_fingerprints.rglob("*.iso"))
    assert len(files) >= 320
    for path in files:
        octets = path.read_bytes()
        record = parse_minutiae(octets)
        assert record.to_bytes() == octets, path
        expected = oracle("iso2005", octets)[0]
        found = plain(record.views[0], record.geometry(0))
        assert {key: found[key] for key in expected} == expected, path
        result = load(path)
        assert result.warnings == (), path
        (template,) = result.features
        assert isinstance(template, FingerprintTemplate)
        rows = np.array(expected["minutiae"], dtype=np.float64)
        assert np.array_equal(template.x_px500, rows[:, 1])
        assert np.array_equal(template.y_px500, rows[:, 2])
        assert np.allclose(template.angle_rad, rows[:, 3] * 2 * np.pi / 256, atol=1e-6)
        for write in (write_iso2005, write_iso2011):
            assert load_bytes(write(template), "again.fmr").features == (template,), path
