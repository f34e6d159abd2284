"""Clock and randomness of a device: fixed when it is made, kept across starts, no matter what a start says."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from tee_sim.normal.client import Context
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.secure.made.call import Call
from tee_sim.secure.settings import Settings
from tee_sim.secure.world import SecureWorld
from tee_sim.shared.clock import MAX_WALL_MS, ClockKind, SystemClock, clocks_are_shifted
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.storage_requests import Operation
from tee_sim.shared.ta_api import TaEnv
from tee_sim.shared.wire import Message, Provision, Return
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium
from tee_sim.testing.in_process import TEST_DEVICE_ID, TEST_HUK

SEED, OTHER, BOOT = b"s" * 32, b"t" * 32, b"b" * 16
START_MS = 1_800_000_000_000
TA = Manifest(uuid=UUID(int=7).bytes, name="x", entry="a:B", code=(), shared_keys=("k",))


class Disk:
    """Storage that outlives secure worlds."""

    def __init__(self) -> None:
        self.blobs, self.medium = MemoryBlobs(), MemoryMedium()

    def start(
        self,
        *,
        create: bool = False,
        clock: int | None = None,
        seed: bytes | None = None,
        boot_id: bytes = BOOT,
        shifted: bool = False,
    ) -> "World":
        service = Service(self.blobs, RpmbDevice(self.medium))
        provision = Provision(
            huk=TEST_HUK, device_id=TEST_DEVICE_ID, create=create, stepped_wall_ms=clock, seed=seed, boot_id=boot_id
        )
        return World(SecureWorld(provision, Port(service), (TA,), shifted=shifted))


class Port:
    def __init__(self, service: Service) -> None:
        self.call: Callable[[int, bytes], bytes] = service.handle


class World:
    """A client of one secure world, and what a TA in it would get."""

    def __init__(self, world: SecureWorld) -> None:
        self.world = world
        self.client = Context(self)
        self.ready = world.ready()

    @property
    def env(self) -> TaEnv:
        return self.world._environment(TA, Call())

    def exchange(self, message: Message, *, timeout_ms: int = 0) -> Return:
        return self.world.handle(message)

    def kill(self) -> None:
        raise AssertionError


def refused(call: Callable[[], object]) -> TeeResult:
    with pytest.raises(TeeError) as caught:
        call()
    return caught.value.result


CLAIMS = [{}, {"clock": START_MS}, {"seed": SEED}, {"clock": START_MS, "seed": SEED}]


@pytest.mark.parametrize("made", CLAIMS)
@pytest.mark.parametrize("said", [*CLAIMS, {"clock": START_MS + 1}, {"seed": OTHER}, {"clock": 0}])
@pytest.mark.parametrize("create", [False, True])
def test_a_start_may_repeat_what_was_fixed_and_nothing_else(made: dict, said: dict, create: bool) -> None:
    disk = Disk()
    disk.start(create=True, **made)
    if all(made.get(name) == value for name, value in said.items()):
        ready = disk.start(create=create, **said).ready
        assert ready.clock is (ClockKind.STEPPED if "clock" in made else ClockKind.HOST)
        assert ready.randomness is (RandomnessKind.SEEDED if "seed" in made else RandomnessKind.SYSTEM)
    else:
        assert refused(lambda: disk.start(create=create, **said)) is TeeResult.ACCESS_CONFLICT
        assert disk.start().ready.epoch > 0


def test_a_device_whose_making_was_cut_off_is_not_taken_for_a_plain_one() -> None:
    disk = Disk()
    ask = Service(disk.blobs, RpmbDevice(disk.medium)).handle
    commits = 0

    def handle(operation: int, request: object) -> list[object]:
        nonlocal commits
        commits += operation == Operation.COMMIT
        if commits > 1:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, "power cut")
        return ask(operation, request)

    service = type("Cut", (), {"handle": staticmethod(handle)})
    provision = Provision(huk=TEST_HUK, device_id=TEST_DEVICE_ID, create=True, seed=SEED, boot_id=BOOT)
    assert refused(lambda: SecureWorld(provision, Port(service), ())) is TeeResult.STORAGE_NOT_AVAILABLE
    assert refused(disk.start) is TeeResult.ITEM_NOT_FOUND


def test_a_stepped_clock_keeps_its_time_and_only_goes_forward() -> None:
    disk = Disk()
    first = disk.start(create=True, clock=START_MS)
    assert (first.client.time().wall_ms, first.client.time().boot_ms) == (START_MS, 0)
    assert first.client.advance_clock(31_000) == first.client.time()
    again = disk.start(clock=START_MS)
    assert (again.client.time().wall_ms, again.client.time().boot_ms) == (START_MS + 31_000, 31_000)
    assert again.client.advance_clock(0).boot_ms == 31_000
    rebooted = disk.start(boot_id=b"c" * 16)
    assert (rebooted.client.time().wall_ms, rebooted.client.time().boot_ms) == (START_MS + 31_000, 0)


def test_a_stepped_clock_ends_where_times_end_and_then_stands() -> None:
    world = Disk().start(create=True, clock=MAX_WALL_MS - 5)
    assert refused(lambda: world.client.advance_clock(6)) is TeeResult.BAD_PARAMETERS
    assert world.client.advance_clock(5).wall_ms == MAX_WALL_MS == world.client.time().wall_ms


def test_the_hosts_clock_is_told_and_not_moved() -> None:
    disk = Disk()
    world = disk.start(create=True)
    before = world.client.time()
    assert abs(before.wall_ms - SystemClock().wall_ms()) < 60_000
    assert refused(lambda: world.client.advance_clock(3_600_000)) is TeeResult.ACCESS_DENIED
    assert world.client.time().boot_ms - before.boot_ms < 60_000


def test_a_shifted_host_clock_is_refused_and_a_stepped_one_does_not_care() -> None:
    host, stepped = Disk(), Disk()
    assert refused(lambda: host.start(create=True, shifted=True)) is TeeResult.TIME_NEEDS_RESET
    host.start(create=True)
    assert refused(lambda: host.start(shifted=True)) is TeeResult.TIME_NEEDS_RESET
    stepped.start(create=True, clock=START_MS)
    assert stepped.start(shifted=True).client.time().wall_ms == START_MS


@pytest.mark.parametrize(("text", "shifted"), [
    ("monotonic           0         0\nboottime            0         0\n", False),
    ("monotonic           0         0\nboottime         1000         0\n", True),
    ("monotonic           0         1\nboottime            0         0\n", True),
    ("monotonic           0         0\nboottime            0        -1\n", True),
    ("nonsense\n", True),
])  # fmt: skip
def test_offsets_of_a_time_namespace(tmp_path: Path, text: str, shifted: bool) -> None:
    file = tmp_path / "offsets"
    assert not clocks_are_shifted(file)
    file.write_text(text)
    assert clocks_are_shifted(file) is shifted


def drawn(world: World) -> bytes:
    return world.env.rng.bytes(32)


def test_a_seed_gives_the_same_start_by_start_and_no_start_draws_again() -> None:
    def life() -> list[bytes]:
        disk = Disk()
        worlds = [disk.start(create=True, seed=SEED), *(disk.start(boot_id=bytes([n // 2]) * 16) for n in range(4))]
        return [part for world in worlds for part in (drawn(world), world.world._boot.keys["k"])]

    one, other = life(), life()
    assert one == other
    assert len(set(one[0::2])) == 5
    assert len(set(one[1::2])) == 3


def test_tokens_keys_of_a_seeded_device_are_no_other_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same boot secret on a device that is not seeded gives another key."""
    monkeypatch.setattr("tee_sim.shared.rng.SeededRng.bytes", lambda _self, n: bytes(n))
    monkeypatch.setattr("tee_sim.shared.rng.OsRng.bytes", lambda _self, n: bytes(n))
    seeded, plain = Disk().start(create=True, seed=SEED), Disk().start(create=True)
    assert seeded.world._boot.keys["k"] != plain.world._boot.keys["k"]


