"""A hostile application next to ours: what it can read of memory, and what its descriptors can do."""

import errno
import hashlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bioguard.device import Device, DeviceOptions, applications
from bioguard.device.boot_id import boot_id
from bioguard.device.consent import grant_all
from bioguard.device.fuses import Fuses
from bioguard.device.pins import enrollment_token, set_pin
from bioguard.evidence.leak_scan.canaries import Canaries, make_canaries
from bioguard.evidence.leak_scan.scanner import Scanner
from bioguard.records import FaceEmbedding
from bioguard.records.modality import Modality
from tee_sim.normal.sandbox_verdict.observe import look
from tee_sim.normal.sandbox_verdict.processes import Watched
from tee_sim.normal.sandbox_verdict.verdict import Level, State
from tee_sim.normal.supplicant import Supplicant
from tee_sim.secure.keys import KeyLadder, ssk, tsk
from tee_sim.secure.world import SecureWorld
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.wire import LockProfile, Provision
from tee_sim.testing.direct_port import DirectPort
from tests.security.applications.hostile import app
from tests.security.hostile import (
    HOSTILE,
    KEEPER,
    attempt,
    device_with_neighbors,
    keep,
    memory_from_inside,
    memory_from_outside,
    ranges,
    session,
)

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only"),
    pytest.mark.alone("broken"),
]

SEED = 20261129
OTHERS = secrets.token_bytes(32)
ITS_OWN = secrets.token_bytes(32)
CALLS = {
    "read": app.READ_,
    "write": app.WRITE,
    "poll": app.POLL,
    "dup": app.DUP,
    "close": app.CLOSE,
    "fcntl": app.FCNTL,
    "send": app.SEND,
    "signal": app.SIGNAL,
}
BLOCK_BYTES, OVERLAP_BYTES = 16_384, 64
NUMBERS = (*range(256), *range(256, 1024, 32), 1023)
"""Of descriptors: more than any process of the secure world has open, and a sample up to what it may have."""


@pytest.fixture(scope="module")
def canaries() -> Canaries:
    return make_canaries(SEED, with_key=False)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory, canaries: Canaries) -> Iterator[Device]:
    """A person is enrolled and was matched, a PIN was checked, and each of the two neighbors keeps a secret."""
    with device_with_neighbors(tmp_path_factory.mktemp("neighbors")) as device:
        noise = np.random.default_rng(3)
        faces = [FaceEmbedding.from_features(canaries.face + noise.normal(0, 0.004, 512)) for _ in range(3)]
        device.add_user("canary")
        grant_all(device, "canary", of_age=True)
        set_pin(device, "canary", b"852456")
        token = enrollment_token(device, "canary", Modality.FACE, b"852456")
        device.enroll("canary", [canaries.embedding, *faces[:2]], token=token)
        device.authenticate("canary", faces[2])
        keep(session(device, HOSTILE), ITS_OWN)
        keep(session(device, KEEPER), OTHERS + canaries.embedding.vector.tobytes())
        yield device


def keys_of(device: Device) -> dict[str, bytes]:
    """Root secret and what the core derives from it for its stores."""
    fuses = Fuses.read(Path(device.directory))
    ladder = KeyLadder(fuses.huk, fuses.device_id)
    chip = hashlib.sha256(b"tee_sim chip id v1" + fuses.device_id).digest()
    storage = ssk(fuses.huk, chip)
    keys = {
        "HUK": fuses.huk,
        "storage key": storage,
        "RPMB key": ladder.rpmb_key(),
        "store's own key": tsk(storage, None),
        "anchor key": ladder.derive("store anchor"),
    }
    owners = (KEEPER, HOSTILE, *applications.manifests()[:3])
    return keys | {f"storage key of {owner.name}": tsk(storage, owner.ta_uuid) for owner in owners}


