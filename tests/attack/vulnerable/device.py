"""The normal world, or what a start of it trusts, with one bug each: patches that last as long as the test.

@planted("disk.exchange-names")
def believes_names(patch): ...
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bioguard.cli import output
from bioguard.commands.biometric import Status
from bioguard.device import facade, people, world
from bioguard.device.fuse import Fuses
from bioguard.device.people import People
from bioguard.device.world import World
from tee_sim import client, secure
from tee_sim.errors import TeeError
from tee_sim.storage import ObjectStore
from tee_sim.wire import NoFrameError

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
    patch.setattr(People, "_check", lambda _self, _name, expected=(): Status.OK)


@planted("disk.bring-back-erased")
def no_replay_protection(patch) -> None:
    """The anchor is a row of the store itself."""

    def open_store(blobs, _rpmb, *rest, **more):
        return ObjectStore.open(blobs, None, *rest, **more)

    patch.setattr(secure, "ObjectStore", type("Unanchored", (), {"open": staticmethod(open_store)}))


@planted("disk.foreign-store")
def same_root_everywhere(patch) -> None:
    """Every device of the model has the same root key and id."""
    same = Fuses(huk=bytes(32), device_id=bytes(16))
    built_in = type(
        "BuiltIn", (), {"__new__": lambda _cls, **_root: same, "read": staticmethod(lambda _directory: same)}
    )
    patch.setattr(facade, "Fuses", built_in)


@planted("message.misfit")
def misfits_are_no_frames(patch) -> None:
    """Ends for a request that does not fit its type as for bytes that are none."""
    read = secure.unpack

    def strict(body, kinds):
        try:
            return read(body, kinds)
        except TeeError as error:
            raise NoFrameError(error.message) from None

    patch.setattr(secure, "unpack", strict)


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
    patch.setattr(people, "check_new_name", lambda _name, _existing: None)
