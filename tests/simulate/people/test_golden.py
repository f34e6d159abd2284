"""Digests of synthetic people: the same on any machine and NumPy version, and nobody changes them by accident."""

from hashlib import sha256

from bioguard.simulate.people import MOBILEFACENET, FacePopulation, FingerPopulation, face_views, finger_impressions


def _digest(parts: list[bytes]) -> str:
    return sha256(b"".join(parts)).hexdigest()[:32]


def test_faces() -> None:
    views = [view for person in range(3) for view in face_views(1, person=person, count=3)]
    assert _digest([view.to_bytes() for view in views]) == "8388ddbe34d30367528f0cadf0edad2c"


def test_other_preset_far_out() -> None:
    rows = FacePopulation(MOBILEFACENET, 2**64 - 1).embeddings(4_000_000_000, 5, view=70_000)
    assert _digest([rows.astype("<f4").tobytes()]) == "baa553ca0c4f50adc6796801b389008b"


def test_fingers() -> None:
    touches = [t for person in range(3) for t in finger_impressions(1, person=person, count=3)]
    assert _digest([touch.to_bytes() for touch in touches]) == "5e21c4f60bb783460d6b6f0af45b6524"


def test_other_finger_far_out() -> None:
    touch = FingerPopulation(2**63).impression(4_000_000_000, 10, 65_535)
    assert _digest([touch.to_bytes()]) == "650aa20429f732795883973267543138"