def test_salts_come_from_the_system_on_a_seeded_device() -> None:
    values = {Disk().start(create=True, seed=SEED).env.system_rng.bytes(16) for _ in range(3)}
    assert len(values) == 3


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["put", "fail", "erase", "renew"]), max_size=4), min_size=2, max_size=5))
def test_no_nonce_repeats_under_a_key_whatever_the_seed(lives: list[list[str]]) -> None:
    """Several devices with one seed, several starts of each, with transactions that fail and keys that are renewed."""
    used: set[tuple[bytes, bytes]] = set()
    repeated: list[bytes] = []

    class Watched:
        def __init__(self, key: bytes) -> None:
            self._key, self._cipher = key, AESGCM(key)

        def encrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
            if (self._key, nonce) in used:
                repeated.append(nonce)
            used.add((self._key, nonce))
            return self._cipher.encrypt(nonce, data, associated)

        def decrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
            return self._cipher.decrypt(nonce, data, associated)

    with pytest.MonkeyPatch.context() as patch:
        for module in ("sealing", "storage.directory_pages", "storage.anchor", "storage.object_sealer"):
            patch.setattr(f"tee_sim.secure.{module}.AESGCM", Watched)
        for _ in range(2):
            disk = Disk()
            for number, life in enumerate(lives):
                _live(disk.start(create=number == 0, seed=SEED), life)
    assert repeated == []
    assert len(used) > 4


def _live(world: World, life: list[str]) -> None:
    store = world.env.store
    for step in life:
        if step == "renew":
            world.client.renew_keys(timeout_ms=1000)
            continue
        try:
            with store.transaction() as transaction:
                transaction.put(b"id", world.env.rng.bytes(40), kind="x")
                if step == "fail":
                    raise RuntimeError
                if step == "erase":
                    transaction.erase(b"id")
        except RuntimeError:
            pass


def test_the_words_of_settings() -> None:
    assert [(s.clock.word, s.randomness.word) for s in (Settings(), Settings(stepped_from_ms=0, seed=SEED))] == [
        ("host", "system"),
        ("stepped", "SEEDED"),
    ]
