#!/bin/sh
# confusable-homoglyphs: importing the function that looks a name up for look-alike letters loads Python's whole network
# stack (socket, ssl, http.client, urllib.request), because the module with the updater of its tables is imported on the
# way. Who promises that no network code is loaded must read its data files and leave its code alone.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "confusable-homoglyphs==3.3.1" 2>/dev/null
"$work/venv/bin/python" - <<'PY'
import json
import pkgutil
import sys

NETWORK = ("socket", "ssl", "http.client", "urllib.request")
table = json.loads(pkgutil.get_data("confusable_homoglyphs", "confusables.json"))
print(f"confusable-homoglyphs 3.3.1; data alone: {len(table)} characters, loaded: {[n for n in NETWORK if n in sys.modules]}")
assert not any(name in sys.modules for name in NETWORK)

from confusable_homoglyphs import confusables

assert confusables.is_dangerous("p\u0430ypal")
loaded = [n for n in NETWORK if n in sys.modules]
print(f"after the import of the look-up, loaded: {loaded}")
assert loaded == list(NETWORK)
PY
