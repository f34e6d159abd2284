"""Attacks on a device's time and randomness: waits that are to end early, keys that are to be known."""

import hmac
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

from bioguard.device import clock
from bioguard.device.options import DeviceOptions
from bioguard.device.pins import check_token, generate_challenge, verify_pin
from bioguard.errors import BioguardError
from bioguard.evidence.attack.device_kit import PIN, DeviceKit
from bioguard.evidence.attack.kit import Attack, Stage
from bioguard.records.modality import Modality
from bioguard.records.tokens import TOKEN_KEY_NAME, AuthToken
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.knobs.properties import SensorProperties
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.wire import AdvanceClock

WAIT = "IGatekeeper, throttling; CDD 9.11 C-0-2"
SEED = "CWE-335"
NONCE = "NIST SP 800-38D section 8"
FAILURES = 5
"""After which the PIN is not looked at for 30 seconds."""
HOUR_MS = 3_600_000
SEEDED = "attacker"
STARTS = 6
DRAWS = 64


def _waiting(kit: DeviceKit) -> None:
    """Alice has a PIN, and somebody has guessed it wrong until it is not looked at any more."""
    kit.person("alice", enrolled=False)
    for _ in range(FAILURES):
        kit.refused(lambda: verify_pin(kit.device(), "alice", b"0000"))
    refusal = kit.refused(lambda: verify_pin(kit.device(), "alice", PIN))
    kit.need(refusal is not None and refusal.code == "pin.wait", "wrong PINs are followed by no wait")


def _guesses(kit: DeviceKit) -> bool:
    """Whether the PIN is looked at."""
    return kit.refused(lambda: verify_pin(kit.device(), "alice", PIN)) is None


def advanced_clock(kit: DeviceKit) -> str | None:
    """Ask the secure world of a device on the host's clock to move it: by message, function and script."""
    _waiting(kit)
    kit.device().running.context.exchange(AdvanceClock(ms=HOUR_MS), 5_000)
    if _guesses(kit):
        return "a message ends a PIN wait"
    kit.refused(lambda: clock.advance(kit.device(), HOUR_MS))
    if _guesses(kit):
        return "a function ends a PIN wait"
    kit.close()
    scenario = Scenario(SensorProperties({"clock_step_ms": str(HOUR_MS)}))
    scenario.save(kit.directory)
    return "a scripted fault ends a PIN wait" if _guesses(kit) else None


def another_clock(kit: DeviceKit) -> str | None:
    """Start the device with a stepped clock that shows a later time."""
    _waiting(kit)
    later = clock.now(kit.device()).wall_ms + HOUR_MS
    if kit.refused(lambda: kit.open(clock=later)) is not None:
        kit.close()
    else:
        kit.device().running.context.exchange(AdvanceClock(ms=HOUR_MS), 5_000)
    return "a clock that the caller brings ends a PIN wait" if _guesses(kit) else None


def another_boot(kit: DeviceKit) -> str | None:
    """Put other names of the boot in place, and the first one again."""
    _waiting(kit)
    first = kit.snapshot("boot.simulated")
    for move in (kit.reboot, lambda: kit.put_back(first), kit.reboot):
        move()
        if _guesses(kit):
            return "another name of the boot ends a PIN wait"
    return None


def rolled_back_count(kit: DeviceKit) -> str | None:
    """Put the store of before the wrong PINs back."""
    kit.person("alice", enrolled=False)
    before = kit.snapshot("storage.db")
    kit.person("bob", enrolled=False)
    for _ in range(FAILURES):
        kit.refused(lambda: verify_pin(kit.device(), "alice", b"0000"))
    kit.put_back(before)
    return "an old store gives the attempts at a PIN back" if _guesses(kit) else None


def _seeded_secrets(seed: bytes) -> Iterator[bytes]:
    """What a secure world draws that takes this seed: in one sequence, or in one for each start."""
    starts = [hmac.digest(seed, b"tee_sim start v1" + n.to_bytes(8, "big"), "sha256") for n in range(STARTS)]
    for one in (seed, *starts):
        rng = SeededRng(one)
        yield from (rng.bytes(32) for _ in range(DRAWS))


