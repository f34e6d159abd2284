"""The trial of de-identification: no name inside, and ids that say nothing."""

import json
from dataclasses import replace
from hashlib import sha256

from bioguard.device import consent
from bioguard.evidence.policy_trials.model import Observation, Trial
from bioguard.evidence.published_objects import look_drawn
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality

DRAWN = 12
"""On each of two devices three people and three records."""


def names(temporary: TemporaryDevice) -> list[Observation]:
    """Look for the name of a user in the store and on the pipes; give the same name on another device."""
    person = temporary.person(pin=True, enrolled=True)
    temporary.device.authenticate(person.name, person.sample())
    name = person.name.encode()
    store = b"".join((temporary.directory / file).read_bytes() for file in ("storage.db", "rpmb.img"))
    handle = temporary.device.user_handle(person.name)
    label, salt = _label(temporary, handle), _salt(temporary, person.name)
    inner = temporary.directory.parent / f"{temporary.directory.name}-same-name"
    with TemporaryDevice(inner, temporary.allow_level) as second:
        second.people = temporary.people  # it makes people of other names
        second.device.add_user(person.name)
        other = second.device.user_handle(person.name)
        other_label = _label(second, other)
        ids = [other, *_drawn(second), handle, *_drawn(temporary)]
    return [
        Observation("the store was looked at", len(store) > 4096),
        Observation("the name is not in the store", name not in store),
        Observation("nor in anything that is sealed in it",
                    not any(name in o.body + o.object_id for o in temporary.contents().objects)),
        Observation("the name is on no pipe to or from the secure world",
                    bool(temporary.frames) and not any(name in frame for _, frame in temporary.frames)),
        Observation("the id is random", handle != sha256(name).digest()[:16] and len(set(handle)) > 4),
        Observation("ids of users and records look drawn: none holds a piece of another, on two devices",
                    len(ids) == DRAWN and look_drawn(ids)),
        Observation("so the same name has another one on another device", handle != other),
        Observation("and what the secure world keeps of the name differs", label != other_label and len(label) == 32),
        Observation("it is a salted hash of the name, and the salt is outside",
                    label == sha256(b"bioguard user label v1\0" + salt + name).digest()
                    and not any(salt in o.body for o in temporary.contents().objects)),
    ]  # fmt: skip


def _drawn(temporary: TemporaryDevice) -> list[bytes]:
    """Handles of two people, and the ids of a face and a finger of one and a face of the other."""
    person, other = temporary.person(enrolled=True), temporary.person(enrolled=True)
    consent.grant(temporary.device, person.name, Modality.FINGERPRINT, Purpose.UNLOCK, of_age=True)
    finger = replace(person, modality=Modality.FINGERPRINT)
    temporary.device.enroll(person.name, finger.views(), finger=temporary.position(finger))
    handles = [temporary.device.user_handle(who.name) for who in (person, other)]
    records = [info for who in (person, other) for info in temporary.device.records(who.name)]
    return handles + [bytes.fromhex(info.record_id) for info in records]


def _salt(temporary: TemporaryDevice, name: str) -> bytes:
    """That of the label of a name, in names.json."""
    return bytes.fromhex(json.loads((temporary.directory / "names.json").read_text("utf-8"))["users"][name][1])


def _label(temporary: TemporaryDevice, handle: bytes) -> bytes:
    """What the store holds of a user's name."""
    found = [o.fields()[0] for o in temporary.contents().owned(handle) if o.kind == "user"]
    return bytes(found[0]) if len(found) == 1 else b""


TRIALS = (Trial(id="BG-POL-008", title="Names stay outside the secure world, the store and the log", run=names),)
