"""Comparison profiles and the fallback that a device is made with: named once, told wherever it is told of."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.cli.__main__ import run
from bioguard.device import Device, consent
from bioguard.errors import BioguardError, InputRefused
from bioguard.match.thresholds import builtin_profile
from bioguard.proofs.device_claims import AttestedSettings, attested_profiles
from bioguard.proofs.psa_token import Claims, EatProfile
from bioguard.records.comparison_profile import MAX_PROFILE_BYTES, ComparisonProfile
from bioguard.records.modality import Modality, Profile

FACES = replace(builtin_profile(Modality.FACE, 512), name="mine", model="my model")
FINGERS = replace(builtin_profile(Modality.FINGERPRINT), name="ours")


def attested(device: Device) -> tuple[tuple[tuple[str, bytes], ...], AttestedSettings | None]:
    key, nonce = consent.signed_log(device).attestation_key, bytes(32)
    claims, _ = Claims.verify(consent.attest(device, nonce, EatProfile.RFC9783), key, nonce)
    return attested_profiles(claims), AttestedSettings.of(claims)


def test_what_was_named_is_what_the_device_goes_by_and_attests_after_a_start_too(directory: Path) -> None:
    with Device.init(directory, comparison_profiles=[FACES], uncalibrated=True) as device:
        made = device.profiles
    assert [p.digest for p in made] == [FACES.digest, builtin_profile(Modality.FINGERPRINT).digest]
    with Device.open(directory) as device:
        assert device.profiles == made
        assert device.configuration.uncalibrated == (Modality.FINGERPRINT,)
        named, settings = attested(device)
        assert named == (("face mine", FACES.digest), ("fingerprint minutiae-pooled", made[1].digest))
        assert settings is not None
        assert settings.uncalibrated == ("fingerprint",)


@pytest.mark.parametrize(
    ("profiles", "uncalibrated", "code"),
    [
        ([FACES, builtin_profile(Modality.FACE, 128)], False, "comparison_profile.several"),
        ([FACES, FINGERS], True, "comparison_profile.no_fallback"),
        ([replace(FACES, tables=FACES.tables[1:])], False, "match.not_calibrated"),
    ],
)
def test_what_no_device_is_made_with(
    profiles: Sequence[ComparisonProfile], uncalibrated: bool, code: str, directory: Path
) -> None:
    with pytest.raises(InputRefused) as caught:
        Device.init(directory, comparison_profiles=profiles, uncalibrated=uncalibrated)
    assert caught.value.code == code
    with pytest.raises(BioguardError, match="no device"):
        Device.open(directory)


def test_a_missing_table_is_named(directory: Path) -> None:
    plain = replace(FINGERS, tables=tuple(t for t in FINGERS.tables if t.score.word != "protected"))
    with pytest.raises(InputRefused, match="'ours' has none of the score 'protected'"):
        Device.init(directory, comparison_profiles=[plain], profile=Profile.DIGEST_ONLY)


def test_the_command_line_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, home = tmp_path / "mine.profile", ["--device", str(tmp_path / "device")]
    file.write_bytes(FACES.to_bytes())
    line = [*home, "device", "init", "--comparison-profile", str(file), "--uncalibrated", "strict", "--json"]
    assert run(line) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["uncalibrated"] == ["fingerprint"]
    assert told["comparison_profiles"][0] == {
        "name": "mine", "modality": "face", "dimension": 512, "sha256": FACES.digest.hex(),
    }  # fmt: skip
    assert [profile["dimension"] for profile in told["comparison_profiles"]] == [512, None]
    assert run([*home, "device", "status", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert {name: status[name] for name in ("uncalibrated", "comparison_profiles")} == {
        name: told[name] for name in ("uncalibrated", "comparison_profiles")
    }
    assert run([*home, "device", "status"]) == 0
    words = capsys.readouterr().out
    assert f"compares by:   face mine, SHA-256 {FACES.digest.hex()[:16]}" in words
    assert "UNCALIBRATED:  fingerprint of any model" in words


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "input.unreadable"),
        (b"", "comparison_profile."),
        (FACES.to_bytes() + b"\0", "comparison_profile."),
        (bytes(MAX_PROFILE_BYTES + 1), "comparison_profile.too_large"),
    ],
    ids=["absent", "empty", "longer", "large"],
)
def test_a_file_that_is_no_profile_is_named(
    content: bytes | None, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "no.profile"
    if content is not None:
        file.write_bytes(content)
    line = ["--device", str(tmp_path / "device"), "device", "init", "--comparison-profile", str(file)]
    assert run(line) == 4
    said = capsys.readouterr().err
    assert f"error[{code}" in said
    assert str(file) in said
    assert not (tmp_path / "device").exists()
