"""The clause register: every promise with its control and the check of `bioguard audit run` that gives evidence.

Source: a phone maker's public privacy policy of July 2018, paraphrased, one row a promise. A row whose checks did not
run is UNKNOWN, never a pass.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise."""

    id: str
    section: str
    promise: str
    control: str
    checks: tuple[str, ...]


def _row(number: int, section: str, promise: str, control: str, *checks: str) -> Clause:
    return Clause(f"POL-{number:02d}", section, promise, control, checks)


CLAUSES: tuple[Clause, ...] = (
    _row(
        1, "III.1(1)d",
        "Face features from different angles, or fingerprint features, are enrolled for rapid unlocking",
        "multi-view face and multi-touch finger enrollment; unlock latency measured",
        "BG-POL-001",
    ),
    _row(
        2, "III.1(1)d",
        "The information is stored only locally, on the device",
        "one local store; sealed records only; nothing else is written",
        "BG-LEK-001", "BG-LEK-002", "BG-STO-005", "BG-STA-008",
    ),
    _row(
        3, "III.1(1)d",
        "Features are never uploaded",
        "the trusted applications run behind a kernel filter without a socket, file, exec or IPC call",
        "BG-STA-002", "BG-STA-008", "BG-SBX-001", "BG-SBX-002", "BG-SBX-003", "BG-SBX-004",
    ),
    _row(
        4, "III.1(1)d",
        "Disclosure to a third party is impossible",
        "no reply can carry a template, key, threshold or raw score; templates are never exported; what a request can "
        "tell is counted and bounded",
        "BG-STA-005", "BG-LEK-001", "BG-SBX-005",
    ),
    _row(
        5, "III.1(1)d, III.2",
        "Used for no other purpose than the one consented to; a new purpose needs consent in advance",
        "purpose-bound grants, checked inside the trusted application before every operation",
        "BG-POL-005",
    ),
    _row(
        6, "VI.2(4)",
        "Biometric information is treated before storage, for instance by storing only its digest",
        "salted digest of every record; digest-only profile that keeps no template in any form",
        "BG-POL-006",
    ),
    _row(
        7, "VI.2(3)",
        "Full encryption in storage and transmission; nobody else can read the content",
        "authenticated encryption under a device-bound key ladder, bound to user, modality, id and version",
        "BG-STO-001", "BG-STO-002", "BG-STO-004", "BG-STO-005", "BG-STO-006",
    ),
    _row(
        8, "VI.2(1)",
        "De-identification",
        "records carry random ids; names never reach the trusted application, the store or the log",
        "BG-POL-008", "BG-LEK-001",
    ),
    _row(
        9, "VI.2(2)",
        "Only those who need the data may use it",
        "PIN-gated enrollment, authorization token per operation, records reached only through their user",
        "BG-POL-009",
    ),
    _row(
        10, "IV",
        "Kept for the minimum time, then deleted",
        "retention period per enrollment, enforced at start-up and by `bioguard purge`",
        "BG-POL-010",
    ),
    _row(
        11, "III.1(2)b",
        "Log data are cleared, usually within 30 days",
        "bodies of log entries are pruned after 30 days; hashes stay, so old proofs still verify",
        "BG-POL-011", "BG-LOG-001",
    ),
    _row(
        12, "VI.3",
        "An incident is reported promptly: situation and influence, measures, advice, remedy",
        "detected tampering or rollback opens an incident with those four parts, shown until acknowledged",
        "BG-POL-012", "BG-STO-003",
    ),
    _row(
        13, "VII (intro)",
        "Identity is verified before a request is handled",
        "rights commands need a fresh PIN token of that user, checked inside the trusted application",
        "BG-POL-013",
    ),
    _row(
        14, "VII.1",
        "Right to be informed",
        "`bioguard notice`: what is stored, where, why, for how long, under which policy version",
        "BG-POL-014",
    ),
    _row(
        15, "VII.2",
        "Right of access",
        "`bioguard access USER`: all metadata held about the user, consents, decisions and log entries",
        "BG-POL-015",
    ),
    _row(
        16, "VII.3",
        "Right to rectification",
        "`rectify` corrects name and finger; re-enrollment replaces the old record in one transaction",
        "BG-POL-016",
    ),
    _row(
        17, "VII.4",
        "Right to erasure",
        "cryptographic erasure, and a receipt that proves the log entry and that the record is absent, on any machine",
        "BG-POL-017", "BG-LOG-001",
    ),
    _row(
        18, "VII.5",
        "Right to restriction: stored but not processed",
        "`restrict` / `unrestrict`: every enrollment and comparison of the user refuses",
        "BG-POL-018",
    ),
    _row(
        19, "VII.6",
        "Right to data portability, structured and machine-readable",
        "`bioguard export`: JSON with a published schema; templates are never in it, and it says so and why",
        "BG-POL-019",
    ),
    _row(
        20, "VII.7",
        "Right to object",
        "an objection is recorded; processing for that purpose stops at once",
        "BG-POL-020",
    ),
    _row(
        21, "VII.8",
        "Consent can be withdrawn at any time; processing must stop",
        "withdrawal stops processing at once; records without a purpose left are erased",
        "BG-POL-021",
    ),
    _row(
        22, "VII.9",
        "No solely automated decision without explanation",
        "`bioguard explain NUMBER`: factors in coarse terms, no score; the PIN is always there",
        "BG-POL-022",
    ),
    _row(
        23, "VII (end)",
        "Answered within 7 days, at most one month, an extension is explained",
        "requests are registered with due dates; an extension needs a reason",
        "BG-POL-023",
    ),
    _row(
        24, "VIII",
        "A child is anyone under 16; a child has no account; data found are deleted as soon as possible",
        "no consent without an age attestation; `mark-underage` erases everything",
        "BG-POL-024",
    ),
    _row(
        25, "V, X",
        "No sharing, no transfer abroad of biometric data",
        "none exists: see POL-03 and POL-04",
        "BG-STA-002", "BG-STA-005", "BG-STA-007", "BG-STA-008", "BG-SBX-001", "BG-SBX-002", "BG-SBX-004",
    ),
    _row(
        26, "XI",
        "Policy changes are notified; rights are never reduced without express consent",
        "grants name the policy version; a newer version suspends them until they are confirmed",
        "BG-POL-026",
    ),
    _row(
        27, "II, III.1(2)",
        "Cookies, analytics and usage data, which the policy admits elsewhere: bioguard has none",
        "no telemetry, no network code of its own",
        "BG-STA-001", "BG-STA-003", "BG-STA-006", "BG-STA-007", "BG-STA-008", "BG-SBX-001", "BG-SBX-004",
    ),
)  # fmt: skip


def clause(clause_id: str) -> Clause:
    """One row. Raises KeyError."""
    return {c.id: c for c in CLAUSES}[clause_id]
