"""The basis of a rate is asked once for each person and kind of sample, and again after what changes records."""

from pathlib import Path
from typing import Any

import numpy as np

from bioguard.commands import biometric as commands
from bioguard.commands.configuration import SHOW_CONFIGURATION, Configuration
from bioguard.commands.status import ReplyStatus
from bioguard.device import Device, consent
from bioguard.device.calibration import RateBases, profile_names
from bioguard.match.thresholds import builtin_profile
from bioguard.records import FaceEmbedding
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.records.scores import Basis
from bioguard.simulate.people import face_views


class _Device:
    """Answers measured first, extrapolated ever after."""

    profiles: Any = (builtin_profile(Modality.FACE, 512),)
    configuration: Any = Configuration()

    def __init__(self) -> None:
        self.requests: list[commands.AskBasis] = []

    def ask(self, command: Any, request: Any, **_: Any) -> Any:
        assert command is commands.RATE_BASIS
        self.requests.append(request)
        basis = Basis.MEASURED if len(self.requests) == 1 else Basis.EXTRAPOLATED
        return commands.RateBasis(status=ReplyStatus.OK, basis=basis)


FACE = FaceEmbedding(np.eye(512, dtype=np.float32)[0] - np.eye(512, dtype=np.float32)[1])


def test_it_is_asked_once_and_again_after_what_changes_records() -> None:
    device, bases = _Device(), RateBases()
    for command in (commands.AUTHENTICATE, commands.IDENTIFY, commands.RATE_BASIS, SHOW_CONFIGURATION):
        assert bases.of(device, FACE, 0, b"a" * 16).basis == "measured"
        bases.asked(command)
    assert len(device.requests) == 1
    for change in (commands.ENROLL, commands.ERASE, commands.REMOVE_USER, commands.RENEW_CODES):
        bases.asked(change)
        assert bases.of(device, FACE, 0, b"a" * 16).basis == "extrapolated"
    assert len(device.requests) == 5


def test_people_rates_and_searches_are_told_apart() -> None:
    device, bases = _Device(), RateBases()
    for user, inverse in ((b"a" * 16, 0), (b"b" * 16, 0), (b"a" * 16, 100_000), (None, 0)):
        bases.of(device, FACE, inverse, user)
    assert [(r.user, r.inverse, r.dimension) for r in device.requests] == [
        (b"a" * 16, 0, 512), (b"b" * 16, 0, 512), (b"a" * 16, 100_000, 512), (None, 0, 512),
    ]  # fmt: skip


def test_the_fallback_has_a_name_and_no_digest() -> None:
    device = _Device()
    assert RateBases().of(device, FACE, 0).comparison_profile_sha256 == device.profiles[0].digest.hex()
    device.configuration = Configuration(uncalibrated=(Modality.FACE,))
    told = RateBases().of(device, FACE, 0)
    assert (told.comparison_profile, told.comparison_profile_sha256) == ("uncalibrated-strict", None)
    assert profile_names(device, Modality.FACE) == ["uncalibrated-strict"]
    assert profile_names(_Device(), Modality.FACE) == ["edgeface-xs-512"]
    assert profile_names(_Device(), Modality.FINGERPRINT) == []


def test_a_claim_tells_the_basis_of_its_own_person(directory: Path) -> None:
    """And a search that of those who may be found: of nobody here."""
    with Device.init(directory, require_pin=False) as device:
        device.add_user("alice")
        consent.grant(device, "alice", Modality.FACE, Purpose.UNLOCK, of_age=True)
        *views, probe = face_views(1, person=0, count=4)
        device.enroll("alice", views)
        assert device.authenticate("alice", probe).calibration.basis == "extrapolated"
        assert device.identify(probe).calibration.basis is None
