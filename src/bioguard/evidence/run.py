"""`bioguard audit run`: every check on this host, and the signed bundle."""

import hashlib
import json
import platform
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bioguard import __version__
from bioguard.device import consent
from bioguard.errors import BioguardError, InputRefused
from bioguard.evidence import bundle, confinement
from bioguard.evidence.budgets import BUDGETS_CHECK, budget_check
from bioguard.evidence.device_records import RECORDS_CHECK, records_check, write_checkpoint
from bioguard.evidence.file_checks import FILES_CHECK, files_check
from bioguard.evidence.measuring import measure
from bioguard.evidence.no_answer import answered, failed
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.evidence.policy_trials import TRIALS, conduct
from bioguard.evidence.policy_trials.model import Turn
from bioguard.evidence.published_objects import sealed_profiles
from bioguard.evidence.reference import MEASUREMENT, Measurement
from bioguard.evidence.side_by_side import Findings, Progress
from bioguard.evidence.static import static_checks
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.proofs.device_claims import AttestedHosts, attested_profiles, settings_words
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.notes import NoteKey, NoteSigner
from bioguard.proofs.origin import evidence_origin
from bioguard.proofs.psa_token import Claims, EatProfile
from bioguard.report import Check, Fact, Report, Requirement, Status, render
from bioguard.user_files import check_output_directory
from tee_sim.normal.sandbox_verdict.level import Level

FORMS = {"report.html": "html", "report.json": "json", "junit.xml": "junit", "report.sarif": "sarif"}
BATTERY_CHECKS = ("BG-SBX-002", "BG-SBX-003")
ATTESTATION_CHECK = "BG-ATT-001"
STATIC_CHECKS = (*(f"BG-STA-{number:03d}" for number in range(1, 7)), "BG-STA-008")
EVERY_CHECK = (
    *STATIC_CHECKS, FILES_CHECK, "BG-SBX-001", *BATTERY_CHECKS, *(trial.id for trial in TRIALS),
    *confinement.LIFE_TITLES, ATTESTATION_CHECK, BUDGETS_CHECK, RECORDS_CHECK,
)  # fmt: skip
"""In the order of the report."""
RESIDUAL = (
    "The device is simulated: the owner of the host can read the fuses, the memory and everything else. A phone has "
    "hardware there.",
    "The sandbox verdict in the attestation is what the launcher saw; on a phone a root of trust measures it.",
    "The product measures its own files: one that was changed to lie about them is found only from outside, and the "
    "interpreter and its libraries are the host's.",
    "A product that knows that it is audited can behave meanwhile; the measurement (BG-STA-007, --reference) and the "
    "reading of its source stand against that.",
    "Kernel bugs, hardware side channels, and what other processes of this host see (processor time, memory size) are "
    "not covered.",
    "Hostile trusted code could hide bits in which id, digest or token it has the core make, in what it signs itself, "
    "and in timing; their number is bounded and counted.",
    "With the device secret stolen, a protected code is an invertible copy of a face (`python -m bench protection`).",
    "An erasure cannot reach copies that others made of the device directory before.",
    "The checks ran on a temporary device of this product on this host, not on your device's data.",
)


def signer_from(seed: bytes) -> NoteSigner:
    """The evidence signer of a 32-byte Ed25519 seed; its name is made from its key."""
    public = NoteSigner("unnamed", seed).key.public_key
    return NoteSigner(evidence_origin(public), seed)


def run_audit(
    out: Path, *, quick: bool = False, seed: bytes | None = None, allow_level: Level | None = None,
    progress: Progress | None = None, only: frozenset[str] = frozenset(),
) -> tuple[Report, NoteKey]:  # fmt: skip
    """Run everything and write the bundle.

    Args:
        out: directory to make; must not exist or be empty.
        quick: fewer layer sets in the escape battery, the evidence itself not scanned.
        seed: of the evidence key; a fresh one without it.
        allow_level: lowest sandbox level to run on, besides ENFORCED.
        progress: called with what is done, how many steps are done, how many there are.
        only: promises (POL-01 ...) whose checks run; all of them if empty. The others stay UNKNOWN in the report.

    Raises:
        InputRefused: `out` holds something, or cannot be made; a promise is not in the register.
        TeeUnavailable: the secure world does not start.
    """
    check_output_directory(out, code="audit.out_exists")
    wanted = _wanted(only)
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signer = signer_from(seed or secrets.token_bytes(32))
    with (
        tempfile.TemporaryDirectory() as work,
        tempfile.TemporaryDirectory() as home,
    ):  # nothing there tells of an audit
        stage = Path(work) / "bundle"
        (stage / "raw").mkdir(parents=True)
        with TemporaryDevice(Path(home) / "device", allow_level) as temporary:
            checks = _checks(temporary, stage, created, wanted, signer.key, quick=quick, progress=progress)
            report = _report(temporary, checks, created, quick=quick, only=only)
            report = write_bundle(stage, report, temporary, signer)
        shutil.copytree(stage, out, dirs_exist_ok=True)
    return report, signer.key


