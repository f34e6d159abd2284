"""Checks of the confinement: verdict, escape battery with its outside witness, leak scan."""

import json
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bioguard.errors import BioguardError
from bioguard.evidence import escape_battery, leak_scan, outside_watch, store_checks
from bioguard.evidence.outside_watch import NotWatched
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.evidence.policy_trials.model import Question, answer
from bioguard.report.model import Check, Evidence, Status
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.sandbox_verdict.processes import LAYER
from tee_sim.normal.sandbox_verdict.verdict import Verdict

LIFE_TITLES = {
    "BG-LEK-001": "Enrolled features, PINs, names, tokens and scores are found nowhere but where they belong",
    "BG-STO-005": "The store is sealed as published: a second reader opens all of it with its fuses, and none without",
    "BG-LEK-002": "One local store: no process of the product writes any other file",
    "BG-SBX-004": "The whole product, normal world included, sends no packet, opens no socket and starts no program",
}
WATCHED_CHECKS = ("BG-LEK-002", "BG-SBX-004")
QUICK_LEVELS = ("0", "ALL", "TA")
"""Without a lock, to see which attempts prove something here; with the whole lock, as core and as an application."""
SENSOR_LEVEL = "SN"
"""And as a sensor, of a device that has one."""
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


def battery_checks(
    raw: Path, *, quick: bool, sensors: bool = False, progress: Callable[[int, int], None] | None = None
) -> Iterator[Check]:
    """Run the escape battery: every known way out, watched from outside, with and without the lock.

    Args:
        sensors: whether the device has sensors, whose processes are then looked at too.
    """
    title = "No known way out of the secure world works"
    packets_title = "No packet leaves, and the witness can see packets"
    try:
        quick_levels = (*QUICK_LEVELS, SENSOR_LEVEL) if sensors else QUICK_LEVELS
        report = escape_battery.run(quick_levels if quick else tuple(escape_battery.LEVELS), progress=progress)
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


def leak_checks(directory: Path, raw: Path, *, quick: bool) -> Iterator[Check]:
    """Let a device live with canaries for people, watched from outside, and look for them everywhere.

    Args:
        directory: where the device and what it left are kept meanwhile.
        quick: whether the evidence itself and the memory of other processes are left out.
    """
    seed = secrets.randbits(32)  # fresh, so that no build can know its canaries
    device, kept = (Path(tempfile.mkdtemp(dir=directory)) / "device" for _ in range(2))  # names that say nothing
    try:
        life = leak_scan.live(device, kept, seed, memory=not quick)
    except BioguardError as error:
        summary = f"the canaries could not be used: {error.message}"
        yield from (_check(name, title, Status.UNKNOWN, summary) for name, title in LIFE_TITLES.items())
        return
    evidence = () if quick else tuple((p.name, p.read_bytes()) for p in sorted(raw.iterdir()) if p.is_file())
    canaries = leak_scan.make_canaries(seed, with_key=False)
    report = leak_scan.scan(evidence, canaries, life=life)
    yield _leaks(report, raw)
    yield _store(life, canaries, directory / "stages", raw)
    yield from _sightings(life, raw)


def _store(life: leak_scan.Life, canaries: leak_scan.Canaries, work: Path, raw: Path) -> Check:
    question = Question(
        id="BG-STO-005",
        title=LIFE_TITLES["BG-STO-005"],
        limits="read at four times of one device's life; availability and old blocks of the flash are not looked at",
    )
    return answer(question, lambda: store_checks.observe(life, canaries, work), raw)


def _leaks(report: leak_scan.LeakReport, raw: Path) -> Check:
    found, total = report.mutation_score
    return _check(
        "BG-LEK-001",
        LIFE_TITLES["BG-LEK-001"],
        {True: Status.PASS, False: Status.FAIL, None: Status.UNKNOWN}[report.clean],
        f"{len(report.findings)} findings in {sum(n for _, n in report.sources):,} bytes; self-test {found}/{total}",
        details=tuple(f"{f.source}: {f.form} at {f.offset}" for f in report.findings[:20]),
        limits="not found: rotations, pads, encryption by hostile trusted code; BG-STA-005 bounds what replies carry, "
        "BG-STO-005 reads the store. Scores are no canaries: what serve --protocol 2 tells of claims, and writes for "
        "--trace and --record, is held field by field; ids, times within the moment and numbers of a timeline are free",
        fix="something of a person left its place in clear: do not ship",
        evidence=(_write(raw, "leak-scan.json", report.to_record()),),
    )


def _sightings(life: leak_scan.Life, raw: Path) -> Iterator[Check]:
    """What the kernel was asked for by every process of the product."""
    seen = life.sighting
    if isinstance(seen, NotWatched):
        yield from (_check(n, LIFE_TITLES[n], Status.UNKNOWN, seen.message, fix=seen.hint) for n in WATCHED_CHECKS)
        return
    evidence = (_write(raw, "outside-watch.json", [f"{e.call} {e.about} by {e.program}" for e in seen.events]),)
    present = {path.relative_to(life.device).as_posix() for path in life.device.rglob("*")}
    files = [*outside_watch.strange_files(seen, life.device, life.kept), *sorted(present - outside_watch.DEVICE_FILES)]
    yield _watched(
        "BG-LEK-002",
        files,
        seen.controlled
        and {"storage.db", "rpmb.img"} <= present
        and outside_watch.writes_what_was_named(seen, life.kept),
        f"{sum(e.call in outside_watch.FILE_CALLS for e in seen.events)} files opened for writing, made or renamed",
        "the life of one device, partly through serve --protocol 2 with --trace and --record, which write what the "
        "caller named; what it reads, when it writes, and modes and locks of a moment are not looked at",
        evidence,
    )
    yield _watched(
        "BG-SBX-004",
        list(outside_watch.strange_calls(seen, sys.executable)),
        seen.controlled,
        f"{len(seen.packets)} packets and {len(seen.events)} calls seen, the control among them",
        "the life of one device: enrollment to erasure in both modalities, rights, one command of the command line, "
        "one conversation of serve --protocol 2 with --trace and --record",
        evidence,
    )


def _watched(
    name: str, strange: list[str], controlled: bool, summary: str, limits: str, evidence: tuple[Evidence, ...]
) -> Check:
    return _check(
        name,
        LIFE_TITLES[name],
        Status.FAIL if strange else Status.PASS if controlled else Status.UNKNOWN,
        f"{summary}, {len(strange)} of them strange",
        details=tuple(strange[:20]),
        limits=limits,
        fix="the product did what no part of it should: do not ship",
        evidence=evidence,
    )
