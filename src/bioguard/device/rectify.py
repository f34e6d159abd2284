"""Correcting what a device holds about a person: the name, and which finger a record is of.

Each correction of a person with a PIN is a request for rectification in the register, fulfilled or refused. Wrong
features are corrected by enrolling again with `replace`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from bioguard.commands import biometric as commands
from bioguard.device.answers import RecordInfo
from bioguard.device.arguments import record_id_of
from bioguard.device.consent import answer_request, open_request
from bioguard.device.errors import promised
from bioguard.device.facade import Device
from bioguard.device.fingers import finger_position
from bioguard.device.recognition import Recognition
from bioguard.errors import InputRefused, NotPermitted
from bioguard.records.audit_events import Cause


@contextmanager
def _registered(device: Device, name: str, token: bytes) -> Iterator[None]:
    """A request around the block; one that ends in anything but a refusal stays open."""
    request = open_request(device, name, Cause.RECTIFICATION, token=token) if token else None
    try:
        yield
    except (InputRefused, NotPermitted):
        if request is not None:
            answer_request(device, request.number, Cause.REFUSED)
        raise
    if request is not None:
        answer_request(device, request.number, Cause.FULFILLED)


def rename(device: Device, name: str, new: str, *, token: bytes = b"") -> None:
    """Correct a user's name.

    Raises:
        InputRefused: unknown user, or not a name.
        NotPermitted: the new name is taken, or the token is not a fresh one of this user's PIN.
    """
    with _registered(device, name, token):
        device.rename_user(name, new, token=token)


def relabel(device: Device, name: str, record_id: str, finger: str, *, token: bytes = b"") -> RecordInfo:
    """Say that a record is of another finger; return the record that took its place, with a new id and digest.

    Raises:
        InputRefused: unknown user, record or finger, a face, or a digest-only device: enroll again with `replace`.
        NotPermitted: the finger is enrolled already, or the user has presented a PIN once and this is no token of it.
    """
    with _registered(device, name, token):
        request = commands.Relabel(
            user=device.user_handle(name),
            record_id=Recognition(device).record(record_id_of(record_id)).record_id,
            position=finger_position(finger),
            token=token,
        )
        answer = device.ask(commands.RELABEL, request, about=record_id)
        return device.show(promised(answer.record_id, "a record").hex())
