"""A face from a picture to an unlock: the example of two models that can be had, on a whole device."""

from pathlib import Path

import numpy as np
import pytest

from bioguard.device import Device, consent
from bioguard.errors import NotAcquired
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from tests.capture.drawn import draw_face, face, png
from tests.capture.face_example import example_in


def test_drawn_faces_enroll_and_unlock_and_no_face_is_no_attempt(tmp_path: Path) -> None:
    def see(picture: np.ndarray) -> object:
        return device.capture(Modality.FACE, png(picture))

    grain = np.random.default_rng(1)
    views = [np.clip(face() + grain.normal(0, 3 * n, face().shape), 0, 255).astype(np.uint8) for n in range(1, 5)]
    two = np.full((400, 700, 3), (100, 120, 140), np.uint8)
    for at in ((170, 200), (530, 200)):
        draw_face(two, at, 1.0)
    sensors = [f"face={example_in(tmp_path)}"]
    with Device.init(tmp_path / "phone", sensors=sensors, require_pin=False, uncalibrated=True) as device:
        device.add_user("alice")
        consent.grant(device, "alice", Modality.FACE, Purpose.UNLOCK, days=1, of_age=True)
        device.enroll("alice", [see(view) for view in views[:3]])
        assert device.authenticate("alice", see(views[3])).match
        for picture, said in ((np.full_like(face(), 90), "not_detected"), (two, "several_faces")):
            with pytest.raises(NotAcquired, match=said.replace("_", " ")):
                see(picture)
        (record,) = device.records()
        assert record.extractor.startswith("sface-int8 2021dec ")
