"""The row about the product's own files: what is installed is what runs."""

from bioguard.evidence.measuring import of_no_distribution
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.evidence.reference import MEASUREMENT, Measurement
from bioguard.report.model import Check, Evidence, Status

FILES_CHECK = "BG-STA-007"


def files_check(measured: Measurement) -> Check:
    """FAIL for a file or module that is not what runs, WARN for code of no distribution that runs before it."""
    stray = of_no_distribution(measured.start)
    status = Status.FAIL if measured.otherwise else Status.WARN if stray else Status.PASS
    components = (f"SHA-256 of {name}: {digest.hex()}" for name, digest in measured.files.components())
    return Check(
        id=FILES_CHECK,
        title="What is installed is what runs, in both worlds",
        status=status,
        summary=f"{len(measured.files.files)} files, {len(measured.otherwise)} of them not what runs; "
        f"{len(measured.start)} that Python runs at its start, {len(stray)} of them of no distribution",
        details=(
            *(f"{way.words}: {name}" for name, way in measured.otherwise),
            *(f"run or searched at the start of Python, and of no distribution: {name}" for name in stray),
            *components,
        ),
        control="the secure world measures the whole product before it locks itself, and attests it",
        limits="a product that lies about its files lies here too; whether they are the right files, only "
        "`audit verify --reference` says; the interpreter and its standard library are not measured",
        fix="install the product anew, in an environment of its own",
        evidence=(Evidence(label="every file with its SHA-256", path=MEASUREMENT),),
        clauses=tuple(c.id for c in CLAUSES if FILES_CHECK in c.checks),
    )