def _signs(secret: bytes, token: bytes) -> bool:
    """Whether the token key of a boot with this secret has signed a token."""
    for label in (b"shared key ", b"SEEDED shared key "):
        key = hmac.digest(secret, label + TOKEN_KEY_NAME.encode("ascii"), "sha256")
        try:
            AuthToken.from_bytes(token).verify(key)
        except BioguardError:
            continue
        return True
    return False


def brought_seed(kit: DeviceKit) -> str | None:
    """Start an existing device with a seed, in a new boot, and compute its token key."""
    kit.person("alice", enrolled=False)
    kit.reboot()
    if kit.refused(lambda: kit.open(seed=SEEDED)) is not None:
        kit.close()
    token = verify_pin(kit.device(), "alice", PIN)
    seed = DeviceOptions(seed=SEEDED).seed_bytes or b""
    known = any(_signs(secret, token) for secret in _seeded_secrets(seed))
    return "who brings a seed knows the token key" if known else None


def token_from_elsewhere(kit: DeviceKit) -> str | None:
    """Present a token of a seeded device, whose keys everybody knows, on other devices."""
    kit.person("alice", enrolled=False)  # first: its boot is the older one, so the token is not from the future
    with DeviceKit(kit.folder / "own", kit.manifests) as own:
        own.folder.mkdir()
        own.init(seed=SEEDED)
        own.person("mallory", enrolled=False)
        token = verify_pin(own.device(), "mallory", PIN)
    accepted = kit.refused(lambda: check_token(kit.device(), token)) is None
    return "a token of a seeded device is good on another" if accepted else None


def repeated_nonces(kit: DeviceKit) -> str | None:
    """Read the store of a seeded device over its starts, and of its twin."""
    seen: dict[bytes, tuple[object, ...]] = {}
    for twin in ("one", "two"):
        with DeviceKit(kit.folder / twin, kit.manifests) as own:
            own.folder.mkdir()
            own.init(seed=SEEDED)
            for number in range(3):
                own.open().add_user(f"user{number}")
                own.close()
                with closing(sqlite3.connect(own.directory / "storage.db")) as store:
                    rows = store.execute("SELECT nonce, hex(name), version FROM object").fetchall()
                for nonce, name, version in rows:
                    if seen.setdefault(nonce, (twin, name, version)) != (twin, name, version):
                        return "two versions of what is stored share a nonce"
    kit.need(seen, "nothing is stored")
    return None


def repeated_challenges(kit: DeviceKit) -> str | None:
    """Collect the challenges of a seeded device over its starts."""
    kit.init(seed=SEEDED)
    kit.person("alice", enrolled=False)
    seen = []
    for _ in range(3):
        kit.open()
        seen += [generate_challenge(kit.device(), "alice", Modality.FACE) for _ in range(2)]
    return "a start gives the challenges of an earlier one" if len(set(seen)) < len(seen) else None


_TABLE: tuple[tuple[str, str, str, Callable[[DeviceKit], str | None]], ...] = (
    ("clock.advanced", "end a PIN wait by moving the clock of a device that has the host's", WAIT, advanced_clock),
    ("clock.brought", "end a PIN wait by bringing a clock", WAIT, another_clock),
    ("clock.other-boot", "end a PIN wait by another name of the boot", WAIT, another_boot),
    ("clock.rolled-back", "get attempts at a PIN back with an old store", WAIT, rolled_back_count),
    ("seed.brought", "know the token key of a device by bringing a seed", SEED, brought_seed),
    ("seed.elsewhere", "use a token of a seeded device on another", SEED, token_from_elsewhere),
    ("seed.challenge", "know the challenges of a seeded device from an earlier start", SEED, repeated_challenges),
    ("seed.nonce", "find nonces that a seeded device uses twice", NONCE, repeated_nonces),
)
ATTACKS = tuple(Attack(*row, stage=Stage.DEVICE) for row in _TABLE)