def _wanted(only: frozenset[str]) -> Callable[[str], bool]:
    """Whether a check is to run. Raises InputRefused for a promise that is not in the register."""
    unknown = sorted(only - {c.id for c in CLAUSES})
    if unknown:
        raise InputRefused(f"there is no promise {unknown[0]}", hint="run: bioguard policy", code="audit.promise")
    asked = {name for c in CLAUSES if c.id in only for name in c.checks}
    return lambda name: not only or name in asked


def _checks(
    temporary: TemporaryDevice, stage: Path, created: str, wanted: Callable[[str], bool], evidence: NoteKey, *,
    quick: bool, progress: Progress | None,
) -> list[Check]:  # fmt: skip
    """Every wanted check. A step that ends in an error answers for its own checks, and the others go on."""
    found, raw, running = Findings(EVERY_CHECK, wanted, progress), stage / "raw", temporary.device.running
    trials = {turn: [trial for trial in TRIALS if trial.turn is turn and wanted(trial.id)] for turn in Turn}

    def take(names: Sequence[str], step: Callable[[], Iterable[Check]]) -> None:
        if any(map(wanted, names)):
            found.add(answered(names, step))

    def conducted(turn: Turn) -> None:
        found.add(conduct(trial, temporary, raw) for trial in trials[turn])

    def on_this_device() -> None:
        for name in STATIC_CHECKS:
            take([name], partial(static_checks, raw, created, name.__eq__))
        found.add([files])
        take(["BG-SBX-001"], lambda: [confinement.verdict_check(running.verdict, raw)])
        conducted(Turn.ON_THE_DEVICE)
        take([ATTESTATION_CHECK], lambda: [_attestation_check(temporary)])

    def battery() -> None:
        reads = bool(running.sensors)
        checks = partial(confinement.battery_checks, raw, quick=quick, sensors=reads, progress=found.attempts)
        take(BATTERY_CHECKS, checks)

    def leaks() -> None:
        take([*confinement.LIFE_TITLES], lambda: confinement.leak_checks(temporary.directory.parent, raw, quick=quick))

    (files,) = answered([FILES_CHECK], lambda: [files_check(write_measurement(stage, temporary))])
    with suppress(Exception):  # without it the check of the log fails
        write_checkpoint(stage, temporary)
    conducted(Turn.TIMED)
    apart = partial(conducted, Turn.APART)
    if quick:
        found.together(on_this_device, battery, apart, leaks)
    else:  # the leak scan reads what the others wrote
        found.together(on_this_device, battery, apart)
        leaks()
    take([BUDGETS_CHECK], lambda: [budget_check(temporary)])  # it looks at all that passed the pipes before
    if not any(raw.iterdir()):
        raw.rmdir()  # no check came so far; an empty folder would be a stray entry of the bundle
    records = records_check(stage, temporary, evidence)
    found.add([records])
    asked = wanted(RECORDS_CHECK) or records.status is Status.PASS
    return found.in_order() if asked else [*found.in_order(), records]


def _attestation_check(temporary: TemporaryDevice) -> Check:
    """A token in each profile, checked as a stranger would; and with the comparison profiles that are sealed."""
    nonce, seen = secrets.token_bytes(32), list[str]()
    sealed = sealed_profiles(temporary.contents())
    try:
        key = consent.signed_log(temporary.device).attestation_key
        for profile in EatProfile:
            claims, _ = Claims.verify(consent.attest(temporary.device, nonce, profile), key, nonce)
            what = f"{len(claims.components)} components, {settings_words(claims)}, {AttestedHosts.of(claims).words()}"
            seen.append(f"{profile.value}: lifecycle {claims.lifecycle.name}, {what}")
            if [digest for _, digest in attested_profiles(claims)] != sealed:
                raise ProofInvalid("it names other comparison profiles than the store holds", hint="do not ship")
        status = Status.PASS
    except BioguardError as error:
        status, seen = Status.FAIL, [error.message]
    return Check(
        id=ATTESTATION_CHECK,
        title="The device attests its state, and does not claim to be secured",
        status=status,
        summary=f"{len(seen)} tokens verified" if status is Status.PASS else "a token does not verify",
        details=tuple(seen),
        limits="the keys are as safe as the host: the token shows the form, not hardware",
        reference="RFC 9783",
    )


