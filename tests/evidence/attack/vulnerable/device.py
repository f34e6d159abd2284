"""The normal world, or what a start of it trusts, with one bug each: patches that last as long as the test.

@planted("disk.exchange-names")
def believes_names(patch): ...
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import pytest

from bioguard.cli import output
from bioguard.commands.status import ReplyStatus
from bioguard.device import directory as device_directory
from bioguard.device import facade, incidents, json_file, making, user_registry, world
from bioguard.device.fuses import Fuses
from bioguard.device.user_registry import UserRegistry
from bioguard.device.world import World
from bioguard.evidence import device_checks
from tee_sim.normal import client, private_files
from tee_sim.normal.supplicant import database, sqlite_blobs
from tee_sim.secure import world as secure_world
from tee_sim.secure.storage import ObjectStore
from tee_sim.secure.world import SecureWorld
from tee_sim.shared.clock import SinceBoot
from tee_sim.shared.errors import TeeError
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.wire import NoFrameError

PLANTED: "dict[str, Planted]" = {}


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug, and the attacks that must find it."""

    finds: tuple[str, ...]
    plant: Callable[[pytest.MonkeyPatch], None]


def planted(*finds: str):
    """Name the attacks that must find a bug."""

    def keep(plant):
        PLANTED[plant.__name__] = Planted(finds, plant)
        return plant

    return keep


@planted("disk.exchange-names")
def believes_names(patch) -> None:
    """Does not hold the names file against the secure world's labels."""
    patch.setattr(UserRegistry, "_check", lambda _self, _name, expected=(): ReplyStatus.OK)


@planted("disk.bring-back-erased", "clock.rolled-back")
def no_replay_protection(patch) -> None:
    """The anchor is a row of the store itself."""

    def open_store(blobs, _rpmb, *rest, **more):
        return ObjectStore.open(blobs, None, *rest, **more)

    patch.setattr(secure_world, "ObjectStore", type("Unanchored", (), {"open": staticmethod(open_store)}))


@planted("disk.foreign-store")
def same_root_everywhere(patch) -> None:
    """Every device of the model has the same root key and id."""
    same = Fuses(huk=bytes(32), device_id=bytes(16))
    built_in = type(
        "BuiltIn", (), {"drawn": staticmethod(lambda _seed: same), "read": staticmethod(lambda _directory: same)}
    )
    for module in (making, facade):  # where one is made, and where one is opened
        patch.setattr(module, "Fuses", built_in)


@planted("message.misfit")
def misfits_are_no_frames(patch) -> None:
    """Ends for a request that does not fit its type as for bytes that are none."""
    read = secure_world.unpack

    def strict(body, kinds):
        try:
            return read(body, kinds)
        except TeeError as error:
            raise NoFrameError(error.message) from None

    patch.setattr(secure_world, "unpack", strict)


@planted("message.mistake")
def sends_whatever_it_is_given(patch) -> None:
    """The client does not look at what it sends."""
    patch.setattr(client, "_checked", lambda message: message)


@planted("message.death")
def stays_dead(patch) -> None:
    """Never starts the secure world again."""
    patch.setattr(World, "running", lambda self: self.last)


@planted("status.half-removed")
def drops_refusals(patch) -> None:
    """Looks at no status."""
    patch.setattr(world, "raise_for_status", lambda *_args, **_more: None)


@planted("output.control-characters")
def prints_raw(patch) -> None:
    """Prints what it is given."""
    patch.setattr(output, "printable", lambda text, **_more: text)


@planted("names.lookalike")
def takes_any_name(patch) -> None:
    """Compares names as they are written."""
    patch.setattr(user_registry, "check_new_name", lambda _name, _existing: None)


@planted("files.link-temporary")
def writes_through_links(patch) -> None:
    """Opens the temporary file of names.json by its path."""

    def write_file(directory, name, text):
        (directory / f"{name}.new").write_text(text, "utf-8")
        (directory / f"{name}.new").rename(directory / name)

    patch.setattr(json_file, "write_file", write_file)


