#!/bin/sh
# pyeer gives the FNMR at a false match rate of 1/1000 (and 1/100) for any number of impostor scores. With 40 of them
# the smallest rate above zero is 1/40: what stands under fmr1000 and fmr100 is then the FNMR at no false match at all,
# with the same threshold, and nothing says so. ISO/IEC 19795-1 asks for the uncertainty; the rule of 3 needs 3 000
# impostor comparisons before 1/1000 can be told from 0.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "pyeer==0.5.6" "numpy==2.4.6" 2>/dev/null
"$work/venv/bin/python" -W error::UserWarning - <<'PY'
from importlib.metadata import version

from pyeer.eer_info import get_eer_stats

print("pyeer", version("pyeer"))
genuine = [1.0 + i / 20 for i in range(40)]
impostor = [-1.0 + i / 16 for i in range(40)]
stats = get_eer_stats(genuine, impostor)
for name in ("fmr0", "fmr1000", "fmr100", "fmr20"):
    print(f"{name:<8} FNMR {float(getattr(stats, name)):.4f} at threshold {float(getattr(stats, name + '_th')):.4f}")
print(f"{len(impostor)} impostor scores: the smallest rate above zero is {1 / len(impostor)}")
assert stats.fmr1000 == stats.fmr100 == stats.fmr0 and stats.fmr1000_th == stats.fmr0_th, "fmr1000 changed"
assert stats.fmr20 < stats.fmr1000, "the example no longer tells the rates apart"
PY
