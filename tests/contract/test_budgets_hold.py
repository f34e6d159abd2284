"""Decisions of the honest product stay within 64 bits, however many people there are and however long it goes on.

In one process moments are not counted, so the three of a decision are added; and naming one of N people costs log2 N:
what a device of 8 000 would need is what this one needs and the difference.
"""

from math import log2

import numpy as np
import pytest

from bioguard.commands import biometric as commands
from bioguard.commands.biometric import AUTHENTICATE, BIOMETRIC_UUID, IDENTIFY
from bioguard.commands.configuration import CONFIGURE, Configuration
from bioguard.commands.policy import AT_START, GRANT, GrantConsent
from bioguard.commands.status import Nothing, ReplyStatus
from bioguard.device.launch import manifests
from bioguard.records import FaceEmbedding
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from tee_sim.normal.client import Context, Session
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.secure.ledger import TIME_BITS
from tee_sim.shared.wire import Invoke, Message, Return
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium
from tee_sim.testing.in_process import InProcessTee

PEOPLE = 40
LARGE = 8_000
DIMENSION = 128
MOMENTS = 3
DECISION_BITS = 64


class Watched:
    """What each command came to, at most and at each time."""

    def __init__(self, tee: InProcessTee) -> None:
        self.tee = tee
        self.bits: dict[int, list[int]] = {}

    def exchange(self, message: Message, *, timeout_ms: int = 0) -> Return:
        answer = self.tee.exchange(message)
        if isinstance(message, Invoke):
            self.bits.setdefault(message.command, []).append(answer.bits)
        return answer

    def kill(self) -> int | None:
        raise AssertionError("the client found an answer outside its contract")


class Gallery:
    """A device with many people, in one process."""

    def __init__(self) -> None:
        self.disk = Service(MemoryBlobs(), RpmbDevice(MemoryMedium()))
        self.rng = np.random.default_rng(5)
        self.faces = self.rng.normal(size=(PEOPLE, DIMENSION))
        self.start()

    def start(self) -> None:
        tee = InProcessTee(manifests(), self.disk)
        self.seen = Watched(tee)
        self.session: Session = Context(self.seen).open_session(BIOMETRIC_UUID)

    def view(self, number: int) -> bytes:
        noise = self.rng.normal(0, 0.08, DIMENSION)
        return FaceEmbedding.from_features(self.faces[number] + noise).to_bytes()

    def user(self, number: int) -> bytes:
        return number.to_bytes(16, "big")

    def add(self, number: int) -> None:
        user = self.user(number)
        assert self.session.call(commands.ADD_USER, commands.AddUser(user=user, label=bytes(32))).status == 0
        for purpose in (Purpose.UNLOCK, Purpose.KEY_USE, Purpose.IDENTIFY):
            request = GrantConsent(user=user, modality=Modality.FACE, purpose=purpose, days=30, of_age=True)
            assert self.session.call(GRANT, request).status == 0
        views = tuple(self.view(number) for _ in range(2))
        enroll = commands.Enroll(user=user, modality=Modality.FACE, position=0, samples=views)
        assert self.session.call(commands.ENROLL, enroll).status is ReplyStatus.OK

    def authenticate(self, number: int, other: int | None = None) -> commands.Decision:
        sample = self.view(number if other is None else other)
        request = commands.Authenticate(user=self.user(number), sample=sample, operation_id=7)
        return self.session.call(AUTHENTICATE, request)

    def identify(self, number: int) -> commands.Identified:
        return self.session.call(IDENTIFY, commands.Identify(sample=self.view(number)))


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    made = Gallery()
    made.session.call(CONFIGURE, Configuration(require_pin=False))
    made.session.call(AT_START, Nothing())
    for number in range(PEOPLE):
        made.add(number)
    return made


def needed(bits: int) -> float:
    return bits + MOMENTS * TIME_BITS + log2(LARGE / PEOPLE)


def test_a_long_run_of_decisions_never_comes_near_its_budget(gallery: Gallery) -> None:
    matched = 0
    for number in range(3 * PEOPLE):
        matched += gallery.authenticate(number % PEOPLE).match + gallery.identify((7 * number) % PEOPLE).match
    assert matched > 5 * PEOPLE, "a match is what tells most"
    seen = gallery.seen.bits
    assert max(seen[AUTHENTICATE.number]) + MOMENTS * TIME_BITS <= DECISION_BITS
    assert needed(max(seen[IDENTIFY.number])) <= DECISION_BITS


def test_the_first_decisions_of_a_start_are_within_it_too(gallery: Gallery) -> None:
    for first in (gallery.authenticate, gallery.identify):
        gallery.start()
        gallery.session.call(AT_START, Nothing())
        first(3)
        (bits,) = gallery.seen.bits.get(AUTHENTICATE.number) or gallery.seen.bits[IDENTIFY.number]
        assert needed(bits) <= DECISION_BITS
