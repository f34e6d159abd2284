"""The folders of one side: a device on the disk and one in memory, and the files that commands read."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bioguard.device import Device, DeviceOptions
from bioguard.device.consent import grant_all
from bioguard.records import FaceEmbedding
from bioguard.records.tokens import AuthToken
from bioguard.simulate.people import face_views, finger_impressions

OPTIONS = DeviceOptions(release_grid_ms=0)
SEED, PEOPLE = 1, 10
"""People enrolled beside the one who is timed: what 1:N looks through."""
PROMISE = "POL-13"
"""Whose check goes into the bundle that is verified: one that takes little time. The forms are those of any bundle."""

TOKEN = AuthToken.sign(
    bytes(32), challenge=0, user_id=1, authenticator_id=2, authenticator_type=2, timestamp_ms=3
).to_bytes()  # fmt: skip
"""To be shown; nobody has made it."""


def command_line(*arguments: str) -> list[str]:
    """`bioguard` as it is installed beside this Python; as a module where no script is.

    -P: `-m` would put the current folder first, and with it the tee_sim of whoever compares.
    """
    script = Path(sys.executable).with_name("bioguard")
    return [str(script), *arguments] if script.exists() else [sys.executable, "-P", "-m", "bioguard.cli", *arguments]


@dataclass(frozen=True, slots=True)
class Places:
    """Folders that exist. memory: None where the host has none."""

    disk: Path
    memory: Path | None

    @property
    def stores(self) -> dict[str, Path]:
        """Device directories by where they lie."""
        folders = {"disk": self.disk, "memory": self.memory}
        return {name: folder / "device" for name, folder in folders.items() if folder is not None}

    @property
    def device(self) -> Path:
        return self.disk / "device"

    @property
    def face(self) -> Path:
        return self.disk / "face.npy"

    @property
    def token(self) -> Path:
        return self.disk / "token.bin"

    @property
    def bundle(self) -> Path:
        return self.disk / "evidence"


def _accepted(device: Device) -> FaceEmbedding:
    """A view that is accepted: a command that says no ends with another status."""
    for sample in face_views(SEED, person=0, count=20, first=3):
        if device.authenticate("u0", sample).match:
            return sample
    raise RuntimeError("no view of a person who is enrolled was accepted")


def prepare(places: Places) -> None:
    """Make the devices, and what commands read but the bundle."""
    for directory in places.stores.values():
        with Device.init(directory, OPTIONS, require_pin=False) as device:
            for person in range(PEOPLE):
                device.add_user(f"u{person}")
                grant_all(device, f"u{person}", of_age=True)
                device.enroll(f"u{person}", face_views(SEED, person=person, count=3))
            device.enroll("u0", finger_impressions(SEED, person=0, count=3), finger="right-index")
            np.save(places.face, _accepted(device).vector)
    places.token.write_bytes(TOKEN)


def prepare_bundle(places: Places) -> None:
    """Make the bundle that is verified, in a quarter of a minute. Raises RuntimeError if it is not made."""
    line = command_line("audit", "run", "--quick", "--only", PROMISE, "--out", str(places.bundle))
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"audit run: {done.stderr[-300:]}")
