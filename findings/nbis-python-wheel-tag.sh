#!/bin/sh
# nbis-python 0.1.21: its wheel is tagged manylinux_2_28, so pip installs it wherever the C library is at least 2.28, but
# a library inside it asks for symbols of a newer one. On Debian 12 (2.36) `import nbis` ends with an OSError. Told from
# the wheel alone: the newest symbol version that its libraries need, against the one that its tag promises.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "pyelftools==0.32" 2>/dev/null
venv/bin/pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --python-version 3.11 \
  --platform manylinux_2_28_x86_64 "nbis-python==0.1.21" 2>/dev/null
venv/bin/python - <<'PY'
import io
import re
import zipfile
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

(wheel,) = Path().glob("nbis_python-*.whl")
promised = tuple(map(int, re.search(r"manylinux_(\d+)_(\d+)", wheel.name).groups()))
needed = {}
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if ".so" not in name:
            continue
        for section in ELFFile(io.BytesIO(archive.read(name))).iter_sections():
            if isinstance(section, GNUVerNeedSection):
                for _, versions in section.iter_versions():
                    for version in versions:
                        found = re.fullmatch(r"GLIBC_(\d+)\.(\d+)", version.name)
                        if found:
                            needed[name] = max(needed.get(name, (0, 0)), tuple(map(int, found.groups())))
print(wheel.name)
worst = max(needed, key=needed.get)
print(f"promised glibc {promised}, needed {needed[worst]} by {Path(worst).name}")
assert promised == (2, 28) and needed[worst] == (2, 38)
PY
