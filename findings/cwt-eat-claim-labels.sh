#!/bin/sh
# cwt (python-cwt) maps the names of Entity Attestation Token claims to the labels of an early draft. RFC 9711 section 4
# and the IANA registry of CWT claims have ueid 256, oemid 258, dbgstat 263, location 264, eat_profile 265, submods 266.
# Only the nonce (10) agrees. Whoever writes or looks up an attestation token by
# name with it reads or writes other claims than a verifier of RFC 9711 or RFC 9783 (PSA) expects: use the numbers.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "cwt==3.3.0" 2>/dev/null
"$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

from cwt import Claims
from cwt.enums import CWTClaims

RFC_9711 = {"NONCE": 10, "UEID": 256, "OEMID": 258, "DBG_STAT": 263, "LOCATION": 264, "EAT_PROFILE": 265, "SUBMODS": 266}
SEEN = {"NONCE": 10, "UEID": 11, "OEMID": 13, "DBG_STAT": 16, "LOCATION": 17, "EAT_PROFILE": 18, "SUBMODS": 20}
print("cwt", version("cwt"))
labels = {name: int(CWTClaims[name]) for name in SEEN}
for name, label in labels.items():
    print(f"{name:<12} cwt {label:>4}   RFC 9711 {RFC_9711[name]:>4}")
assert labels == SEEN, "the labels changed"
written = Claims.from_json({"ueid": "01deadbeef"}).to_dict()
print("Claims.from_json(ueid) writes label", sorted(written))
assert sorted(written) == [11], "the label of ueid changed"
PY
