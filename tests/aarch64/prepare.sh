#!/usr/bin/env bash
# Make a Python for aarch64 with NumPy, cbor2 and our kernels in DIR, to be run by qemu-user; nothing is installed:
#   BIOGUARD_AARCH64="$(bash tests/aarch64/prepare.sh DIR PYTHON)"
# Prints DIR. Prints nothing where the compiler or the emulator is missing or a package cannot be had; the test that needs
# it is then skipped by name. PYTHON has pip. Debian 12 only: Python 3.11, the libraries by that release's names.
set -euo pipefail
here=$(realpath "$(dirname "$0")/../..") python=$("$2" -c "import sys; print(sys.executable)")
for tool in aarch64-linux-gnu-gcc qemu-aarch64 apt-get dpkg-deb; do command -v $tool >/dev/null || exit 0; done
grep -q bookworm /etc/apt/sources.list.d/debian.sources 2>/dev/null || exit 0
mkdir -p "$1" && dir=$(realpath "$1") && cd "$dir"
mkdir -p sources lists/partial archives/partial root site
sed '/^#/d' /etc/apt/sources.list.d/debian.sources >sources/debian.sources
: >status
apt=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::Etc::sourcelist=/dev/null
  -o "Dir::Etc::sourceparts=$dir/sources" -o "Dir::State::Lists=$dir/lists" -o "Dir::State::status=$dir/status"
  -o "Dir::Cache::archives=$dir/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
packages=(python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libpython3.11-dev libc6 libgcc-s1 libstdc++6
  zlib1g libexpat1 libffi8 libssl3 libbz2-1.0 liblzma5 libuuid1)
{ apt-get "${apt[@]}" update && apt-get "${apt[@]}" download "${packages[@]}"; } >/dev/null 2>&1 || exit 0
for package in ./*.deb; do dpkg-deb -x "$package" root; done
wheels=(--quiet --disable-pip-version-check --only-binary :all: --no-deps --python-version 3.11 --implementation cp
  --abi cp311 --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux2014_aarch64)
"$python" -m pip download "${wheels[@]}" --dest wheels 'numpy<2.4' 'cbor2<6' >/dev/null 2>&1 || exit 0
"$python" -c 'import sys, zipfile; [zipfile.ZipFile(wheel).extractall("site") for wheel in sys.argv[1:]]' wheels/*.whl
# The kernels lie beside the site, since the checkout has those of this machine; play.py puts them in their place.
build() {
  aarch64-linux-gnu-gcc -shared -fPIC -O3 -std=c11 -pthread -fno-trapping-math -fno-math-errno -DPy_LIMITED_API=0x030B0000 \
    -I root/usr/include/python3.11 -I root/usr/include "$@" -lm
}
native=$here/src/bioguard/match/native
{ build -o _kernels.so "$native"/*.c && build -o _cylinders.so "$native"/fingers/*.c; } >build.log 2>&1 || exit 0
qemu-aarch64 -L root root/usr/bin/python3.11 -c 'pass' 2>/dev/null || exit 0
echo "$dir"
