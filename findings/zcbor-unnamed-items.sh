#!/bin/sh
# zcbor, the CBOR tool of the Zephyr and nRF Connect firmware trees, does not load a schema whose array has two members of
# one type without names of their own, also where it only validates and makes no C code: `[uint, uint]`, as RFC 8610
# writes such arrays itself, ends with a ValueError, as do two byte strings of one size and two different small ranges.
# cddl-verifier and pycddl take all of them. A schema that is to be checked with zcbor names each member.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "zcbor==0.9.1" "cbor2==5.9.0" "cddl-verifier==1.5.3" "pycddl==0.6.4" 2>/dev/null
cd "$work"
venv/bin/python - <<'PY'
import subprocess
from importlib.metadata import version
from pathlib import Path

import cbor2
import pycddl

CASES = {
    "two uints": ("t = [uint, uint]", [1, 2], "ValueError: Encountered duplicate field name: 'uint'"),
    "with names": ("t = [a: uint, b: uint]", [1, 2], "accepted"),
    "two strings of one size": (
        "t = [bstr .size 2, bstr .size 2]", [b"ab", b"cd"], "ValueError: Encountered duplicate field name: 'bstr2'"
    ),
    "two small ranges": ("t = [0..5, 1..7]", [1, 2], "ValueError: Encountered duplicate field name: 'uint0'"),
}


def zcbor_says() -> str:
    with Path("d.cbor").open("rb") as data:
        done = subprocess.run(
            ["venv/bin/zcbor", "validate", "-c", "s.cddl", "-t", "t", "-i", "-"], stdin=data, capture_output=True,
            text=True, check=False,
        )
    return done.stderr.strip().splitlines()[-1] if done.returncode else "accepted"


print("zcbor", version("zcbor"), "cddl-verifier", version("cddl-verifier"), "pycddl", version("pycddl"))
for name, (schema, value, expected) in CASES.items():
    Path("s.cddl").write_text(schema + "\n")
    Path("d.cbor").write_bytes(cbor2.dumps(value))
    pycddl.Schema(schema).validate_cbor(cbor2.dumps(value))
    subprocess.run(["venv/bin/cddl-verify", "-t", "t", "s.cddl", "d.cbor"], check=True, capture_output=True)
    seen = zcbor_says()
    print(f"{name:<25} zcbor: {seen}")
    assert seen == expected, name
PY
