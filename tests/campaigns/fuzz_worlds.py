"""Fuzz targets between the worlds: frames on the pipe, and requests to the product's trusted applications."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from bioguard.device import Device, pins
from bioguard.device.consent import purge, restrict, withdraw
from bioguard.device.personal_data import personal_data
from bioguard.device.receipts import erasure_receipt
from bioguard.records.audit_events import Cause
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.simulate.people import finger_impressions
from tee_sim.normal.client import Context
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import Param
from tee_sim.shared.wire import FrameReader, Invoke, Message, Return, pack, unpack
from tests.campaigns import crash_device
from tests.campaigns.mutation import mutate

RESTART_EVERY = 2000
"""Attempts on one device: mutated requests erase users and lock sensors, and then reach less and less."""
FINGER = finger_impressions(7, person=1, count=4)
PIN = b"2580"


class _Recorder:
    """A transport that remembers what passes."""

    def __init__(self, storage: Supplicant) -> None:
        self.storage = storage
        self.tee = crash_device.boot(storage, create=True)
        self.messages: list[Message] = []

    def exchange(self, message: Message, *, timeout_ms: int = 0) -> Return:
        self.messages.append(message)
        return self.tee.exchange(message, timeout_ms=timeout_ms)

    def kill(self) -> None: ...


def _live(device: Device) -> None:
    """A little of everything a device is asked to do."""
    crash_device.configure(device)
    crash_device.populate(device)
    token = pins.verify_pin(device, "alice", PIN)
    device.enroll("bob", FINGER[:3], finger="right-index")
    permit = pins.enrollment_token(device, "alice", Modality.FINGERPRINT, PIN)
    device.enroll("alice", finger_impressions(7, person=0, count=3), finger="left-thumb", token=permit)
    seen = device.authenticate("bob", FINGER[3], operation_id=7)
    device.identify(crash_device.FACES["carol"][5])
    if seen.token is not None:
        pins.check_token(device, seen.token)
    pins.lock_info(device, "bob", Modality.FACE)
    pins.authenticator_id(device, "alice", Modality.FINGERPRINT)
    pins.unlock(device, "alice", PIN)
    restrict(device, "alice", on=True, token=token)
    restrict(device, "alice", on=False, token=token)
    personal_data(device, "alice", Cause.ACCESS, token=token)
    withdraw(device, "bob", Modality.FACE, Purpose.IDENTIFY)
    erasure_receipt(device, [device.erase("bob", next(device.records("bob")).record_id)])
    purge(device)


def _device(directory: Path) -> _Recorder:
    """A device that has lived, in memory but for its files, and every message of that life."""
    directory.mkdir()
    with crash_device.seeded():
        recorder = _Recorder(Supplicant(directory))
        device = crash_device.facade(directory, recorder.tee)
        device.running.context = Context(recorder)
        _live(device)
    return recorder


def _frames(directory: Path, rng: random.Random) -> Callable[[], None]:
    """What the secure world's end of the pipe makes of bytes."""
    frames = [pack(message) for message in _device(directory / "device").messages]

    def attempt() -> None:
        reader, raw = FrameReader(), mutate(rng, frames)
        while raw:
            size = rng.randint(1, 4096)
            body, raw = reader.feed(raw[:size]), raw[size:]
            if body is not None:
                unpack(body)

    return attempt


def _requests(directory: Path, rng: random.Random) -> Callable[[], None]:
    """Real requests to every application with changed bytes: a panic of the application is a violation."""
    count = 0
    recorder = cast("_Recorder", None)
    invokes: list[Invoke] = []

    def attempt() -> None:
        nonlocal count, recorder, invokes
        if count % RESTART_EVERY == 0:
            if count:
                recorder.storage.close()
            recorder = _device(directory / str(count))
            invokes = [m for m in recorder.messages if isinstance(m, Invoke)]
        count += 1
        chosen = rng.choice(invokes)
        others = [m.params[0].buffer for m in invokes if m.command == chosen.command]
        request = Param.memref(mutate(rng, others))
        changed = replace(chosen, params=(request, *chosen.params[1:]))
        if rng.random() < 0.1:
            changed = replace(changed, command=rng.randrange(100))
        answer = recorder.tee.exchange(changed)
        if answer.result is TeeResult.TARGET_DEAD:
            raise AssertionError(f"command {changed.command} ended its application")
        pack(answer)
        if answer.result is not TeeResult.SUCCESS:
            raise TeeError(answer.result, "refused")

    return attempt


MAKERS = {"frames": _frames, "requests to TAs": _requests}
