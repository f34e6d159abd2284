#!/bin/sh
# qemu-user 7.2, the emulator of Debian 12, with the NumPy 2.3.5 wheel for aarch64: under the emulator's default CPU (`max`,
# which has SVE) every product of two float32 matrices is wrong, and no error is raised; float64 is right. Without SVE
# (`-cpu max,sve=off`, or a CPU that has none, such as neoverse-n1) both are right. Who tests aarch64 builds of a matcher
# in this emulator must name a CPU. Packages are unpacked, not installed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
mkdir -p sources lists/partial archives/partial root site emulator
sed '/^#/d' /etc/apt/sources.list.d/debian.sources > sources/debian.sources
: > status
arm64() {
  apt-get -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::Etc::sourcelist=/dev/null \
    -o "Dir::Etc::sourceparts=$work/sources" -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/status" \
    -o "Dir::Cache::archives=$work/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@" > log 2>&1
}
arm64 update
arm64 download python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libgcc-s1 libstdc++6 zlib1g \
  libexpat1 libffi8 libssl3 libbz2-1.0 liblzma5 libuuid1
for package in *.deb; do dpkg-deb -x "$package" root; done
mkdir host && (cd host && apt-get download -qq qemu-user-static='1:7.2+*' 2> /dev/null && dpkg-deb -x ./*.deb ../emulator)
python3 -m pip download --quiet --disable-pip-version-check --only-binary :all: --no-deps --python-version 3.11 \
  --implementation cp --abi cp311 --platform manylinux_2_28_aarch64 --dest wheels numpy==2.3.5
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall("site")' wheels/*.whl
cat > product.py <<'PY'
import numpy as np

print("numpy", np.__version__)
random = np.random.default_rng(1)
for dtype in (np.float32, np.float64):
    wrong = 0
    for size in (2, 3, 8, 13, 16, 33, 64):
        a, b = random.integers(0, 9, (2, size, size))
        wrong += not np.array_equal(a.astype(dtype) @ b.astype(dtype), a @ b)
    print(dtype.__name__, wrong, "of 7 products wrong")
PY
emulator=$(find emulator -name qemu-aarch64-static)
$emulator --version | head -1
for cpu in max max,sve=off neoverse-n1; do
  PYTHONPATH=site $emulator -cpu $cpu -L root root/usr/bin/python3.11 product.py > "$cpu.txt" 2> errors
  echo "-cpu $cpu: $(paste -s -d , "$cpu.txt")"
done
grep -q '^float32 7 of 7 products wrong$' max.txt
grep -q '^float64 0 of 7 products wrong$' max.txt
for cpu in max,sve=off neoverse-n1; do
  [ "$(grep -c ' 0 of 7 products wrong$' "$cpu.txt")" -eq 2 ]
done
