"""The normal world, or what a start of it trusts, with one bug each: patches that last as long as the test.

@planted("disk.exchange-names")
def believes_names(patch): ...
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bioguard.commands.biometric import Status
from bioguard.device.fuse import Fuses
from bioguard.device.people import People
from tee_sim import secure
from tee_sim.storage import ObjectStore

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
    patch.setattr(Fuses, "read", classmethod(lambda cls, _directory: cls(huk=bytes(32), device_id=bytes(16))))
