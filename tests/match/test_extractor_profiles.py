"""Thresholds of one extractor each: found by what it states of itself, sound, and at hand where it is decided."""

import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

import bioguard.trusted.biometric
from bioguard.capture.engines import load_engine
from bioguard.capture.leader_engine import PIPELINE, SHA256
from bioguard.match.thresholds import (
    BUILTIN,
    EXTRACTORS,
    builtin_profile,
    builtin_profiles,
    extractor_profile,
    extractor_profiles,
    threshold_for_fmr,
)
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.extractor import ExtractorIdentity
from bioguard.records.modality import Modality
from bioguard.records.scores import Basis, Score

DIGESTS = {
    "nbis": "5f23be4191a3859655e088a9102d766b06be369a3fe574d90926537fae8433f4",
    "leader": "c7e471a5d963151997d1473573f65d1dd91ccf4c79d1c0c425ed641a00992815",
}
"""Of the profiles, so that no threshold moves by accident: who calibrates again writes the new digests here."""
POOLED = builtin_profile(Modality.FINGERPRINT)


def test_the_profiles_are_those_of_the_last_calibration() -> None:
    assert {p.name: p.digest.hex() for p in extractor_profiles()} == DIGESTS
    assert tuple(DIGESTS) == EXTRACTORS


def test_each_is_found_by_what_its_engine_states() -> None:
    """Of another version or other weights nobody knows a rate."""
    leader = ExtractorIdentity(name="leader", version=f"v{PIPELINE}", weights_sha256=SHA256)
    for identity in (load_engine("nbis").identity, leader):
        found = extractor_profile(identity.model)
        assert found is not None
        assert found.name == identity.name
        assert extractor_profile(identity.model + "0") is None
    assert extractor_profile(POOLED.model) is None
    assert not set(extractor_profiles()) & set(builtin_profiles())


@pytest.mark.parametrize("profile", extractor_profiles(), ids=lambda profile: profile.name)
def test_a_profile_of_an_engine_is_sound(profile: ComparisonProfile) -> None:
    assert (profile.modality, profile.dimension, profile.site) == (Modality.FINGERPRINT, 0, ())
    assert [(t.score, t.cohort) for t in profile.tables] == [(t.score, t.cohort) for t in POOLED.tables]
    assert profile.data.people == 40
    assert profile.data.sha256 is not None
    assert "scored by models trained without the database" in profile.data.description
    for table in profile.tables:
        assert all(a.rate > b.rate and a.threshold < b.threshold for a, b in pairwise(table.points))
        *counted, last = table.points
        assert last.basis is Basis.EXTRAPOLATED
        for p in counted:
            assert (p.basis, p.threshold) == (Basis.MEASURED, p.high)  # the strict end
            assert p.rate * p.impostors * 1.01 >= 3
        for p in table.points:
            least = threshold_for_fmr(p.rate, profile=POOLED, score=table.score, cohort=table.cohort)
            assert p.threshold >= least - 1e-6, "below the table that holds for any extractor"
    full = profile.table(Score.LIKELIHOOD_RATIO)
    assert full is not None
    assert {1e-2, 1e-3} <= {p.rate for p in full.points if p.basis is Basis.MEASURED}


def test_every_profile_is_a_resource_of_the_application_that_decides() -> None:
    manifest = Path(bioguard.trusted.biometric.__file__).with_name("manifest.toml")
    resources = tomllib.loads(manifest.read_text("utf-8"))["resources"]
    named = {f"bioguard.match:profiles/{name}.profile" for name in (*BUILTIN, *EXTRACTORS)}
    assert {r for r in resources if r.endswith(".profile")} == named
