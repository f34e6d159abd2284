#!/bin/sh
# nbis-py 0.1.3: the setting `ppi` does not tell the extractor at which resolution it looks. On one picture 250, 500 and
# 1000 give the same minutiae at the same places, which moves their reliability alone; None is 500. What a picture of
# 1000 dpi needs is to be made half as large before: its own minutiae are marked half as reliable, whatever `ppi` says.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "nbis-py==0.1.3" "numpy==2.3.5" "pillow==12.0.0" 2>/dev/null
venv/bin/python - <<'PY'
import io

import nbis
import numpy as np
from PIL import Image

# Ridges 9 px apart with 14 ends in them: what a scan at 500 dpi shows.
y, x = np.mgrid[:300, :300].astype(float)
phase, random = 2 * np.pi * y / 9, np.random.default_rng(1)
for number in range(14):
    column, row = random.uniform(60, 240, 2)
    phase += (1 if number % 2 else -1) * np.arctan2(y - row, x - column)
ridges = Image.fromarray((128 + 110 * np.cos(phase)).clip(0, 255).astype(np.uint8))


def found(picture, ppi):
    file = io.BytesIO()
    picture.save(file, "PNG")
    settings = nbis.NbisExtractorSettings(
        min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=False, ppi=ppi
    )
    minutiae = nbis.new_nbis_extractor(settings).extract_minutiae(file.getvalue()).get()
    places = sorted((m.x(), m.y(), m.angle()) for m in minutiae)
    return places, sum(m.reliability() for m in minutiae) / len(minutiae)


seen = {}
for name, picture in (("as scanned", ridges), ("twice as large", ridges.resize((600, 600), Image.BICUBIC))):
    for ppi in (None, 250.0, 500.0, 1000.0):
        seen[name, ppi] = found(picture, ppi)
        print(f"{name}, ppi {ppi}: {len(seen[name, ppi][0])} minutiae, mean reliability {seen[name, ppi][1]:.2f}")
for name in ("as scanned", "twice as large"):
    assert all(seen[name, ppi][0] == seen[name, None][0] for ppi in (250.0, 500.0, 1000.0))
    assert seen[name, 500.0] == seen[name, None] and seen[name, 250.0][1] < seen[name, 500.0][1]
assert seen["twice as large", 1000.0][1] < 0.7 * seen["as scanned", 500.0][1]
PY
