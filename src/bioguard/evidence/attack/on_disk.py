"""Attacks on a device by somebody who can write its directory while it is off."""

import json
from collections.abc import Callable

from bioguard.commands.biometric import EraseAuthorization
from bioguard.device.pins import verify_pin
from bioguard.evidence.attack.device_kit import PIN, DeviceKit
from bioguard.evidence.attack.kit import Attack, Stage

POLICY = "policy POL-12, threat model row 2"


def exchange_names(kit: DeviceKit) -> str | None:
    """Exchange two people in names.json, so that mallory's face is compared under alice's name."""
    kit.person("alice")
    kit.person("mallory")
    kit.need(kit.match("mallory", "mallory"), "a genuine face does not match")
    kit.close()
    path = kit.directory / "names.json"
    document = json.loads(path.read_text("utf-8"))
    users = document["users"]
    users["alice"], users["mallory"] = users["mallory"], users["alice"]
    path.write_text(json.dumps(document), "utf-8")
    taken: list[bool] = []
    kit.refused(lambda: taken.append(kit.match("alice", "mallory")))
    return "another person's face is taken for alice after names.json was changed" if any(taken) else None


def bring_back_erased(kit: DeviceKit) -> str | None:
    """Keep the store's file, let alice erase her face, put the file back."""
    kit.person("alice")
    (record,) = [r.record_id for r in kit.device().records("alice")]
    before = kit.snapshot("storage.db")
    kit.device().erase("alice", record, EraseAuthorization(token=verify_pin(kit.device(), "alice", PIN)))
    kit.close()
    kit.put_back(before)
    back: list[bool] = []
    kit.refused(lambda: back.append(kit.match("alice", "alice")))
    return "an erased face matches again after the store's file was put back" if any(back) else None


def foreign_store(kit: DeviceKit) -> str | None:
    """Put the store and the RPMB of the attacker's own device, where "alice" is the attacker, in alice's place."""
    with DeviceKit(kit.folder / "own", kit.manifests, seed=kit.seed) as own:
        own.folder.mkdir()
        own.views("alice-herself")
        own.person("alice")
        carried = own.snapshot("storage.db", "rpmb.img", "names.json", "pins.json")
        face = own.views("alice")
    kit.person("alice")
    kit.close()
    kit.put_back(carried)
    taken: list[bool] = []
    kit.refused(lambda: taken.append(kit.open().authenticate("alice", face[0]).match))
    return "the store of another device opens here and knows another alice" if any(taken) else None


_TABLE: tuple[tuple[str, str, str, Callable[[DeviceKit], str | None]], ...] = (
    ("disk.exchange-names", "exchange two people in names.json", POLICY, exchange_names),
    ("disk.bring-back-erased", "put the store's file of before an erasure back", POLICY, bring_back_erased),
    ("disk.foreign-store", "put the store of another device in its place", POLICY, foreign_store),
)
ATTACKS = tuple(Attack(*row, stage=Stage.DEVICE) for row in _TABLE)
