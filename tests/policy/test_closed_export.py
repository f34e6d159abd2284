"""The closed grammar of an export: what the product makes fits, and nothing else does."""

import copy
import json
from pathlib import Path

import pytest

from bioguard.evidence.policy_trials.closed_export import EXPORT, WHY, strangers

DATE = "2026-01-01T00:00:00Z"
GOOD = {
    "schema": "bioguard/personal-data/1", "user": "alice", "made": DATE,
    "device": {"clock": "host", "randomness": "system", "for_testing": False},
    "templates": {"included": False, "why": WHY},
    "policy": {"version": 1, "retention_days": 365, "log_days": 30, "minimum_age": 16},
    "consents": [{"modality": "face", "purpose": "unlock", "policy_version": 1, "granted": DATE, "expires": DATE}],
    "objections": ["identify"], "restricted": False, "age_attested": True,
    "enrollments": [{"record_id": "0" * 32, "sensor": 1, "modality": "face", "position": "face", "views": 3,
                     "profile": "standard", "enrolled": DATE, "digest": "0" * 64, "extractor": None,
                     "extractor_is": "declared"}],
    "requests": [{"number": 1, "kind": "access", "state": "open", "opened": DATE, "due": DATE, "reason": None}],
    "log": [{"number": 1, "at": DATE, "event": "decided", "subject": "0" * 32, "value": 1}],
}  # fmt: skip


def test_the_product_s_own_form_fits() -> None:
    assert strangers(GOOD) == []
    schema = json.loads(Path("src/bioguard/report/schema/export.schema.json").read_text("utf-8"))
    assert set(schema["properties"]) == set(EXPORT)


@pytest.mark.parametrize(
    ("path", "value", "odd"),
    [
        (("annex",), "AAAA", "export.annex"),
        (("user",), 1, "export.user"),
        (("enrollments", 0, "similarity"), 549, "export.enrollments[0].similarity"),
        (("enrollments", 0, "digest"), "0" * 62, "export.enrollments[0].digest"),
        (("enrollments", 0, "extractor_is"), "guessed", "export.enrollments[0].extractor_is"),
        (("templates", "why"), WHY + "00ff", "export.templates.why"),
        (("log", 0, "event"), "a score of 42", "export.log[0].event"),
        (("log", 0, "value"), True, "export.log[0].value"),
        (("requests", 0, "due"), 1767225600, "export.requests[0].due"),
        (("consents",), {}, "export.consents"),
        (("device",), "host", "export.device"),
    ],
)
def test_what_is_added_or_turned_around_does_not(path: tuple[str | int, ...], value: object, odd: str) -> None:
    data = copy.deepcopy(GOOD)
    place: object = data
    for step in path[:-1]:
        place = place[step]  # type: ignore[index]
    place[path[-1]] = value  # type: ignore[index]
    assert strangers(data) == [odd]


def test_what_is_left_out_does_not() -> None:
    assert strangers({k: v for k, v in GOOD.items() if k != "log"}) == ["export.log"]
