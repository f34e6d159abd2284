"""Attacks on keys: in replies, in what is printed and logged, and on the disk in clear."""

from tee_sim.shared.codec import encode
from tee_sim.shared.params import Param
from tee_sim.testing.attacks.attack import HEIST, LOGS, Attack, commands, converse, started
from tee_sim.testing.attacks.messages import NONE
from tee_sim.testing.attacks.world import AttackedWorld

LENGTHS = (0, 64, 4096, 0x7FFF_FFFF, 0xFFFF_FFFF)
ROOM_BYTES = 65_536


def _names(world: AttackedWorld) -> str:
    return " or ".join(manifest.name for manifest in world.manifests)


def believed(world: AttackedWorld) -> str | None:
    """Send lengths and offsets beyond every buffer, and look for keys in what comes out."""
    for manifest in started(world):
        for number, _ in list(commands(world, manifest)):
            for length in LENGTHS:
                world.raw(manifest.ta_uuid, number, encode([0, length]))
                value = Param.value(0, length)
                world.invoke(manifest.ta_uuid, number, (value, Param.output(ROOM_BYTES), NONE, NONE))
                world.invoke(manifest.ta_uuid, number, (Param.memref(b"x"), Param.output(ROOM_BYTES), value, NONE))
        where = world.leaked_key()
        if where:
            return f"{manifest.name} leaks a key into {where}"
    return None


def key_in_replies(world: AttackedWorld) -> str | None:
    """Ask everything that fits, and look for keys in what is answered, printed or logged."""
    converse(world)
    where = world.leaked_key()
    return f"{_names(world)} leaks a key into {where}" if where else None


def key_on_disk(world: AttackedWorld) -> str | None:
    """Ask everything that fits, and look for keys among the bytes of the disk."""
    converse(world)
    return f"{_names(world)} has a key in clear on the disk: as a digest" if world.stored_key() else None


ATTACKS = (
    Attack("any.believed-lengths", "read keys of any application with lengths beyond a buffer", HEIST, believed),
    Attack("any.key-in-replies", "read keys of any application in its answers and logs", LOGS, key_in_replies),
    Attack("any.key-on-disk", "read keys of any application from the disk", "CWE-312", key_on_disk),
)
