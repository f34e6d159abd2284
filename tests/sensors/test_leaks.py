"""Neither a picture nor what was found in it is in any frame, file or log; a build that returns it is found out."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bioguard.evidence.leak_scan import Scanner, make_canaries, pictures_in
from bioguard.evidence.leak_scan.canary_engine import canary_picture
from bioguard.evidence.leak_scan.exercise_sensor import sensor_sources
from tests.broken_build import Change, install

SEED = 4711
DESK = "tee_sim/secure/sensors/desk.py"
VAULT = "src/bioguard/trusted/biometric/vault.py"
SENSOR = "src/bioguard/capture/sensor.py"
BREAKS: dict[str, tuple[Change, ...]] = {
    "features for an id": (
        (DESK, "capture_id = self._rng.bytes(CAPTURE_ID_BYTES)", "capture_id = sample.payload[16:32]"),
    ),
    "pixels for an id": (
        (SENSOR, "payload = found.sample.to_bytes()", "payload = picture[99:131] + found.sample.to_bytes()"),
        (DESK, "capture_id = self._rng.bytes(CAPTURE_ID_BYTES)", "capture_id = sample.payload[:16]"),
        (DESK, "bytearray(sample.payload)", "bytearray(sample.payload[32:])"),
    ),
}  # fmt: skip


def found(sources: Sequence[tuple[str, bytes]]) -> set[str]:
    """Forms of what was found, without how it was written."""
    scanner = Scanner(make_canaries(SEED, with_key=False))
    hits = [hit for name, data in sources for hit in scanner.scan(name, data)]
    return {finding.form.split()[0].rstrip(",") for finding in (*hits, *pictures_in(sources, SEED))}


def test_a_sensor_lets_out_neither_picture_nor_features(tmp_path: Path) -> None:
    sources = sensor_sources(tmp_path / "phone", SEED)
    assert found(sources) == set()
    names = {name.split(" of ")[0] for name, _ in sources}
    assert {"frames", "notes and answers", "storage.db", "rpmb.img", "sensors.json", "names.json"} <= names
    file, pixels = canary_picture(SEED)
    control = [("a file", b"x" + file), ("a frame", b"x" + make_canaries(SEED).finger.to_bytes())]
    assert found(control) == {"picture", "canonical"}
    assert found([("a piece", pixels[500:520])]) == {"picture"}


@pytest.mark.parametrize("build", BREAKS)
def test_a_build_that_returns_them_is_red(build: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, BREAKS[build])
    try:
        sources = sensor_sources(tmp_path / "phone", SEED)
    finally:
        monkeypatch.undo()
    assert found(sources) & {"picture", "canonical", "minutiae"}
