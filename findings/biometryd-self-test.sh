#!/bin/sh
# biometryd, the biometric middleware of Ubuntu Touch, with its own dummy device. `biometryd test --trials=N` measures 25
# identifications whatever N is, although its help names the option; the program of package 0.3.0 calls itself 1.0.1; and
# the self-test of a device that holds no template at all ends with figures and exit status 0. Latency that was taken
# with this command is of 25 calls. Debian 12; packages are unpacked, not installed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq biometryd-bin=0.3.0-2 libbiometry1=0.3.0-2 libdbus-cpp5 libprocess-cpp3 libdbus-1-3 libelf1 \
  libboost-filesystem1.74.0 libboost-program-options1.74.0 2>/dev/null
for package in *.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(find "$work/root" -name '*.so.*' -exec dirname {} \; | sort -u | paste -s -d :)
export LD_LIBRARY_PATH
printf '{"device": {"id": "Dummy", "config": {}}}' > dummy.json

version=$(root/usr/bin/biometryd version)
echo "package 0.3.0-2 says: $version"
[ "$version" = "biometryd 1.0.1" ]
for trials in 5 100; do
  echo y | root/usr/bin/biometryd test --config=dummy.json --user=0 --trials=$trials > out.txt
  made=$(tr '\r' '\n' < out.txt | grep -o 'Identifying user' | wc -l)
  echo "--trials=$trials: $made identifications, exit status 0"
  [ "$made" -eq 25 ]
done
