#!/usr/bin/env bash
# Print a command that starts a program with the C library of the next Debian, fetched into DIR without installing it:
#   BIOGUARD_FOREIGN_LOADER="$(bash tests/formats/newer_libc.sh DIR PYTHON)"
# Prints nothing where the system's is new enough, or where it cannot be had; the readers that need it are then skipped.
set -euo pipefail
mkdir -p "$1"
# Not what stands on PATH: that may be a script that chooses a Python, which no loader can start.
dir=$(realpath "$1") python=$("$2" -c "import sys; print(sys.executable)") need=2.38
have=$(ldd --version | sed -n '1s/.* //p')
[ "$(printf '%s\n' "$need" "$have" | sort -V | head -1)" = "$need" ] && exit 0
grep -q bookworm /etc/apt/sources.list.d/debian.sources 2>/dev/null || exit 0
mkdir -p "$dir"/{sources,lists/partial,archives/partial,root}
sed -e '/^#/d' -e 's/^Suites:.*/Suites: trixie/' /etc/apt/sources.list.d/debian.sources |
  awk -v RS= 'NR == 1' >"$dir/sources/next.sources"
apt=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$dir/sources" -o "Dir::State::Lists=$dir/lists"
  -o "Dir::Cache::archives=$dir/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
cd "$dir"
{ apt-get "${apt[@]}" update && apt-get "${apt[@]}" download libc6 libstdc++6 libgcc-s1; } >/dev/null 2>&1 || exit 0
for package in ./*.deb; do dpkg-deb -x "$package" root; done
lib="$dir/root/usr/lib/$(uname -m)-linux-gnu"
home=$("$python" -c 'import sys; print(sys.base_prefix)')
loader=$(echo "$lib"/ld-linux-*.so.*)
path="$lib:$home/lib:/usr/lib/$(uname -m)-linux-gnu"
"$loader" --library-path "$path" "$python" -c 'pass' 2>/dev/null || exit 0
echo "$loader --library-path $path"
