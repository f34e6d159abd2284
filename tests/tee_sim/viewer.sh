#!/usr/bin/env bash
# Fetch speedscope, a viewer of Trace Event files, into DIR and print where its page is. Usage: viewer.sh DIR
set -euo pipefail
[ $# = 1 ] || { echo "usage: viewer.sh DIR" >&2; exit 2; }
mkdir -p "$1"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$1" speedscope@1.25.0 >/dev/null
ls "$1/node_modules/speedscope/dist/release/index.html"
