"""A real device with two more applications next to its own: a hostile one, and a keeper that holds a secret."""

import os
import re
import secrets
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from bioguard.device import Device, DeviceOptions, applications
from tee_sim.normal.client import Context, Session
from tee_sim.normal.machine.locked_start import Started, start_locked
from tee_sim.normal.sandbox_verdict.probes import cached_probes
from tee_sim.normal.sandbox_verdict.processes import Watched
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import Param, Params, ParamType
from tee_sim.shared.wire import Boot, LockProfile, Provision
from tests.security.applications.hostile import app

APPLICATIONS: Final = Path(__file__).parent / "applications"
START: Final = f"""
import sys
sys.path.insert(0, {str(APPLICATIONS)!r})
from tee_sim.secure.launcher import main
main(["launcher", *sys.argv[1:]])
"""
INTERPRETER: Final = sys.executable
PIECE_BYTES: Final = 480 << 10


def manifest(number: int, name: str) -> Manifest:
    """The same code under two names."""
    return Manifest(
        uuid=b"hostile next door"[:15] + bytes([number]),
        name=name,
        entry="hostile.app:Hostile",
        code=("hostile.*",),
        preload=("tee_sim",),
        flags=("single_instance", "multi_session", "keep_alive"),
        spares=7 if name == "hostile" else 1,
        replies=Replies.FREE,  # it sends its memory; a device would not host it, see device_with_neighbors
    )


HOSTILE, KEEPER = manifest(1, "hostile"), manifest(2, "keeper")


@dataclass(frozen=True)
class Pair:
    """A locked world that hosts the two alone; the hostile one has half a second for a command."""

    started: Started
    context: Context

    def open(self, owner: Manifest) -> Session:
        return self.context.open_session(owner.ta_uuid)


@contextmanager
def pair(folder: Path, hostile: Manifest | None = None) -> Iterator[Pair]:
    """Such a world, with an empty store."""
    manifests = (hostile or replace(HOSTILE, time_ms=500), KEEPER)
    folders = (os.fsencode(APPLICATIONS),) * 2
    boot = Boot(manifests=manifests, profile=LockProfile.STRICT, folders=folders)
    provision = Provision(huk=secrets.token_bytes(32), device_id=bytes(16), create=True)
    with ExitStack() as stack:
        supplicant = Supplicant(folder)
        stack.callback(supplicant.close)
        started = start_locked(boot, supplicant, provision, accept=lambda _verdict: None)
        stack.callback(started.process.kill)
        yield Pair(started, Context(started.process))


@contextmanager
def device_with_neighbors(folder: Path, options: DeviceOptions | None = None) -> Iterator[Device]:
    """A new device that hosts both besides its own three."""
    (folder / "start.py").write_text(START, "utf-8")
    wrapper = folder / "python"
    wrapper.write_text(f'#!/bin/sh\nexec "{INTERPRETER}" -I -B "{folder / "start.py"}" "$5" "$6"\n', "utf-8")
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    own = applications.manifests()
    cached_probes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(wrapper))
        patch.setattr(applications, "hosted", lambda: (*own, HOSTILE, KEEPER))
        with Device.init(folder / "device", options or DeviceOptions(), require_pin=False) as device:
            yield device


def session(device: Device, owner: Manifest) -> Session:
    """A session with one of the two."""
    return device.running.session(owner.ta_uuid)


def keep(to: Session, secret: bytes) -> None:
    """Give it a secret; no frame holds the secret itself."""
    masked = bytes(byte ^ 0xFF for byte in secret)
    to.invoke(app.KEEP, (Param.memref(masked), *(Param.none(),) * 3))


def memory_from_inside(of: Session) -> Iterator[bytes]:
    """Everything that the application can read, run by run."""
    for address, size in ranges(of):
        pieces = range(address, address + size, PIECE_BYTES)
        parts = (_read(of, app.READ, struct.pack("<QQ", at, min(PIECE_BYTES, address + size - at))) for at in pieces)
        yield b"".join(parts)


def ranges(of: Session) -> Iterator[tuple[int, int]]:
    """Start and size of every run that it can read."""
    yield from struct.iter_unpack("<QQ", _read(of, app.RANGES, b""))


def _read(of: Session, command: int, asked: bytes) -> bytes:
    params: Params = (Param.memref(asked), Param.none(), Param.output(PIECE_BYTES), Param.none())
    return of.invoke(command, params)[2].buffer


def attempt(of: Session, call: int, fd: int) -> int:
    """Error number of one call on one descriptor."""
    params: Params = (Param.none(), Param(kind=ParamType.VALUE_INOUT, a=call, b=fd), Param.none(), Param.none())
    return of.invoke(app.TRY, params)[1].a


def memory_from_outside(process: Watched) -> Iterator[bytes]:
    """All writable memory of a process, as root sees it; secret memory is not there even for root."""
    pid = process.seen.process_id
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for first, last in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", maps, re.M):
            with suppress(OSError, ValueError):  # secret memory, and [vvar], which is the kernel's
                memory.seek(int(first, 16))
                yield used(memory.read(int(last, 16) - int(first, 16)))


def used(memory: bytes) -> bytes:
    """Without the pages that were never written, which are most of them."""
    pages = np.frombuffer(memory[: len(memory) // app.PAGE * app.PAGE], np.uint8).reshape(-1, app.PAGE)
    return pages[pages.any(1)].tobytes()
