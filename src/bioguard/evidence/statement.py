"""in-toto Statement v1 with the test-result predicate v0.1: the claim over a set of files.

https://github.com/in-toto/attestation: spec/v1/statement.md and spec/predicates/test-result.md.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from bioguard.json_text import parse_json
from bioguard.proofs.encoding import PARSE_FAULTS, ProofInvalid

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
_SHA256 = re.compile(r"[0-9a-f]{64}")
RESULTS = frozenset({"PASSED", "WARNED", "FAILED"})


@dataclass(frozen=True, slots=True)
class TestResult:
    """What was tested, with which configuration, and how it went.

    Attributes:
        subjects: name -> SHA-256 in hex. Names are relative paths.
        configuration: name -> SHA-256 in hex of what the test depended on (a filter, the code under test).
        result: PASSED, WARNED or FAILED.
        passed, warned, failed: names of the checks. A check that could not run is a failed one.
    """

    __test__ = False

    subjects: Mapping[str, str]
    configuration: Mapping[str, str]
    result: str
    passed: tuple[str, ...]
    warned: tuple[str, ...]
    failed: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """Canonical JSON (sorted keys, no white space)."""
        statement = {
            "_type": STATEMENT_TYPE,
            "subject": _resources(self.subjects),
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "result": self.result,
                "configuration": _resources(self.configuration),
                "passedTests": list(self.passed),
                "warnedTests": list(self.warned),
                "failedTests": list(self.failed),
            },
        }
        return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read a statement strictly.

        Raises:
            ProofInvalid: another type, a missing field, or not what `to_bytes` writes.
        """
        malformed = ProofInvalid("not an in-toto test-result statement", hint="fetch the bundle again")
        try:
            raw: Any = parse_json(body)
            predicate = raw["predicate"]
            parsed = cls(
                _digests(raw["subject"]),
                _digests(predicate["configuration"]),
                predicate["result"],
                tuple(predicate["passedTests"]),
                tuple(predicate["warnedTests"]),
                tuple(predicate["failedTests"]),
            )
            listed = (*parsed.subjects, *parsed.configuration, *parsed.passed, *parsed.warned, *parsed.failed)
            digests = (*parsed.subjects.values(), *parsed.configuration.values())
            plain = all(isinstance(text, str) for text in listed) and all(_SHA256.fullmatch(d) for d in digests)
            exact = plain and parsed.to_bytes() == body and parsed.result in RESULTS
        except PARSE_FAULTS:
            raise malformed from None
        if not exact:
            raise malformed
        return parsed


def _resources(digests: Mapping[str, str]) -> list[dict[str, object]]:
    return [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(digests.items())]


def _digests(resources: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {entry["name"]: entry["digest"]["sha256"] for entry in resources}
