"""`bioguard audit verify`: an evidence bundle, anywhere. What runs an audit is not loaded for it."""

from pathlib import Path

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.evidence.bundle import BundleKeys
from bioguard.evidence.reference import Reference
from bioguard.evidence.verify import verify_bundle
from bioguard.exit_codes import ExitCode
from bioguard.report.model import Status
from bioguard.user_files import read_input

MAX_REFERENCE_BYTES = 4 << 20
"""4 000 files of a hundred bytes, ten times over."""
GOOD = frozenset({Status.PASS, Status.WARN})
"""UNKNOWN is never a pass."""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="keys.json from a source you trust. Without it only consistency is shown.",
    metavar="FILE",
)
@click.option(
    "--reference",
    "reference_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Files the audited product should have, from `audit reference`. Each that differs is named.",
    metavar="FILE",
)
@click.option(
    "--signatures-only", is_flag=True, help="Exit 0 for a bundle that verifies, whatever the report in it says."
)
@pass_state
def verify(
    state: CliState, directory: Path, key_file: Path | None, reference_file: Path | None, signatures_only: bool
) -> Result:
    """Verify an evidence bundle: every signature, hash, proof and form. Needs no device.

    Exit 7 with the name of the artefact if it does not verify, or if a file is not as in the reference; 3 if it
    verifies and the report in it says FAIL or UNKNOWN; 0 otherwise.

    \b
    Examples:
      bioguard audit verify evidence/
      bioguard audit verify evidence/ --key keys.json --reference reference.json
    """
    pinned = BundleKeys.parse(read_input(key_file).decode("utf-8", "replace")) if key_file else None
    reference = read_reference(reference_file) if reference_file else None
    verified = verify_bundle(directory, pinned, reference)
    if not verified.pinned:
        state.output.note("the keys came from the bundle itself; pin them with --key to know who made it")
    if reference is None:
        state.output.note("the product's files were compared with nothing; give --reference to know which product ran")
    good = verified.status in GOOD or signatures_only
    return Result(
        outcome="verified" if good else verified.status.value.lower(),
        data={
            "pinned": verified.pinned,
            "referenced": reference is not None,
            "status": verified.status.value,
            "steps": [{"artefact": a, "shown": s} for a, s in verified.steps],
        },
        lines=[*(f"ok  {a}: {s}" for a, s in verified.steps), f"the report inside says: {verified.status.label}"],
        exit_code=ExitCode.OK if good else ExitCode.NO,
    )


def read_reference(path: Path) -> Reference:
    """Read a file of `audit reference`. Raises InputRefused."""
    return Reference.parse(read_input(path, most_bytes=MAX_REFERENCE_BYTES).decode("utf-8", "replace"))
