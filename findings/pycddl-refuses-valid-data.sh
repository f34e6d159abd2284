#!/bin/sh
# pycddl (the Rust crate cddl behind a Python class) refuses data that fit the schema for seven constructs of RFC 8610
# and RFC 8742: ranges that start below zero, ranges of floats, .bits with no bit set, .cborseq, unwrapping (~), the
# first of two group choices in an array, and a socket that nothing extends. cddl-verifier accepts each of them. A
# schema that is to be checked with both has to do without.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "pycddl==0.6.4" "cddl-verifier==1.5.3" "cbor2==5.9.0" 2>/dev/null
cd "$work"
venv/bin/python - <<'PY'
import subprocess
from importlib.metadata import version
from pathlib import Path

import cbor2
import pycddl

CASES = {
    "range below zero": ("t = -5..5", -5),
    "range of floats": ("t = 0.0..1.0", 0.5),
    ".bits, none set": ("t = uint .bits f\nf = &(a: 0, b: 2)", 0),
    ".cborseq": ("t = bytes .cborseq [* int]", b"\x01\x02"),
    "unwrapping": ("h = [int, tstr]\nt = [~h, bool]", [1, "a", True]),
    "first group choice": ("t = [(int, tstr) // (tstr)]", [1, "a"]),
    "empty socket": ("t = {1: int, * $$more}\n$$more //= (2: tstr)", {1: 1}),
}
CONTROL = ("t = [2*3 int]", [1, 2])


def pycddl_says(schema: str, data: bytes) -> str:
    try:
        pycddl.Schema(schema).validate_cbor(data)
    except pycddl.ValidationError:
        return "refuses"
    return "accepts"


def verifier_says(schema: str, data: bytes) -> str:
    Path("s.cddl").write_text(schema + "\n")
    Path("d.cbor").write_bytes(data)
    done = subprocess.run(["venv/bin/cddl-verify", "-t", "t", "s.cddl", "d.cbor"], capture_output=True, check=False)
    return "refuses" if done.returncode else "accepts"


print("pycddl", version("pycddl"), "cddl-verifier", version("cddl-verifier"))
assert pycddl_says(CONTROL[0], cbor2.dumps(CONTROL[1])) == "accepts"
for name, (schema, value) in CASES.items():
    data = cbor2.dumps(value)
    seen = pycddl_says(schema, data), verifier_says(schema, data)
    print(f"{name:<20} pycddl {seen[0]}, cddl-verifier {seen[1]}")
    assert seen == ("refuses", "accepts"), name
PY