@planted("files.link-fuses")
def destroys_through_links(patch) -> None:
    """Overwrites whatever the name of the fuses leads to."""

    def overwrite(directory):
        path = directory / "fuses.simulated"
        path.write_bytes(bytes(path.stat().st_size))

    patch.setattr(device_directory, "_overwrite_fuses", overwrite)


@planted("files.hard-link", "files.open-to-all", "files.fifo")
def looks_at_no_file(patch) -> None:
    """Opens files and directories without asking what they are and whose."""
    patch.setattr(private_files, "_check", lambda *_: None)


@planted("files.deep-json")
def follows_any_depth(patch) -> None:
    """Hands its files to the parser of the standard library."""
    patch.setattr("bioguard.private_files.parse_json", json.loads)


@planted("files.output-link")
def writes_outputs_through_links(patch) -> None:
    """Writes what a caller asked for to wherever the name leads."""
    patch.setattr("bioguard.cli.match.check_output", lambda _path: None)
    patch.setattr("bioguard.cli.match.write_output", lambda path, content, **_more: path.write_bytes(content))


@planted("store.extra-trigger")
def takes_any_schema(patch) -> None:
    """Looks at the version of the store and not at its tables."""
    expected = database._expected_schema()
    patch.setattr(database, "_schema", lambda _db: expected)


@planted("store.grown-row")
def reads_rows_of_any_size(patch) -> None:
    """Reads a row before it knows how large it is."""
    unbounded = dict.fromkeys(sqlite_blobs._OBJECT_BOUNDS, 1 << 40) | {"nonce": 12, "commitment": 32}
    patch.setattr(sqlite_blobs, "_OBJECT_BOUNDS", unbounded)
    patch.setattr(database, "MAX_ROW_BYTES", 1 << 30)


@planted("store.missing-rpmb")
def tells_nobody(patch) -> None:
    """Refuses what was tampered with and keeps it to itself."""
    patch.setattr(incidents, "record_incident", lambda *_, **__: None)


@planted("store.blind-doctor")
def looks_at_the_fuses_alone(patch) -> None:
    """A doctor that does not open the store, nor read the other files."""
    patch.setattr(device_checks, "_store", lambda *_: iter(()))
    patch.setattr(device_checks, "_READERS", ())


@planted("pin.unwritten", "pin.spent-counter")
def counts_in_memory(patch) -> None:
    """Does not insist that the count of PIN attempts is kept before the PIN is looked at."""
    patch.setattr("bioguard.trusted.gatekeeper.app._StoredPins.save", lambda *_: None)


@planted("clock.advanced")
def moves_any_clock(patch) -> None:
    """Takes a message for time that has passed."""

    def advance(self, ms):
        self._clock.began_ms -= ms
        return self._time()

    patch.setattr(SecureWorld, "_advance", advance)


@planted("clock.brought", "seed.brought")
def believes_each_start(patch) -> None:
    """Takes clock and seed from whoever starts it."""
    patch.setattr(secure_world, "fixed_settings", lambda _store, claim, **_more: claim)


@planted("clock.other-boot")
def counts_the_time_off(patch) -> None:
    """Takes each start for one after a night."""
    begin, nights = secure_world.begin_boot, count(1)

    def begin_boot(store, boot_id, clock, rng):
        boot, _ = begin(store, boot_id, clock, rng)
        return boot, SinceBoot(clock, boot.began_ms - 40_000_000 * next(nights))

    patch.setattr(secure_world, "begin_boot", begin_boot)


@planted("seed.elsewhere")
def one_token_key(patch) -> None:
    """Every device of the model has the same token key."""
    patch.setattr(secure_world, "shared_keys", lambda names, *_: dict.fromkeys(names, bytes(32)))


@planted("seed.challenge")
def counts_no_start(patch) -> None:
    """Each start of a seeded device is like the first."""
    patch.setattr(secure_world, "count_start", lambda _store: 1)


@planted("seed.nonce")
def seeds_everything(patch) -> None:
    """Nonces and object keys come from the seed as well."""

    def open_store(blobs, rpmb, ladder, _rng, **more):
        return ObjectStore.open(blobs, rpmb, ladder, SeededRng(b"all"), **more)

    patch.setattr(secure_world, "ObjectStore", type("Seeded", (), {"open": staticmethod(open_store)}))