@pytest.fixture(scope="module")
def token_key(device: Device, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The key of this boot under which auth tokens are made: read from a copy of the store, with the root secret."""
    copy = tmp_path_factory.mktemp("copy") / "device"
    shutil.copytree(device.directory, copy)
    fuses = Fuses.read(copy)
    provision = Provision(huk=fuses.huk, device_id=fuses.device_id, create=False, boot_id=boot_id(copy, keep=False))
    with closing(Supplicant(copy)) as supplicant:
        world = SecureWorld(provision, DirectPort(supplicant), applications.manifests())
        return world._boot.keys["auth-token"]


def device_id(device: Device) -> bytes:
    return Fuses.read(Path(device.directory)).device_id


def found(pieces: Iterable[bytes], searched: "Searched") -> set[str]:
    """Names of the needles, and of the forms of a template, that lie in some memory."""
    return set().union(*(searched.names(block) for piece in pieces for block in blocks(piece)))


def blocks(piece: bytes) -> Iterator[bytes]:
    """Each overlaps the next by as much as the longest needle has."""
    return (piece[at : at + BLOCK_BYTES + OVERLAP_BYTES] for at in range(0, len(piece), BLOCK_BYTES))


class Searched:
    """Blocks of memory that were searched: processes that came of one hold mostly the same, which is read once."""

    def __init__(self, needles: dict[str, bytes], scanner: Scanner) -> None:
        assert max(map(len, needles.values())) <= OVERLAP_BYTES
        self._needles, self._scanner = needles, scanner
        self._known: dict[bytes, set[str]] = {}

    def names(self, block: bytes) -> set[str]:
        """What lies in it."""
        digest = hashlib.sha256(block).digest()
        if digest not in self._known:
            names = {name for name, needle in self._needles.items() if needle in block}
            self._known[digest] = names | {f"template: {hit.name}" for hit in self._scanner.scan_exact(block)}
        return self._known[digest]


@pytest.fixture(scope="module")
def scanner(canaries: Canaries) -> Scanner:
    return Scanner(canaries)


@pytest.mark.parametrize("before", [0, 1, 16, 32])
def test_what_lies_in_two_blocks_is_found(before: int, scanner: Scanner) -> None:
    memory = bytes(BLOCK_BYTES - before) + OTHERS + bytes(BLOCK_BYTES)
    assert found([memory], Searched({"it": OTHERS}, scanner)) == {"it"}


def test_it_reads_its_whole_memory_and_finds_its_own_secret_alone(
    device: Device, scanner: Scanner, token_key: bytes
) -> None:
    needles = keys_of(device) | {"another's secret": OTHERS, "its own secret": ITS_OWN, "token": token_key}
    size = 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for piece in memory_from_inside(session(device, HOSTILE)):
            size += len(piece)
            yield piece

    assert found(counted(), Searched(needles, scanner)) == {"its own secret"}
    assert size > 30 << 20, "an interpreter and its libraries are larger"
    assert device.running.process.alive


def test_what_it_calls_its_whole_memory_is_what_the_kernel_says(device: Device) -> None:
    """Nothing that is mapped is left out: the halving finds every range that /proc lists."""
    if os.geteuid() != 0:
        pytest.skip("only root reads the memory map of a process that is not dumpable")
    inside = list(ranges(session(device, HOSTILE)))
    rows = Path(f"/proc/{running(device, 'hostile').seen.process_id}/maps").read_text(encoding="utf-8")
    lines = [line for line in rows.splitlines() if line.split()[1][0] == "r" and "[v" not in line]
    missed = [
        line
        for line, (first, last) in ((line, line.split()[0].split("-")) for line in lines)
        if not any(start <= int(first, 16) < start + size for start, size in inside)
    ]
    assert len(lines) > 100
    assert len(missed) <= 0.02 * len(lines), missed


def running(device: Device, name: str) -> Watched:
    """The process of an application that is not a spare."""
    return next(host for host in device.running.inspected.hosts if host.name == name)


def test_root_finds_each_secret_in_the_one_process_that_has_it(
    device: Device, scanner: Scanner, token_key: bytes
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root reads the memory of a process that is not dumpable")
    needles = keys_of(device) | {"another's secret": OTHERS, "its own secret": ITS_OWN, "token": token_key}
    hosts = device.running.inspected.hosts
    searched = Searched(needles, scanner)
    holders = {host.name: found(memory_from_outside(host), searched) for host in hosts}
    templates = {name for name, has in holders.items() if any(what.startswith("template") for what in has)}
    assert {"keeper"} <= templates <= {"keeper", "biometric"}, "the keeper was given one: the scan would see others"
    assert "another's secret" in holders["keeper"]
    assert holders["hostile"] == {"its own secret"}
    asked = {"keeper", "hostile", "biometric", "gatekeeper"}
    others = {name: has for name, has in holders.items() if name not in asked}
    assert set().union(*others.values()) == set(), others
    assert len(others) == len(hosts) - 4 >= 9
    assert holders["gatekeeper"] == set(), "the core makes its tokens"
    assert not any("key" in what or what in ("HUK", "token") for has in holders.values() for what in has)
    known = {"device id": device_id(device), "token": token_key}
    control = found(memory_from_outside(device.running.inspected.core), Searched(known, scanner))
    assert set(known) <= control, "what the core has got and made is found; the HUK lies in secret memory"


def test_each_process_holds_two_pipes_and_the_verdict_knows_whose(device: Device) -> None:
    assert device.running.verdict.level.meets(Level.ENFORCED)
    if os.geteuid() != 0:
        assert device.running.verdict.state("hosts") is State.UNKNOWN
        return
    assert device.running.verdict.state("hosts") is State.IN_FORCE
    ends = [
        target
        for host in device.running.inspected.hosts
        for _, target in look(host.seen.process_id).descriptors or ()
        if target.startswith("pipe:")
    ]
    assert len(ends) == len(set(ends)) == 2 * len(device.running.inspected.hosts)


def test_no_number_but_its_own_two_does_anything(tmp_path: Path) -> None:
    """The debug profile answers instead of killing, so that one process can try them all."""
    options = DeviceOptions(profile=LockProfile.PERMISSIVE_DEBUG, allow_level=Level.INCONCLUSIVE)
    with device_with_neighbors(tmp_path, options) as device:
        hostile = session(device, HOSTILE)
        process = running(device, "hostile")
        report = process.report
        if os.geteuid() == 0:
            assert max(int(link.name) for link in Path(f"/proc/{process.seen.process_id}/fd").iterdir()) < 256
        worked = {
            (name, fd): error
            for name, call in CALLS.items()
            for fd in NUMBERS
            if (error := attempt(hostile, call, fd)) != errno.EPERM
        }
        assert worked == {("read", report.request_fd): 0, ("write", report.reply_fd): 0}
        assert device.running.process.alive


@pytest.mark.parametrize("call", list(CALLS))
def test_trying_ends_it_alone(device: Device, call: str) -> None:
    """A descriptor of the core's, by its number: the filter ends the process that names it, and no other."""
    foreign = device.running.report.links[0].kill_fd
    before = session(device, KEEPER)
    with pytest.raises(TeeError) as caught:
        attempt(session(device, HOSTILE), CALLS[call], foreign)
    assert caught.value.result is TeeResult.TARGET_DEAD
    assert HostEnd.FORBIDDEN_CALL.words in str(caught.value)
    device.running.forget(HOSTILE.ta_uuid)
    keep(before, b"still there")
    assert device.running.process.alive
