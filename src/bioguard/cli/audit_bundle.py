"""`bioguard audit run` and `audit reference`: the evidence bundle, and what to hold it against."""

import os
from pathlib import Path

import click

from bioguard.cli.audit_verify import GOOD, read_reference
from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.errors import InputRefused
from bioguard.evidence.measuring import folders_of, start_code
from bioguard.evidence.reference import START, Reference
from bioguard.evidence.run import run_audit
from bioguard.exit_codes import ExitCode
from bioguard.report.model import Status
from bioguard.text import hex_bytes
from bioguard.user_files import check_output, check_output_directory, read_input, write_output
from tee_sim.shared.package_files import Listing

SEED_BYTES = 32
MAX_KEY_FILE_BYTES = 4096


def _seed(path: Path | None) -> bytes | None:
    """Read the evidence key, or make it."""
    if path is None:
        return None
    if not os.path.lexists(path):
        check_output(path)
        write_output(path, (os.urandom(SEED_BYTES).hex() + "\n").encode("ascii"), new=True, private=True)
    try:
        return hex_bytes(read_input(path, most_bytes=MAX_KEY_FILE_BYTES).decode("ascii").strip(), SEED_BYTES)
    except ValueError:
        raise InputRefused("the signing key file does not hold 64 hexadecimal digits", hint="name a new file") from None


@click.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="New directory.", metavar="DIR"
)
@click.option("--quick", is_flag=True, help="Short escape battery, evidence not scanned: under a minute.")
@click.option(
    "--signing-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Evidence key; made if it is not there. Without it a fresh key signs.",
    metavar="FILE",
)
@click.option("--only", multiple=True, metavar="POL-NN", help="Only the checks of this promise; may be repeated.")
@pass_state
def run(state: CliState, out: Path, quick: bool, signing_key: Path | None, only: tuple[str, ...]) -> Result:
    """Run every check on this host with a temporary device and write a signed evidence bundle.

    Exit 0 if every check passed, 3 if one failed or could not run; so always 3 with --only: the promises that were not
    asked for are UNKNOWN.

    \b
    Examples:
      bioguard audit run --out evidence/
      bioguard audit run --quick --out evidence/ --signing-key evidence.key
      bioguard audit run --only POL-07 --only POL-17 --out evidence/
    """

    def report_progress(what: str, done: int, planned: int) -> None:
        state.output.tick(f"[{done:2}/{planned}] {what}")

    check_output_directory(out, code="audit.out_exists")  # before a key is made
    report, key = run_audit(
        out, quick=quick, seed=_seed(signing_key), allow_level=state.options.allow_level, progress=report_progress,
        only=frozenset(only),
    )  # fmt: skip
    good = report.status in GOOD
    kept = sum(report.requirement_status(r.id) is Status.PASS for r in report.requirements)
    not_good = [c for c in report.checks if c.status in (Status.FAIL, Status.UNKNOWN)]
    return Result(
        outcome=report.status.value.lower(),
        data={
            "out": str(out),
            "status": report.status.value,
            "counts": {status.value: n for status, n in report.counts().items()},
            "promises": len(report.requirements),
            "promises_kept": kept,
            "evidence_key": key.vkey,
        },
        lines=[
            f"{report.status.label}: {report.headline}",
            *(f"  {c.status.label} {c.id} {c.title}: {c.summary}; {c.fix}" for c in not_good),
            f"report: {out / 'report.html'}",
            f"signed by {key.vkey}",
        ],
        exit_code=ExitCode.OK if good else ExitCode.NO,
        next_step=f"bioguard audit verify {out}",
    )


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="New file.", metavar="FILE")
@click.option(
    "--checkout",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder with pyproject.toml; the product that runs this command without it.",
    metavar="DIR",
)
@click.option(
    "--also",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Reference of the same sources from another machine: its compiled files are known too. Repeatable.",
    metavar="FILE",
)
@pass_state
def reference(state: CliState, out: Path, checkout: Path | None, also: tuple[Path, ...]) -> Result:
    """Write down which files the product has, for `audit verify --reference`. Run it in a clean checkout.

    Sources are the same on every machine. Compiled files and what Python runs by itself at its start are not: those
    of this machine are in it, and with --also those of others.

    \b
    Examples:
      bioguard audit reference --out reference.json
      bioguard audit reference --checkout . --out reference.json --also of-the-laptop.json
    """
    check_output(out, new=True)
    try:
        made = Reference.of(Listing.of(folders_of(checkout)), start_code())
    except OSError as error:
        raise InputRefused(
            f"there is no product in {checkout or 'this installation'}: {error.strerror}: {error.filename}",
            hint="give the folder of a checkout, with src/bioguard and tee_sim in it",
            code="audit.checkout",
        ) from None
    for path in also:
        made = made.also(read_reference(path))
    write_output(out, made.to_text().encode("ascii"), new=True)
    compiled = [name for name in made.machine if not name.startswith(START)]
    if not compiled:
        state.output.note("no compiled file is in it: a product with compiled kernels will differ from it")
    return Result(
        outcome="written",
        data={"out": str(out), "files": len(made.files), "compiled": compiled},
        lines=[f"reference of {len(made.files)} files and {len(compiled)} compiled ones: {out}"],
        next_step=f"bioguard audit verify DIR --reference {out}",
    )
