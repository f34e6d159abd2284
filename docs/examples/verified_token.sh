#!/bin/sh
# From an installed bioguard to a verified auth token, in a temporary directory. Nothing of it stays.
#
#   pip install . && sh docs/examples/verified_token.sh
#
# PYTHON and BIOGUARD may name other programs than python3 and bioguard.
set -eu
PYTHON=${PYTHON:-python3}
BIOGUARD=${BIOGUARD:-bioguard}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
BIOGUARD_DEVICE="$work/phone"
export BIOGUARD_DEVICE

# Four captures of one made-up face: a direction in 128 dimensions, and small steps from it.
"$PYTHON" - "$work" <<'FACE'
import sys

import numpy as np

rng = np.random.default_rng(7)
face = rng.normal(size=128)
for i in range(4):
    np.save(f"{sys.argv[1]}/capture{i}.npy", (face + 0.1 * rng.normal(size=128)).astype("float32"))
FACE
umask 077
echo 4711 >"$work/pin"

$BIOGUARD device init
$BIOGUARD user add alice
$BIOGUARD pin set alice --pin-file "$work/pin"
$BIOGUARD consent grant alice --purpose unlock --purpose key-use --of-age --pin-file "$work/pin"
$BIOGUARD enroll alice --face "$work"/capture[012].npy --pin-file "$work/pin"
$BIOGUARD authenticate alice "$work/capture3.npy" --operation-id 42 --token "$work/token.bin"
$BIOGUARD token verify "$work/token.bin"
$BIOGUARD device reboot
if $BIOGUARD token verify "$work/token.bin"; then
    echo "the token outlived the boot" >&2
    exit 1
fi
