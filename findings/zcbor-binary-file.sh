#!/bin/sh
# zcbor, the CBOR tool of the Zephyr and nRF Connect firmware trees. Installed alone it takes the newest cbor2 and does
# not start (cbor2 6.3.0: a name it imports is gone; its metadata has no upper bound). With cbor2 5.9.0 it opens a binary
# input file with a text encoding, which Python refuses: `zcbor validate -i data.cbor` and `zcbor convert -i data.cbor`
# end with a ValueError for every file. The same bytes are accepted from standard input and as a .cborhex file.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip="$work/venv/bin/pip --quiet --disable-pip-version-check"
$pip install "zcbor==0.9.1" "cbor2==6.3.0" 2>/dev/null
cd "$work"
zcbor=venv/bin/zcbor
versions() { venv/bin/python -c 'from importlib.metadata import version as v; print("zcbor", v("zcbor"), "cbor2", v("cbor2"))'; }
says() { "$@" > out.txt 2>&1 && echo accepted || tail -n 1 out.txt | sed 's/ (\/.*//'; }
versions
newest=$(says $zcbor --help)
echo "zcbor --help: $newest"
[ "$newest" = "ImportError: cannot import name 'CBORDecodeValueError' from 'cbor2'" ]

$pip install "cbor2==5.9.0" 2>/dev/null
versions
printf 'answer = uint .size 4\n' > s.cddl
printf '\005' > data.cbor
printf '05' > data.cborhex

byname=$(says $zcbor validate -c s.cddl -t answer -i data.cbor)
convert=$(says $zcbor convert -c s.cddl -t answer -i data.cbor -o out.json)
hex=$(says $zcbor validate -c s.cddl -t answer -i data.cborhex)
stdin=$(says $zcbor validate -c s.cddl -t answer -i - < data.cbor)
echo "validate, binary file by name: $byname"
echo "convert, binary file by name:  $convert"
echo "validate, hex file by name:    $hex"
echo "validate, standard input:      $stdin"
refused="ValueError: binary mode doesn't take an encoding argument"
[ "$byname" = "$refused" ] && [ "$convert" = "$refused" ] && [ "$hex" = accepted ] && [ "$stdin" = accepted ]
