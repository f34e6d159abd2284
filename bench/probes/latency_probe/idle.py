"""An open device and nothing else in its process, held still while somebody looks at its memory."""

import sys
from pathlib import Path

from bioguard.device import Device, DeviceOptions
from bioguard.formats import load


def hold(directory: Path, face: Path) -> None:
    """Open, say so, wait for a line; authenticate, say so, wait for a line."""
    with Device.open(directory, DeviceOptions(release_grid_ms=0)) as device:
        print("open", flush=True)
        sys.stdin.readline()
        device.authenticate("u0", load(face).features[0])
        print("asked", flush=True)
        sys.stdin.readline()