def _report(
    temporary: TemporaryDevice, checks: list[Check], created: str, *, quick: bool, only: frozenset[str]
) -> Report:
    run = "quick: a short escape battery, the evidence not scanned" if quick else "full"
    running = temporary.device.running
    requirements = tuple(Requirement(id=c.id, section=c.section, promise=c.promise, control=c.control) for c in CLAUSES)
    draft = Report(
        kind="audit",
        title="Evidence of a bioguard device",
        headline="",
        tool=f"bioguard {__version__}",
        created=created,
        facts=(
            Fact("What this is", "a SIMULATED device; a phone has hardware where this has files"),
            Fact(
                "Host",
                f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}",
            ),
            Fact("Sandbox", running.verdict.level.value),
            Fact("Settings", _settings(temporary)),
            Fact("Filter SHA-256", running.verdict.filter_sha256.hex() or "none"),
            Fact("Processes", ", ".join(("core 1", *(f"{name} {n}" for name, n in sorted(running.processes.items()))))),
            Fact("Filter SHA-256 of an application's process", running.host_filter_sha256.hex()),
            *(Fact(f"Measurement of {name}", digest) for name, digest in sorted(running.measurements.items())),
            *(Fact(f"Measurement of {name}", digest.hex()) for name, digest in running.listing.components()),
            Fact("Run", f"{run}; only {', '.join(sorted(only))}" if only else run),
        ),
        requirements=requirements,
        residual=RESIDUAL,
    )
    return with_checks(draft, checks)


def _settings(temporary: TemporaryDevice) -> str:
    try:
        return consent.attested_settings(temporary.device).words()
    except BioguardError as error:  # of a device that died on the way
        return f"not told: {error.code}"


def with_checks(report: Report, checks: Iterable[Check]) -> Report:
    """The report over these checks, with the headline that they come to."""
    draft = replace(report, checks=tuple(checks))
    rows, counts = draft.requirements, draft.counts()
    kept = sum(draft.requirement_status(r.id) is Status.PASS for r in rows)
    headline = (
        f"{kept} of {len(rows)} promises have evidence without a reservation; "
        f"{counts[Status.FAIL]} {'check' if counts[Status.FAIL] == 1 else 'checks'} failed, "
        f"{counts[Status.UNKNOWN]} could not run"
    )
    sandbox = (fact for fact in report.facts if fact.name == "Sandbox")
    return replace(draft, headline=headline, key_numbers=(Fact("Promises kept", f"{kept} of {len(rows)}"), *sandbox))


def write_measurement(stage: Path, temporary: TemporaryDevice) -> Measurement:
    """Measure this installation, against what the secure world found, and write it. Raises OSError."""
    measured = measure(temporary.device.running.listing)
    (stage / MEASUREMENT).write_text(measured.to_text(), "utf-8")
    return measured


def write_bundle(stage: Path, report: Report, temporary: TemporaryDevice, signer: NoteSigner) -> Report:
    """Write report, statement and token into `stage`, where the rest of the bundle is. Return the report as written.

    A device that gives no token fails its check of attestation: the bundle is signed, and has none.
    """
    lines = (json.dumps(note.to_json(), sort_keys=True) + "\n" for note in temporary.requests)
    (stage / "storage-requests.jsonl").write_text("".join(lines), "utf-8")
    body = _write_statement(stage, report, temporary, signer)
    try:
        token = consent.attest(temporary.device, bundle.statement_nonce(body))
    except Exception as error:  # whatever it is: there is a report
        others = [check for check in report.checks if check.id != ATTESTATION_CHECK]
        report = with_checks(report, [*others, failed(ATTESTATION_CHECK, error)])
        _write_statement(stage, report, temporary, signer)
    else:
        (stage / bundle.ATTESTATION).write_bytes(token)
    return report


def _write_statement(stage: Path, report: Report, temporary: TemporaryDevice, signer: NoteSigner) -> bytes:
    for name, form in FORMS.items():
        (stage / name).write_text(render(report, form), "utf-8")
    running = temporary.device.running
    configuration = {f"measurement of {name}": digest for name, digest in running.measurements.items()}
    configuration |= {f"measurement of {name}": digest.hex() for name, digest in running.listing.components()}
    configuration["system call filter of applications"] = running.host_filter_sha256.hex()
    configuration["system call filter"] = hashlib.sha256(running.verdict.filter_sha256).hexdigest()
    if len(running.verdict.filter_sha256) == 32:
        configuration["system call filter"] = running.verdict.filter_sha256.hex()
    return bundle.seal_statement(stage, report, configuration, signer)
