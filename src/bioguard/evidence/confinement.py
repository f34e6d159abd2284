"""Checks of the confinement: verdict, escape battery with its outside witness, leak scan."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from bioguard.device import consent
from bioguard.device.directory import FILES
from bioguard.errors import BioguardError
from bioguard.evidence import escape_battery, leak_scan
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.report.model import Check, Evidence, Status
from tee_sim.normal.sandbox_verdict.processes import LAYER
from tee_sim.normal.sandbox_verdict.verdict import Level, Verdict

CANARY_SEED = 20180701
LEAK_TITLES = {
    "BG-LEK-001": "Enrolled features are found nowhere outside the secure world",
    "BG-LEK-002": "One local store: the device writes no other file",
}
QUICK_LEVELS = ("0", "ALL", "TA")
"""Without a lock, to see which attempts prove something here; with the whole lock, as core and as an application."""
TO_SECURE = "to-secure"
_LEVELS = {
    Level.ENFORCED_PLUS: Status.PASS,
    Level.ENFORCED: Status.PASS,
    Level.INCONCLUSIVE: Status.UNKNOWN,
}
"""PARTIAL and NOT ENFORCED are failures of the promise."""


def _check(name: str, title: str, status: Status, summary: str, **more: object) -> Check:
    clauses = tuple(c.id for c in CLAUSES if name in c.checks)
    return Check(id=name, title=title, status=status, summary=summary, clauses=clauses, **more)  # type: ignore[arg-type]


def _write(raw: Path, name: str, body: object) -> Evidence:
    (raw / name).write_text(json.dumps(body, indent=1, default=str) + "\n", "utf-8")
    return Evidence(label=name, path=f"raw/{name}")


def verdict_check(verdict: Verdict, raw: Path) -> Check:
    """How far the secure world is locked, judged from outside."""
    filter_sha256 = verdict.filter_sha256.hex()
    hosts = (finding for finding in verdict.findings if finding.layer == LAYER)
    return _check(
        "BG-SBX-001",
        "The secure world is locked: no socket, file, exec or IPC call",
        _LEVELS.get(verdict.level, Status.FAIL),
        f"{verdict.level.value}: {', '.join(verdict.layers) or 'no layer'}",
        details=(f"filter SHA-256 {filter_sha256 or 'none'}", *(f"{f.layer}: {f.evidence}" for f in hosts)),
        control="system call filter, namespaces, empty root, Landlock; judged by the parent before any secret is given",
        limits="not covered: the owner of the host, kernel bugs, hardware side channels",
        fix="run: bioguard doctor",
        evidence=(_write(raw, "verdict.json", verdict.to_record()),),
    )


def battery_checks(raw: Path, *, quick: bool, progress: Callable[[int, int], None] | None = None) -> Iterator[Check]:
    """Run the escape battery: every known way out, watched from outside, with and without the lock."""
    title = "No known way out of the secure world works"
    packets_title = "No packet leaves, and the witness can see packets"
    try:
        report = escape_battery.run(QUICK_LEVELS if quick else tuple(escape_battery.LEVELS), progress=progress)
    except BioguardError as error:
        for name, text in (("BG-SBX-002", title), ("BG-SBX-003", packets_title)):
            yield _check(name, text, Status.UNKNOWN, f"the battery could not run: {error.message}")
        return
    (raw / "escape-battery.txt").write_text(escape_battery.matrix(report), "utf-8")
    evidence = (Evidence(label="attempts by layer", path="raw/escape-battery.txt"),)
    locked = [level for level in escape_battery.LOCKED if level in report.levels]
    proving = [name for name in report.cells if report.exercisable(name)]
    escaped = sorted({name for level in locked for name in report.unexpected(level)})
    missing = any(level in report.unavailable for level in locked) or not proving
    status = Status.UNKNOWN if missing else Status.FAIL if escaped else Status.PASS
    residual = tuple(
        f"residual, bounded but not closed: {n}" for n in report.cells if escape_battery.ATTEMPTS[n].residual
    )
    yield _check(
        "BG-SBX-002",
        title,
        status,
        f"{len(report.cells)} attempts, {len(proving)} of them work here without a lock, {len(escaped)} with it",
        details=(*(f"got out: {n}" for n in escaped), *residual,
                 *(f"proves nothing here: {n}: {why}" for n, why in report.proving_nothing().items()),
                 *(f"layer set not available: {k}: {v}" for k, v in report.unavailable.items())),
        limits="attempts that do not work here even without a lock prove nothing; the matrix marks them",
        fix="run: bioguard audit egress; look at the attempt in evidence/escape_battery/attempts",
        evidence=evidence,
    )  # fmt: skip
    seen = report.observed_packets
    status = Status.UNKNOWN if seen is None or not seen[0] else Status.FAIL if seen[1] else Status.PASS
    yield _check(
        "BG-SBX-003",
        packets_title,
        status,
        f"{seen[0]} packets without the lock, {seen[1]} with it" if seen else "no observing namespace on this host",
        limits="silence counts only because the same witness saw the control packets",
        fix="allow network namespaces to this user",
        evidence=evidence,
    )


def leak_checks(main: TemporaryDevice, raw: Path, *, quick: bool) -> Iterator[Check]:
    """Plant features nobody has in a device of their own, use them, and look for them everywhere."""
    try:
        with TemporaryDevice(main.directory.parent / f"{main.directory.name}-canaries", main.allow_level) as temporary:
            found = list(_leaks_of(temporary, raw, quick=quick))
    except BioguardError as error:
        summary = f"the canaries could not be used: {error.message}"
        found = [_check(name, title, Status.UNKNOWN, summary) for name, title in LEAK_TITLES.items()]
    yield from found


def _leaks_of(temporary: TemporaryDevice, raw: Path, *, quick: bool) -> Iterator[Check]:
    """In the store, in what comes out of the pipes, and in the evidence itself."""
    canaries = leak_scan.make_canaries(CANARY_SEED, with_key=False)
    device, start = temporary.device, len(temporary.frames)
    for name, modality in (("canary-face", Modality.FACE), ("canary-finger", Modality.FINGERPRINT)):
        device.add_user(name)
        consent.grant(device, name, modality, Purpose.UNLOCK, of_age=True)
    device.enroll("canary-face", [canaries.embedding])
    device.authenticate("canary-face", canaries.embedding)
    device.enroll("canary-finger", [canaries.finger], finger="right-index")
    device.authenticate("canary-finger", canaries.finger)
    planted = [f for way, f in temporary.frames[start:] if way == TO_SECURE]
    outgoing = b"".join(f for way, f in temporary.frames if way != TO_SECURE)
    control = any(canaries.embedding.to_bytes()[4:] in f for f in planted)
    store = {
        p.name: p.read_bytes() for p in sorted(temporary.directory.iterdir()) if p.name.startswith(("storage", "rpmb"))
    }
    evidence = {p.name: p.read_bytes() for p in sorted(raw.iterdir()) if p.is_file()}
    sources = [("frames from the secure world", outgoing), *store.items()]
    if not quick:
        sources += evidence.items()
    report = leak_scan.scan(sources, canaries)
    found, total = report.mutation_score
    clean = report.clean if control and outgoing and store else None
    yield _check(
        "BG-LEK-001",
        LEAK_TITLES["BG-LEK-001"],
        {True: Status.PASS, False: Status.FAIL, None: Status.UNKNOWN}[clean],
        f"{len(report.findings)} findings in {sum(n for _, n in report.sources):,} bytes; self-test {found}/{total}",
        details=tuple(f"{f.source}: {f.form} at {f.offset}" for f in report.findings[:20]),
        limits="not found: rotations, pads, encryption by hostile trusted code; BG-STA-005 bounds what replies carry",
        fix="a feature left the secure world in clear: do not ship",
        evidence=(_write(raw, "leak-scan.json", report.to_record()),),
    )
    bodies = b"".join(store.values())
    others = sorted(p.name for p in temporary.directory.iterdir() if p.is_file())
    unknown = [n for n in others if n not in FILES]
    yield _check(
        "BG-LEK-002",
        LEAK_TITLES["BG-LEK-002"],
        Status.FAIL if unknown else Status.PASS if bodies else Status.UNKNOWN,
        f"{len(others)} files, {len(unknown)} of them not known",
        details=tuple(unknown or others),
        limits="the directory of the device; the secure world itself can open no file at all (BG-SBX-001)",
    )
